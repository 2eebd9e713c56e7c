"""The kinds of steps. To add one: a module here (see base.py), a line below, and schemas/kinds/<name>.json."""

from __future__ import annotations

from . import assemble, exec, frame, generate, inspect, manifest, report  # noqa: A004
from .base import Kind

KINDS: dict[str, Kind] = {
    "generate": generate,
    "frame": frame,
    "inspect": inspect,
    "exec": exec,
    "assemble": assemble,
    "manifest": manifest,
    "report": report,
}
