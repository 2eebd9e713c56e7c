"""The library as others import it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import runner


def test_the_public_names_are_these() -> None:
    types = ["Diff", "Event", "Loaded", "Outcome", "Part", "Plan", "Problem", "StoryError"]
    assert [*types, "diff", "load", "plan", "run", "variants"] == runner.__all__
    for name in runner.__all__:
        assert getattr(runner, name) is not None


def test_functions_stay_functions_when_the_modules_of_their_names_are_imported() -> None:
    code = "import runner; from runner.plan import Plan; import runner.load; print(callable(runner.plan), callable(runner.load), runner.Plan is Plan)"
    said = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert (said.stdout, said.stderr) == ("True True True\n", "")


def test_importing_the_package_imports_nothing_heavy() -> None:
    heavy = "('yaml', 'jsonschema', 'jinja2', 'networkx', 'httpx', 'av', 'numpy', 'PIL', 'click', 'rich', 'asyncio')"
    code = f"import sys, runner; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_planning_needs_no_pictures_network_or_graph_library(tmp_path: Path) -> None:
    board = tmp_path / "storyboard.yaml"
    board.write_text(
        'storyboard: x\npipeline: animatic\nscenes: [{scene: "1", shots: [{shot: "1", action: A lamp.}]}]\n',
        encoding="utf-8",
    )
    code = f"import sys, runner; runner.plan({str(board)!r}); print([m for m in ('jinja2', 'networkx', 'httpx', 'av', 'numpy', 'PIL', 'click', 'rich') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_the_package_is_marked_as_typed() -> None:
    assert (Path(runner.__file__).parent / "py.typed").is_file()
