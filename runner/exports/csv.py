"""CSV: the storyboard as a producer's shot list, one row a shot, for a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from typing import Any

from .. import sheet
from ..document import Document, Route
from ..errors import Problem, in_order
from ..prompt import Words
from ..storyboard import ID, Point, Shot, Storyboard
from ..template import spoken

COLUMNS = ("scene", "shot", "size", "lens", "move", "description", "seconds", "notes", "from", "to", "takes")
"""Always there, in this order; then those of the others that any shot has, then the free words as they appear."""
_MORE = ("scene title", "title", "clip", "review", "hold", "omit", "fit")


def write(board: Storyboard, words: Mapping[str, Words], seconds: Mapping[str, float]) -> str:
    """The list as CSV by RFC 4180, to be saved as UTF-8.

    Words are as the model gets them: templates are filled in. Seconds are those of the clip. What a spreadsheet would
    take for a formula gets an apostrophe before it (``sheet.guarded``), which an import takes away.
    """
    rows = _rows(board, words, seconds)
    used = dict.fromkeys(head for row in rows for head, text in row.items() if text)
    more = [name for name in _MORE if name in used]
    heads = [*COLUMNS, *more, *(head for head in used if head not in {*COLUMNS, *more})]
    out = io.StringIO()
    table = csv.DictWriter(out, heads, restval="", lineterminator="\r\n")
    table.writeheader()
    for row in rows:
        table.writerow({head: text for head, text in row.items() if head in used})
    return out.getvalue()


def left_out(board: Storyboard) -> list[Problem]:
    """A warning for everything of a storyboard that a list has no column for, and for templates that it has filled."""
    document = board.document
    top: list[Route] = [(key,) for key in document.data if key in _NO_COLUMN]
    for n, scene in enumerate(document.data["scenes"]):
        top += [("scenes", n, key) for key in scene if key not in {"scene", "title", "shots"}]
    shots = [
        (*shot.route, key) for shot in board.shots for key in _raw(document, shot) if key in _NO_COLUMN - {"notes"}
    ]
    told: dict[str, list[Route]] = {}
    for route in [*top, *shots]:
        holder = {1: "the storyboard", 3: "a scene", 5: "a shot"}[len(route)]
        told.setdefault(f"`{route[-1]}` of {holder} has no column in a list and is left out", []).append(route)
    filled = [shot.route for shot in board.shots if any("{{" in str(text) for text in shot.fields.values())]
    told |= {"the words of this shot are a template: the list has them filled in": filled} if filled else {}
    return in_order(
        Problem(_counted(fact, routes), None, document.key_place(routes[0]), "warning") for fact, routes in told.items()
    )


_NO_COLUMN = frozenset("values prompt negative films notes budget model with".split())


def _counted(fact: str, routes: list[Route]) -> str:
    return f"{fact} (and {len(routes) - 1} more)" if len(routes) > 1 else fact


def _raw(document: Document, shot: Shot) -> Mapping[str, Any]:
    raw: Any = document.data
    for step in shot.route:
        raw = raw[step]
    found: Mapping[str, Any] = raw
    return found


def _rows(board: Storyboard, words: Mapping[str, Words], seconds: Mapping[str, float]) -> list[dict[str, str]]:
    shots = _ids([shot.id for shot in board.shots], 4)
    scenes = _ids([shot.scene for shot in board.shots], 3)
    before: Shot | None = None
    rows = []
    for shot, name, scene in zip(board.shots, shots, scenes, strict=True):
        implied = Point("shot", before.id) if before is not None and before.scene == shot.scene else Point("cut")
        told = words[shot.id].fields
        row = {
            "size": told.get("size"), "lens": told.get("lens"), "move": told.get("camera"),
            "description": told.get("action"), "notes": shot.notes,
            "clip": shot.clip, "from": None if shot.begins == implied or shot.clip is not None else _point(shot.begins),
            "to": None if shot.ends is None else _point(shot.ends),
            "scene title": board.scene(shot.scene).title, "title": shot.title, "fit": shot.fit,
            **{sheet.header(key): value for key, value in told.items() if key not in _TOLD},
        }  # fmt: skip
        flags = {key: "yes" for key in ("review", "hold", "omit") if getattr(shot, key)}
        plain = {"scene": scene, "shot": name, "seconds": f"{seconds[shot.id]:g}", "takes": str(shot.takes), **flags}
        rows.append({**plain, **{head: sheet.guarded(_text(value)) for head, value in row.items()}})
        before = shot
    return rows


_TOLD = frozenset("size lens camera action".split())


def _ids(ids: list[str], width: int) -> list[str]:
    """Ids as cells: those that a reader would give zeros to are marked as they are."""
    read = sheet.numbers(ids, width)
    return [name if name == back else f"'{name}" for name, back in zip(ids, read, strict=True)]


def _point(point: Point) -> str:
    """As a storyboard has it; a picture whose path could be an id is written with its folder."""
    text = str(point)
    return f"./{text}" if point.origin == "image" and (ID.match(text.partition("@")[0]) or text == "cut") else text


def _text(value: Any) -> str:
    """A value as a cell has it, without white space around it and with one kind of line end."""
    try:
        text = spoken(value)
    except ValueError:
        text = json.dumps(value, ensure_ascii=False)
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()
