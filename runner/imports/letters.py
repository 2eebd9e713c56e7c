"""The letters of a shot list: UTF-8, or UTF-16 as spreadsheets save it. Anything else is told and never guessed."""

from __future__ import annotations

import codecs

from ..errors import Place, StoryError

BYTES_MAX = 8 * 1024 * 1024
_SAVE = 'save it as "CSV UTF-8" or plain text in UTF-8'


def decode(raw: bytes, file: str) -> str:
    """The text of a list, with ``\\n`` for every line end. Raises StoryError with the place of what can't be read."""
    if len(raw) > BYTES_MAX:
        fact = f"the file is larger than {BYTES_MAX // 1024**2} MiB (bytes_max)"
        raise StoryError.of(fact, "split it", Place(file))
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            text = raw.decode("utf-16")
        except UnicodeDecodeError:
            raise StoryError.of("the file is broken UTF-16", _SAVE, Place(file, 1, 1)) from None
    elif b"\0" in raw[:2]:
        raise StoryError.of("the file looks like UTF-16 without its mark (BOM)", _SAVE, Place(file, 1, 1))
    else:
        text = _utf8(raw, file)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise StoryError.of("the file is empty", None, Place(file, 1, 1))
    return text


def _utf8(raw: bytes, file: str) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        col = error.start - raw.rfind(b"\n", 0, error.start)
        byte = raw[error.start : error.start + 1]
        meant = byte.decode("cp1252", "ignore")
        perhaps = f' (in Windows-1252 it would be "{meant}")' if meant else ""
        fact = f"byte 0x{byte.hex()} is not UTF-8{perhaps}"
        raise StoryError.of(fact, _SAVE, Place(file, line, col)) from None
