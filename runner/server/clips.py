"""The clips that the stand-in hands out: drawn by the animatic, or small ones made once and handed out again."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ..media.write import Container, Writer
from ..ports import Executor, Job, TaskFailed, WorkerLost

log = logging.getLogger(__name__)

SUFFIX: dict[Container, str] = {"MP4": ".mp4", "WEBM": ".webm", "MOV": ".mov"}
TYPE: dict[str, str] = {".mp4": "video/mp4", ".webm": "video/webm", ".mov": "video/quicktime", ".png": "image/png"}

VARIETY = 8
"""Different ready-made clips of one small size; of a large one there is one, as each takes a second to encode."""

SMALL_PIXELS = 128 * 72


@dataclass(frozen=True, slots=True)
class Want:
    """A clip that is wanted: sizes in pixels, ``seconds`` long, ``fps`` frames a second."""

    prompt: str
    width: int
    height: int
    seconds: float
    fps: int
    container: Container
    quality: int
    seed: int
    first: Path | None = None
    last: Path | None = None

    @property
    def name(self) -> str:
        """What stands for request and seed: the same clip is made once."""
        parts = [self.prompt, self.width, self.height, self.seconds, self.fps, self.container, self.quality, self.seed]
        parts += [str(path and path.name) for path in (self.first, self.last)]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


class Clips(Protocol):
    """Who makes the clips."""

    def begin(self, want: Want) -> None:
        """Start making a clip, if that takes a while."""

    def ready(self, want: Want) -> bool:
        """Whether a clip is made; if nobody has begun it, it is begun."""
        ...

    def path(self, want: Want) -> Path:
        """The file of a clip that is ready."""
        ...

    def short(self, want: Want) -> Path:
        """A sound clip that is half as long as is wanted."""
        ...

    async def aclose(self) -> None: ...


class ReadyMade:
    """Plain clips of the asked size and length: a ramp of grey under a tint, with a bar that moves."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def begin(self, want: Want) -> None:
        pass

    def ready(self, want: Want) -> bool:  # noqa: ARG002 - made when it is fetched, in a moment
        return True

    def path(self, want: Want) -> Path:
        kind = want.seed % (VARIETY if want.width * want.height <= SMALL_PIXELS else 1)
        name = f"{want.width}x{want.height}-{want.seconds:g}s-{want.fps}-{kind}{SUFFIX[want.container]}"
        path = self._folder / name
        if not path.is_file():
            _write(path, want, kind)
        return path

    def short(self, want: Want) -> Path:
        return self.path(replace(want, seconds=max(1 / want.fps, want.seconds / 2)))

    async def aclose(self) -> None:
        pass


def _write(path: Path, want: Want, kind: int) -> None:
    high, wide = want.height, want.width
    ramp = np.linspace(40, 200, wide).astype(np.uint8)
    u = np.full((high // 2, wide // 2), 128 + 12 * (kind % 3 - 1), np.uint8)
    v = np.full((high // 2, wide // 2), 128 + 12 * (kind // 3 - 1), np.uint8)
    count = max(1, round(want.seconds * want.fps))
    with Writer(path, wide, high, want.fps, want.container, quality=50) as writer:
        for index in range(count):
            y = np.tile(ramp, (high, 1))
            left = (wide - 8) * index // count
            y[:, left : left + 8] = 220
            writer.write_planes(y, u, v)


class Drawn:
    """Clips drawn by the animatic in processes beside this one; kept in a folder by request and seed."""

    def __init__(self, folder: Path, executor: Executor) -> None:
        self._folder, self._executor = folder, executor
        self._plain = ReadyMade(folder)
        self._making: dict[str, asyncio.Task[None]] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def begin(self, want: Want) -> None:
        if want.name not in self._making and not self.path(want).is_file():
            self._making[want.name] = asyncio.create_task(self._draw(want))

    def ready(self, want: Want) -> bool:
        self.begin(want)
        task = self._making.get(want.name)
        return task is None or task.done()

    def path(self, want: Want) -> Path:
        return self._folder / f"{want.name}{SUFFIX[want.container]}"

    def short(self, want: Want) -> Path:
        return self._plain.short(want)

    async def aclose(self) -> None:
        for task in self._making.values():
            task.cancel()
        await asyncio.gather(*self._making.values(), return_exceptions=True)
        await self._executor.aclose()

    async def _draw(self, want: Want) -> None:
        try:
            await self._executor.run(
                Job(want.name, "runner.providers.animatic.draw:draw", _order(want, self.path(want)))
            )
        except (TaskFailed, WorkerLost):
            # The other side of the rehearsal is not what is rehearsed: the clip is a plain one, and the log says why.
            log.exception("a clip can't be drawn; a plain one stands for it")
            self._plain.path(want).replace(self.path(want))


def _order(want: Want, out: Path) -> Mapping[str, Any]:
    request = {
        "positivePrompt": want.prompt, "width": want.width, "height": want.height, "duration": want.seconds,
        "outputFormat": want.container, "outputQuality": want.quality,
    }  # fmt: skip
    return {
        "request": request, "fps": want.fps, "key": want.name, "take": 1,
        "first": str(want.first) if want.first else None, "last": str(want.last) if want.last else None,
        "slate": {"scene": "", "scene_title": "", "shot": "", "line": want.prompt}, "out": str(out),
    }  # fmt: skip
