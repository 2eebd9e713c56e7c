"""What this machine's store holds that nothing needs any more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from . import journal
from .journal import ENDED
from .roots import Roots
from .store import LocalStore, told

Kind = Literal["record", "clip", "picture", "strip", "part"]


@dataclass(frozen=True, slots=True)
class Item:
    """A file that may go. ``paid``: it was bought, or nobody knows where it came from."""

    kind: Kind
    name: str
    path: Path
    bytes: int
    paid: bool


def unneeded(store: LocalStore, roots: Roots, journal_file: Path) -> list[Item]:
    """Everything that no takes file, no present drawing, no purchase under way and no command's result needs.

    Drawings that were replaced can be drawn again. What the pipeline's own commands gave stays: only they know
    whether they would give it again.
    """
    submits, results = journal.read(journal_file)
    ended = {submit.uuid for submit in submits if submit.state in ENDED}
    flying = {result.clip for result in results if result.uuid not in ended}
    clips = set(roots.digests) | {clip for clip in flying if clip is not None}
    bought = {result.clip for result in results}
    pictures, known = set(roots.digests), set()
    going: list[Item] = []
    last, shown = _last_keys(store), _shown(store)
    clips |= shown
    for path, take in _documents(store.records, "*/*/*.json"):
        clip, paid = str(take.get("clip")), not str(take.get("provider")).startswith("animatic")
        frames = {str(frame.get("digest")) for frame in take.get("frames", {}).values()}
        if clip in clips or take.get("key") in last or take.get("key") in roots.digests:
            clips.add(clip)
            pictures |= frames | _begins(take)
        else:
            going.append(
                Item("record", f"{str(take.get('key'))[:12]} take {take.get('take')}", path, _size(path), paid)
            )
        known.add(clip)
        if paid:
            bought.add(clip)
    for _, done in _documents(store.results, "*.json"):
        clips |= set(done.get("outputs", {}).values())
        for receipt in done.get("receipts", {}).values():
            pictures |= {frame["digest"] for frame in receipt.get("frames", {}).values()}
    for path in sorted(store.objects.glob("*/*")):
        if path.name not in clips:
            paid = path.name in bought or path.name not in known
            going.append(Item("clip", path.name, path, _size(path), paid))
    free: list[tuple[Kind, Path]] = [
        *(("picture", path) for path in sorted(store.pictures.glob("*.png")) if path.stem not in pictures),
        *(("strip", path) for path in sorted(store.contacts.glob("*.jpg")) if path.stem not in clips),
        *(("part", path) for path in sorted((store.root / "partial").glob("*"))),
    ]
    return [*going, *(Item(kind, path.stem, path, _size(path), False) for kind, path in free)]


def remove(store: LocalStore, items: list[Item]) -> None:
    """Take files away for ever, records before what they name. The project's lock must be held. Raises StoryError."""
    with told(store.root):
        for item in sorted(items, key=lambda item: item.kind != "record"):
            item.path.unlink(missing_ok=True)


def _last_keys(store: LocalStore) -> set[str]:
    """The key every shot was made with last, in every lane and every variant. Raises StoryError for a newer note."""
    notes = (store.lane_of(lane, book, shot) for lane, book in store.boards() for shot in store.noted(lane, book))
    found = (note.get("keys", []) for note in notes)
    return {keys[-1] for keys in found if keys}


def _shown(store: LocalStore) -> set[str]:
    """The digests of the files that runs wrote to their output folders."""
    documents = (data for _, data in _documents(store.root / "outputs", "*.json"))
    files = (data.get("files", data) for data in documents)
    return {str(file["digest"]) for some in files for file in some.values() if isinstance(file, dict)}


def _begins(take: dict[str, Any]) -> set[str]:
    """The pictures that a take begins and ends on: some were brought by people, and the report shows them."""
    ends = take.get("parts", {}).get("inputs", {}).get("frameImages", {})
    return {str(end["pixels"]) for end in ends.values() if "pixels" in end}


def _documents(folder: Path, pattern: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in sorted(folder.glob(pattern)):
        try:
            data = json.loads(path.read_bytes())
        except ValueError:
            continue  # `store verify` tells of it
        if isinstance(data, dict):
            yield path, data


def _size(path: Path) -> int:
    return path.stat().st_size
