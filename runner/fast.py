"""Nothing to do: found out from file stamps alone, before anything heavy is imported.

A finished run writes down the stamp of every file it read and wrote. A later run with the same words, in the same
folder, that finds them all unchanged has nothing to do. A stamp is size, times of change, and inode; it is believed
only if it is older than the record, since a file can change twice within one tick of the clock.
"""

from __future__ import annotations

import os

HEAD = "matchcut-fast 1"


def answer(argv: list[str], version: str) -> str | None:
    """What to say if a run with these words has nothing to do; None where that must be looked into."""
    path = place(argv)
    if path is None:
        return None
    try:
        with open(path, encoding="utf-8") as stream:
            record = stream.read()
        written = os.stat(path).st_mtime_ns
    except (OSError, ValueError):
        return None
    head, _, rest = record.partition("\n\n")
    message, _, stamps = rest.partition("\n\n")
    if head != header(argv, version) or not stamps.endswith("\nend\n"):
        return None
    for line in stamps[:-5].split("\n"):
        stamp, _, name = line.partition(" ")
        if stamp != stamp_of(name, written):
            return None
    return message


def place(argv: list[str]) -> str | None:
    """Where the record of a run lies: in the project's folder, by a number that stands for its words."""
    if len(argv) < 2 or argv[0] != "run":
        return None
    for word in argv[1:]:
        if word.endswith((".yaml", ".yml")) and not word.startswith("-"):
            import zlib

            number = zlib.crc32("\0".join([os.getcwd(), *argv]).encode("utf-8", "surrogateescape"))
            return os.path.join(os.path.dirname(word) or ".", ".matchcut", "fast", f"{number:08x}")
    return None


def header(argv: list[str], version: str) -> str:
    """What must be the same besides the files: the program, the words, the folder, the environment's settings."""
    settings = sorted(f"{name}={value}" for name, value in os.environ.items() if name.startswith("MATCHCUT_"))
    return f"{HEAD} {version}\n{os.getcwd()!r} {argv!r} {settings!r}"


def stamp_of(name: str, written: int | None = None) -> str:
    """A file's stamp; "-" where there is none, "?" where it is not older than the record."""
    try:
        found = os.stat(name)
    except OSError:
        return "-"
    if written is not None and (found.st_ctime_ns >= written or found.st_mtime_ns >= written):
        return "?"
    return f"{found.st_size}.{found.st_mtime_ns}.{found.st_ctime_ns}.{found.st_ino}"


def record(argv: list[str], version: str, message: str, names: list[str]) -> bytes:
    """The record of a run that has nothing left to do; ``names`` are all the files that count."""
    stamps = "\n".join(f"{stamp_of(name)} {name}" for name in names if "\n" not in name)
    if any("\n" in name for name in names) or "\n\n" in message:
        return b""
    return f"{header(argv, version)}\n\n{message}\n\n{stamps}\nend\n".encode()
