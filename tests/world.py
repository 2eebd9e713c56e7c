"""A world for tests: a storyboard in a folder, with everything defaulted, so that what a test sets is what matters.

    world(tmp_path, {"duration": 10}, {"from": "stills/lane.png"}, pictures={"stills/lane.png": (1280, 720)}).plan()

Shots are called 0010, 0020 ... and have an action, unless they say otherwise; top-level fields are keywords.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from runner import document, storyboard
from runner.document import Document
from runner.errors import Problem, StoryError
from runner.load import Loaded, load
from runner.plan import Plan
from runner.storyboard import Storyboard

ACTION = "A lantern swings in the rain."
Fields = Mapping[str, Any]


@dataclass(frozen=True)
class World:
    """A folder with a storyboard in it."""

    file: Path

    @property
    def folder(self) -> Path:
        return self.file.parent

    @property
    def document(self) -> Document:
        return document.read(self.file, self.file.name)

    @property
    def board(self) -> Storyboard:
        """The storyboard alone, without its pipeline. It must have no error."""
        found, problems = storyboard.read(self.document)
        assert found is not None, problems
        return found

    def load(self, **options: Any) -> Loaded:
        return load(self.file, **{"name": self.file.name, "environ": {}, **options})

    def plan(self, **options: Any) -> Plan:
        return self.load(**options).plan

    def problems(self, **options: Any) -> list[Problem]:
        """Everything that is told of it: errors and warnings, in file order."""
        try:
            return list(self.plan(**options).warnings)
        except StoryError as error:
            return list(error.problems)

    def told(self, **options: Any) -> list[str]:
        return [str(problem) for problem in self.problems(**options)]


def board(*shots: Fields | str, scenes: Sequence[Fields] | None = None, **top: Any) -> dict[str, Any]:
    """A storyboard's data. A text stands for a shot with that action; ``scenes`` takes the place of one scene "010"."""
    number = 0

    def whole(shot: Fields | str) -> dict[str, Any]:
        nonlocal number
        number += 10
        return {"shot": f"{number:04}", "action": ACTION, **({"action": shot} if isinstance(shot, str) else shot)}

    found = [{"scene": "010", "shots": [*shots] or [{}]}] if scenes is None else scenes
    return {
        "storyboard": "lanterns",
        "pipeline": "animatic",
        **top,
        "scenes": [{**scene, "shots": [whole(shot) for shot in scene["shots"]]} for scene in found],
    }


def world(
    folder: Path,
    *shots: Fields | str,
    text: str | None = None,
    name: str = "storyboard.yaml",
    pictures: Mapping[str, tuple[int, int]] | None = None,
    files: Mapping[str, str] | None = None,
    **top: Any,
) -> World:
    """Write a storyboard into a folder, with pictures (path and size in pixels) and other files beside it.

    ``pipeline`` may be a mapping, which is written into a file of its own. ``text`` is the whole storyboard as YAML.
    """
    if isinstance(top.get("pipeline"), Mapping):
        files = {"pipeline.yaml": document.dump(top["pipeline"]), **(files or {})}
        top["pipeline"] = "pipeline.yaml"
    everything = {name: document.dump(board(*shots, **top)) if text is None else text, **(files or {})}
    for path, content in everything.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content, encoding="utf-8", newline="")
    for path, size in (pictures or {}).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, (120, 90, 40)).save(folder / path)
    return World(folder / name)


def pipeline(**changes: Any) -> dict[str, Any]:
    """A pipeline's data: the animatic's, with some fields changed."""
    return {
        "pipeline": "own",
        "provider": "animatic",
        "model": "matchcut:animatic",
        "shot": {"clip": {"uses": "generate"}, "tail": {"uses": "frame"}, "check": {"uses": "inspect"}},
        "film": {"cut": {"uses": "assemble"}, "manifest": {"uses": "manifest"}},
        **changes,
    }
