"""Nothing to do: found out from file stamps alone, before anything heavy is imported.

A run that had nothing to do writes down the stamp of every file it stands on (``grounds``). A later run with the same
words, in the same folder, that finds them all unchanged has nothing to do either. A stamp is the time of the last
change of any kind, which nobody can set, with size and inode. A file can change twice within one tick of the clock, or
while a run is reading: so a stamp is written down only if it is older than the run, by the clock of the file system
itself. What changes later has a later stamp, whatever is done to it.
"""

from __future__ import annotations

import os
import sys

HEAD = "matchcut-fast 2"
_END = b"end\n"
_NUMBERS = 3
"""How many numbers a stamp has."""
_WIDTH = 8 * _NUMBERS
_SOME = 256
SHARED_MIN = 4000
"""From how many files on a second process looks at half of them."""


def answer(argv: list[str], version: str) -> str | None:
    """What to say if a run with these words has nothing to do; None where that must be looked into."""
    path = place(argv)
    if path is None:
        return None
    try:
        with open(path, "rb", buffering=0) as stream:
            head, message, absent, names, stamps = stream.read().split(b"\0", 4)
        if head != header(argv, version) or any(os.path.lexists(name) for name in absent.split(b"\n") if name):
            return None
        return message.decode() if _same(names, stamps) else None
    except (OSError, ValueError):
        return None


def place(argv: list[str]) -> str | None:
    """Where the record of a run lies: in the project's folder, by a number that stands for its words."""
    if len(argv) < 2 or argv[0] != "run":
        return None
    for word in argv[1:]:
        if word.endswith((".yaml", ".yml")) and not word.startswith("-"):
            number = 0x811C9DC5  # FNV-1a: a library that has a better one takes longer to import than all the rest
            for byte in os.fsencode("\0".join([os.getcwd(), *argv])):
                number = (number ^ byte) * 0x01000193 & 0xFFFFFFFF
            return os.path.join(os.path.dirname(word) or ".", ".matchcut", "fast", f"{number:08x}")
    return None


def header(argv: list[str], version: str) -> bytes:
    """What must be the same besides the files: the program, the words, the folder, the environment's settings."""
    settings = sorted(f"{name}={value}" for name, value in os.environ.items() if name.startswith("MATCHCUT_"))
    program = f"{HEAD} {version} {sys.hexversion:x} {sys.prefix!r}"
    return f"{program}\n{os.getcwd()!r} {argv!r} {settings!r}".encode("utf-8", "backslashreplace")


def begin(argv: list[str]) -> int | None:
    """What time it is for the files of a project, in nanoseconds: to be asked before a run reads any of them.

    None where nothing can be written down, or nothing was ever made.
    """
    path = place(argv)
    if path is None or not os.path.isdir(os.path.dirname(os.path.dirname(path))):
        return None
    mark = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(mark, "wb") as stream:
            stream.write(b"now")
            stream.flush()
            now = os.fstat(stream.fileno()).st_ctime_ns
        os.unlink(mark)
    except OSError:
        return None
    return now


def record(
    argv: list[str], version: str, message: str, names: list[str], absent: list[str], begun: int
) -> bytes | None:
    """The record of a run that began at that time and had nothing to do.

    ``names`` are all the files and folders that it stands on, ``absent`` those that must not be there. None where one
    of them is not older than the run, or cannot be written down.
    """
    there, gone = [os.fsencode(name) for name in names], [os.fsencode(name) for name in absent]
    folders: dict[bytes, list[bytes]] = {}
    for name in there:
        folder, _, last = name.rpartition(b"/")
        folders.setdefault(folder or (b"/" if name.startswith(b"/") else b"."), []).append(last or b".")
    if any(b"\n" in name for name in there + gone) or "\0" in message or any(map(os.path.lexists, gone)):
        return None
    from array import array

    try:
        stamps = array("q", _stamps([folder + b"/" + name for folder, some in folders.items() for name in some]))
    except (OSError, OverflowError):
        return None
    if max(stamps[::_NUMBERS]) >= begun:
        return None
    grouped = b"\n\n".join(b"\n".join((folder, *some)) for folder, some in folders.items())
    return b"\0".join((header(argv, version), message.encode(), b"\n".join(gone), grouped, stamps.tobytes() + _END))


def _stamps(names: list[bytes]) -> list[int]:
    """The stamps of files, one after the other; first in each is when it last changed in any way.

    Raises OSError for a file that is not there.
    """
    numbers: list[int] = []
    for found in map(os.stat, names):
        numbers += (found.st_ctime_ns, found.st_size, found.st_ino)
    return numbers


_Piece = tuple[bytes, list[bytes], int]
"""A folder, some names in it, and where their stamps begin."""


def _same(grouped: bytes, stamps: bytes) -> bool:
    """Whether all files still have their stamps. Raises OSError for one that is not there."""
    pieces: list[_Piece] = []
    count = 0
    for group in grouped.split(b"\n\n"):
        folder, *names = group.split(b"\n")
        # Some at a time, as memory that is warm is had for nothing.
        pieces += [(folder, names[at : at + _SOME], count + at) for at in range(0, len(names), _SOME)]
        count += len(names)
    if len(stamps) != _WIDTH * count + len(_END) or not stamps.endswith(_END):
        return False
    if count < SHARED_MIN or not _free():
        return _equal(pieces, stamps)
    half = len(pieces) // 2
    other = os.fork()
    if other == 0:
        code = 1
        try:
            code = 0 if _equal(pieces[half:], stamps) else 1
        finally:
            os._exit(code)
    try:
        mine = _equal(pieces[:half], stamps)
    finally:
        _, code = os.waitpid(other, 0)
    return mine and code == 0


def _equal(pieces: list[_Piece], stamps: bytes) -> bool:
    """Whether files still have their stamps. Each folder is gone into: a short name is found sooner than a long one."""
    home, told = os.getcwd(), memoryview(stamps)
    here = None
    try:
        for folder, names, at in pieces:
            if folder != here:
                os.chdir(home)
                os.chdir(folder)
                here = folder
            if _stamps(names) != told[_WIDTH * at : _WIDTH * (at + len(names))].cast("q").tolist():
                return False
    finally:
        os.chdir(home)
    return True


def _free() -> bool:
    """Whether a processor is free for a second process, where that is known and processes are cheap to begin."""
    return sys.platform == "linux" and os.getloadavg()[0] < len(os.sched_getaffinity(0)) - 1
