"""Chance that can be replayed: what happens follows from a seed and from names, never from the moment."""

from __future__ import annotations

import hashlib
import uuid


def number(*names: object) -> int:
    """A number from 0 to 2**64 - 1 that follows from the names."""
    text = "\0".join(map(str, names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])


def share(*names: object) -> float:
    """A number from 0 up to but not 1 that follows from the names."""
    return (number(*names) >> 11) / 2**53


def uuid4(*names: object) -> str:
    """A UUID in the form of version 4 that follows from the names."""
    text = "\0".join(map(str, names))
    return str(uuid.UUID(bytes=hashlib.sha256(text.encode()).digest()[:16], version=4))
