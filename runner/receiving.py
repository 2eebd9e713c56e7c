"""The author's own clip taken in: copied beside, looked at once, and kept like any other. Its file is left alone."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from . import key
from .brief import Brief
from .errors import StoryError
from .footage import OWN, Footage
from .reel import renamed
from .store import copy, told
from .takes import Take
from .work import Desk, Event


async def receive(desk: Desk, brief: Brief, footage: Footage) -> None:
    """Take a clip in, as take 1 of its key. Raises StoryError for one that is damaged inside, or has just changed."""
    name, path = brief.shot.id, brief.shot.clip
    assert path is not None
    reel, asked = desk.loaded.footage, key.own(footage.digest)
    with desk.store.scratch() as into:
        clip = into / f"clip{Path(path).suffix}"
        with told(into):
            await asyncio.to_thread(copy, reel.find(path), clip)
        got = await _looked_at(desk, name, clip, path)
        if got["digest"] != footage.digest:
            reel.forget(path)
            raise StoryError.of(f"{path} changed while it was read", "run again", exit_code=1)
        await desk.keep_clip(clip, got)
    take = Take(
        take=1, key=asked.digest, clip=got["digest"], provider=OWN, model=OWN, parts=asked.parts, bytes=got["bytes"],
        frames=got["frames"], probe=got["probe"], inspect=got["inspect"],
    )  # fmt: skip
    await desk.record(name, take)
    desk.made += 1
    desk.tell(Event("made", name, take=take.take))


async def _looked_at(desk: Desk, name: str, clip: Path, path: str) -> dict[str, Any]:
    """Decode it once: its frames go into the store, what was measured is told."""
    args = {
        "clip": str(clip), "frames": sorted(desk.plan.selectors(name)), "into": str(desk.store.pictures),
        "contacts": str(desk.store.contacts),
    }  # fmt: skip
    try:
        return await desk.job(f"{name}: receive", "runner.media.receive:receive", args)
    except StoryError as error:
        raise renamed(error, str(clip), path) from None
