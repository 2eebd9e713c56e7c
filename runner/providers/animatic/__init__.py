"""The animatic: a shot drawn as a moving preview, here and for nothing, so that a film is seen before it is bought."""

from __future__ import annotations

from .version import VERSION

__all__ = ["VERSION"]
