"""Shot lists in. To add a kind: a module here with ``read``, a line below, lists in ``tests/imports/``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..errors import Place, StoryError, did_you_mean
from . import csv, fountain, page, target
from .base import Import
from .board import Imported, build
from .letters import BYTES_MAX, decode
from .target import Target

__all__ = ["BYTES_MAX", "IMPORTS", "SUFFIXES", "Import", "Imported", "Target", "kind_of", "page", "read", "target"]

IMPORTS: dict[str, Import] = {"csv": csv.read, "fountain": fountain.read}

SUFFIXES: dict[str, str] = {".csv": "csv", ".tsv": "csv", ".fountain": "fountain", ".spmd": "fountain"}
"""What kind of list a file is by the end of its name."""


def kind_of(path: Path) -> str:
    """The kind of a list by its file's name. Raises StoryError where that doesn't say."""
    kind = SUFFIXES.get(path.suffix.lower())
    if kind is None:
        near = did_you_mean(path.suffix.lower(), SUFFIXES)
        said = f"--as {SUFFIXES[near]}" if near else " or ".join(f"--as {one}" for one in IMPORTS)
        raise StoryError.of(f"the name of {path.name} doesn't say what kind of list it is", said, Place(str(path)))
    return kind


def read(
    raw: bytes, name: str, kind: str, target: Target, *, is_file: Callable[[str], bool] = lambda _: False
) -> Imported:
    """The storyboard that a list's bytes describe, such that `check` accepts it for the target.

    ``name`` is what messages call the file. Raises StoryError where it is no such list.
    """
    listed = IMPORTS[kind](decode(raw, name), name)
    return build(listed, target, Path(name).stem, is_file=is_file)
