"""What must not be told: the key, secrets from the environment, and what is signed into addresses."""

from __future__ import annotations

import json
import logging
import re
from typing import Any
from urllib.parse import quote

SECRET_CHARS_MIN = 4
"""A value from the environment that is shorter would blank out ordinary words."""

TOLD_CHARS_MAX = 600
"""The most that is repeated of somebody else's words, in characters."""

_MEDIA = re.compile(r"data:[\w.+-]*/[\w.+-]*(?:;[\w=.+-]+)*;base64,[A-Za-z0-9+/=_-]*")
_BEARER = re.compile(r"(?i)\bbearer\s+[^\s'\"]+")
_SIGNED = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)(?:[^\s/?#'\"<>@]*@)?([^\s?#'\"<>]*)(?:\?[^\s'\"<>]*)?(#[\w.-]*)?")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_LOGGERS = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy")


def unsigned(text: str) -> str:
    """A text with its addresses cut before the query, and without media data, tokens and control characters."""
    text = _BEARER.sub("Bearer ***", _MEDIA.sub("data:...", text))
    return _CONTROL.sub(" ", _SIGNED.sub(lambda m: f"{m[1]}{m[2]}{m[3] or ''}", text))


class Secrets:
    """The values that one client knows and nobody is told; ``clean`` takes them out of a text."""

    def __init__(self) -> None:
        self._values: set[str] = set()

    def add(self, value: str) -> None:
        """Remember a secret in every form in which it may come back."""
        if len(value) >= SECRET_CHARS_MIN:
            self._values |= {value, quote(value, safe=""), quote(value), json.dumps(value)[1:-1]}

    def blank(self, text: str) -> str:
        """A text with the secrets as ``***``."""
        for value in sorted(self._values, key=lambda v: (-len(v), v)):
            text = text.replace(value, "***")
        return text

    def clean(self, text: str) -> str:
        """A text as it may be told: without secrets, signatures and media, and not longer than TOLD_CHARS_MAX."""
        text = self.blank(unsigned(self.blank(text))).strip()
        return text if len(text) <= TOLD_CHARS_MAX else f"{text[:TOLD_CHARS_MAX]}..."

    def __repr__(self) -> str:
        return "Secrets(***)"


class _Unsigned(logging.Filter):
    """Libraries that log the addresses they open do it without what is signed into them."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = unsigned(record.getMessage()), ()
        return True


_FILTER: Any = _Unsigned()


def quiet() -> None:
    """Keep signed addresses out of the logs of the libraries that open them. May be called any number of times."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_FILTER)
