"""Imports point down: this reads every import of the package against the list of floors in runner/__init__.py."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import runner
from runner import FLOORS

PACKAGE = Path(runner.__file__).parent


def test_every_import_points_to_a_lower_floor_or_stays_within_its_set() -> None:
    assert [] == list(climbing(PACKAGE, FLOORS))


def test_every_module_has_a_floor_and_every_floor_a_module() -> None:
    assert sorted(modules(PACKAGE)) == sorted(FLOORS)


def test_a_climbing_import_is_named_with_its_line(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {
            "__init__.py": "from .high import thing\n",  # the package itself stands above all floors
            "low.py": "import os\n\n\ndef late():\n    from .high import thing\n    from . import level, high\n",
            "level.py": "from .low import late\nimport runner.high.x\nimport runner\n",
            "high.py": (
                "from __future__ import annotations\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
                "    from .sets import one\nelse:\n    from .sets import two\nfrom . import low\n"
            ),
            "sets/__init__.py": "from . import one\nfrom .two import thing\n",
            "sets/one.py": "from .two import thing\nfrom ..low import late\nfrom ..higher import thing\nfrom .. import highest\n",
            "sets/two.py": "from runner.high import thing\n",
            "sets/inner/__init__.py": "from .part import thing\n",
            "sets/inner/part.py": "from ..one import thing\nfrom ...low import late\nfrom ..other import thing\n",
            "sets/other/__init__.py": "from ... import __version__\nfrom .. import one\n",
        },
    )
    floors = {"low": 0, "level": 0, "sets": 1, "high": 1, "higher": 2, "highest": 3}

    told = list(climbing(tmp_path, floors))

    assert [
        "high.py:6: high (floor 1) imports sets (floor 1)",
        "level.py:1: level (floor 0) imports low (floor 0)",
        "level.py:2: level (floor 0) imports high (floor 1)",
        "low.py:5: low (floor 0) imports high (floor 1)",
        "low.py:6: low (floor 0) imports level (floor 0)",
        "low.py:6: low (floor 0) imports high (floor 1)",
        "sets/inner/part.py:3: sets/inner imports sets/other, a set of its own",
        "sets/one.py:3: sets (floor 1) imports higher (floor 2)",
        "sets/one.py:4: sets (floor 1) imports highest (floor 3)",
        "sets/two.py:1: sets (floor 1) imports high (floor 1)",
    ] == told


def test_a_module_without_a_floor_is_named(tmp_path: Path) -> None:
    plant(tmp_path, {"low.py": "from .stranger import thing\n", "stranger.py": ""})

    assert ["low.py:1: low (floor 0) imports stranger (no floor)"] == list(climbing(tmp_path, {"low": 0}))


def plant(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def modules(package: Path) -> set[str]:
    """The modules of a package, and its folders, each as one."""
    return {home(path.relative_to(package)) for path in package.rglob("*.py")} - {"__init__", "__main__"}


def home(path: Path) -> str:
    """The module or set that a file belongs to: the first part of its path."""
    return path.parts[0].removesuffix(".py")


def climbing(package: Path, floors: Mapping[str, int]) -> Iterator[str]:
    """Every import that does not point down, with its file and line."""
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package)
        own = home(name)
        if own in {"__init__", "__main__"}:
            continue
        for line, target in imports(path, name.parts):
            other = target[0]
            if other == own:
                if (package / own / target[1]).is_dir() and len(name.parts) > 2 and name.parts[1] != target[1]:
                    yield f"{name.as_posix()}:{line}: {own}/{name.parts[1]} imports {own}/{target[1]}, a set of its own"
            elif floors.get(other, 99) >= floors.get(own, -1):
                told = [
                    f"{one} (floor {floors[one]})" if one in floors else f"{one} (no floor)" for one in (own, other)
                ]
                yield f"{name.as_posix()}:{line}: {told[0]} imports {told[1]}"


def imports(path: Path, parts: tuple[str, ...]) -> Iterator[tuple[int, tuple[str, str]]]:
    """Line and module (with the member of it) of every import of the package, but those for the type checker alone."""
    for node in reached(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("runner."):
                    _, first, second, *_ = [*alias.name.split("."), ""]
                    yield node.lineno, (first, second)
        elif isinstance(node, ast.ImportFrom):
            named = node.module.split(".") if node.module else []
            if not node.level and named[:1] != ["runner"]:
                continue
            base = [*parts[: len(parts) - node.level], *named] if node.level else named[1:]
            for alias in node.names:
                first, second, *_ = [*base, alias.name, ""]
                if not first.startswith("__"):
                    yield node.lineno, (first, second)


def reached(tree: ast.AST) -> Iterator[ast.AST]:
    """All that may run: everything but the bodies of ``if TYPE_CHECKING:``."""
    for node in ast.iter_child_nodes(tree):
        yield node
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            for other in node.orelse:
                yield other
                yield from reached(other)
        else:
            yield from reached(node)
