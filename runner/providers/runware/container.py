"""What kind of file a clip is, by its own bytes, and whether it is all there."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

HEAD_BYTES = 16
_ISO = frozenset({b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp"})


def suffix(head: bytes) -> str | None:
    """``.mp4``, ``.mov`` or ``.webm`` by the first bytes of a file; None where it is no clip."""
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return ".webm"
    if len(head) >= 12 and head[4:8] in _ISO:
        return ".mp4" if head[4:8] == b"ftyp" and head[8:12] != b"qt  " else ".mov"
    return None


def what(head: bytes) -> str:
    """What was found instead of a clip, in words."""
    start = head.lstrip()[:1]
    return "nothing" if not head else "a web page" if start == b"<" else "JSON" if start in (b"{", b"[") else "no clip"


def is_whole(path: Path) -> bool:
    """Whether every outer box of an MP4 or MOV ends within the file and an index is there. Others: decoding tells."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        if suffix(stream.read(HEAD_BYTES)) == ".webm":
            return size > HEAD_BYTES
        at, index = 0, False
        while at < size:
            stream.seek(at)
            length, name = _box(stream)
            if length == 0:
                length = size - at
            if length < 8 or at + length > size:
                return False
            index, at = index or name == b"moov", at + length
    return index


def _box(stream: BinaryIO) -> tuple[int, bytes]:
    """Length and name of the box that begins here; 0: to the end of the file, -1: cut off."""
    head = stream.read(8)
    if len(head) < 8:
        return -1, b""
    length = int.from_bytes(head[:4], "big")
    if length == 1:
        long = stream.read(8)
        length = int.from_bytes(long, "big") if len(long) == 8 else -1
    return length, head[4:]
