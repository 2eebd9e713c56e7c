"""A file lands whole or not at all: it is written beside its place and moved there when it is complete."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import av

from ..errors import StoryError

_REASONS = {
    errno.ENOSPC: ("the disk is full", "free some space"),
    errno.EDQUOT: ("the disk quota is used up", "free some space"),
    errno.EROFS: ("the file system is read-only", "choose another folder"),
    errno.EACCES: ("the folder may not be written to", "check its permissions"),
    errno.EPERM: ("the folder may not be written to", "check its permissions"),
    errno.ENOTDIR: ("a part of the path is a file", "choose another folder"),
    errno.EEXIST: ("a part of the path is a file", "choose another folder"),
    errno.EISDIR: ("it is a folder", "choose another name"),
}
_numbers = count()


@contextmanager
def landing(path: str | Path) -> Iterator[Path]:
    """A name to write to, in the same folder; after the block it is moved to ``path``, or removed if the block failed.

    Missing folders are made. StoryError where the disk does not let us.
    """
    place = Path(path)
    beside = place.with_name(f".{place.name}.{os.getpid()}-{next(_numbers)}.part")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        yield beside
        beside.replace(place)
    except (OSError, av.FFmpegError) as error:
        raise refusal(path, error) from error
    finally:
        beside.unlink(missing_ok=True) if place.parent.is_dir() else None


def put(path: str | Path, data: bytes) -> None:
    """Bytes to a file, whole or not at all."""
    with landing(path) as beside:
        beside.write_bytes(data)


def refusal(path: str | Path, error: OSError | av.FFmpegError) -> Exception:
    """The author's side of a failed write where there is one; otherwise the error itself."""
    told = _REASONS.get(error.errno or 0)
    if told is None:
        return error
    return StoryError.of(f"{path} can't be written: {told[0]}", told[1], exit_code=1)
