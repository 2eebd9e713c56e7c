"""The grounds of an answer: every file that a finished run stands on, so that the next run knows when to look again.

All that people can change is named by itself: storyboard, pipeline, cards, pictures, takes files, the output folder.
For what only matchcut writes, in ``.matchcut``, a folder stands for its files: they are written beside their place and
moved in, and so every change shows in the folder.
"""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from . import config, takes
from .load import Loaded
from .plan import Plan


def named(loaded: Loaded, plan: Plan, more: list[Path]) -> tuple[list[str], list[str]]:
    """Files and folders that must stay as they are, those first that people change most; and what must stay away.

    ``more``: what else was read.
    """
    # The project's own folder is among them: a file that appears there may be what a shot's `from` names.
    # So are the libraries': the manifest names their versions.
    libraries = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    found = [*_written_by_people(loaded, plan), *more, *map(Path, sorted(libraries)), *_store(loaded, plan)]
    found += [*_tree(takes.folder(loaded.project.file)), *_tree(loaded.project.out)]
    here: list[str] = []
    gone: list[str] = []
    for name in dict.fromkeys(os.path.normpath(path) for path in found):
        (here if os.path.lexists(name) else gone).append(name)
    return here, gone


def _written_by_people(loaded: Loaded, plan: Plan) -> Iterator[Path]:
    project, pipeline = loaded.project, loaded.pipeline
    yield project.file
    yield project.folder
    yield project.folder / config.FILE
    yield pipeline.folder / pipeline.document.file.rpartition("/")[2]
    briefs = plan.briefs.values()
    yield from {brief.card.path for brief in briefs if brief.footage is None}
    yield from (loaded.footage.find(brief.shot.clip) for brief in briefs if brief.shot.clip is not None)
    yield from (project.folder / name for name, _ in loaded.board.document.parts)
    yield from (pipeline.folder / name for name in plan.facts.files)
    for shot in loaded.board.shots:
        for point in (shot.begins, shot.ends):
            if point is not None and point.origin == "image" and point.image is not None:
                yield project.folder / point.image
    yield config.read(project.folder, plan.facts.environ).home / "trusted"


def _store(loaded: Loaded, plan: Plan) -> Iterator[Path]:
    store, lane = loaded.project.store, plan.lane
    yield from (store.pictures, store.contacts, store.results)
    yield from dict.fromkeys(
        store.lanes / lane.provider / book for book in (loaded.project.stem, loaded.project.notebook)
    )
    for many in (store.objects, store.records):
        yield many
        yield from sorted(many.glob("*"))


def _tree(folder: Path) -> Iterator[Path]:
    """A folder with all that is in it; itself, where it is missing."""
    yield folder
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != ".matchcut")
        yield from (Path(place, name) for name in (*folders, *sorted(files)))
