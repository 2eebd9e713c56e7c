"""What travels along: the schemas and the pipelines that come with the program."""

from __future__ import annotations

from pathlib import Path


def folder(name: str) -> Path:
    """The folder ``schemas`` or ``pipelines``: inside the package when installed, beside it in a checkout."""
    package = Path(__file__).parent
    inside = package / "_shipped" / name
    return inside if inside.is_dir() else package.parent / name
