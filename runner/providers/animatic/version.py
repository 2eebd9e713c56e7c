"""Which pictures the animatic draws: part of every drawn take's key."""

from __future__ import annotations

VERSION = 1
"""It rises whenever a golden picture changes."""

MAKER = f"animatic@{VERSION}"
