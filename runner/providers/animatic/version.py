"""Which pictures the animatic draws: part of every drawn take's key, and of the UUIDs that follow from it."""

from __future__ import annotations

import uuid

VERSION = 1
"""It rises whenever a golden picture changes."""

MAKER = f"animatic@{VERSION}"

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "matchcut:animatic")


def task_uuid(key: str) -> str:
    """The UUID of a drawn task follows from its key."""
    return str(uuid.uuid5(_NAMESPACE, f"{MAKER} {key}"))


def video_uuid(key: str, take: int) -> str:
    """The UUID of a drawn take follows from key and number."""
    return str(uuid.uuid5(_NAMESPACE, f"{MAKER} {key} {take}"))
