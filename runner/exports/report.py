"""The report: one page that shows every shot, every join and what they cost, and opens from disk with no network."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .graph import STATES, anchor, mark
from .words import clock, dollars, elide, flat, rate, signed, size, span

CELLS = 7
"""Thumbnails in a contact strip: the first three frames, the middle one, the last three."""
FIRST, MIDDLE, LAST = 0, 3, 6

COLOUR_WATCH, COLOUR_BAD = 2.0, 8.0
"""Code values by which a channel's mean may move at a join before it is worth a look, and before it is wrong."""

PROMPT_SHOWN = 700
"""Letters of a prompt that are shown before the rest folds away."""

# A transparent picture as the poster of every player: without one Chromium paints grey over the frame behind it.
_CLEAR = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"

_LEVELS = ("bad", "watch", "unmeasured", "clean")
_LIKENESS = ("broken", "suspect", "continuous", "repeat")
_VERDICTS = {
    "repeat": "The head is the frame handed on.",
    "continuous": "The picture goes on, redrawn a little.",
    "suspect": "The head differs from the frame handed on.",
    "broken": "The head is another picture.",
}
_FINDING_WORDS = ("fact", "text", "message", "finding", "says")

View = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cell:
    """One picture on the page: style classes that show a part of a strip, or a file beside the page, or nothing."""

    alt: str
    css: str = ""
    src: str = ""


def write(manifest: Mapping[str, Any], contacts: Mapping[str, bytes], graph_svg: str) -> bytes:
    """The report as one HTML file in UTF-8, to stand in the manifest's folder.

    ``contacts`` holds JPEG files by digest: for a clip's digest a contact strip (seven cells side by side: first three
    frames, the middle, last three), and, where there is one, for the digest of a picture or frame at a shot's end
    that picture alone. Each is embedded once. ``graph_svg`` is what ``graph.svg`` gives. Films and clips are links
    relative to the page. The same arguments give the same bytes.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    # Everything is escaped but what stands in Markup: our own style, our own drawings, base64.
    here = Path(__file__).parent
    env = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        loader=FileSystemLoader(here),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    page = _page(manifest, _Sheet(contacts))
    css = (here / "report.css").read_text(encoding="utf-8")
    html = env.get_template("report.html").render(
        page,
        style=Markup(css + page["strips"]),  # noqa: S704
        graph=Markup(graph_svg),  # noqa: S704
        clear=_CLEAR,
        marks={state: Markup(mark(state)) for state in STATES},  # noqa: S704
    )
    return html.encode("utf-8", "replace")  # a lone half of a surrogate pair can't be written


class _Sheet:
    """The pictures of the page: gives each a style class when it is first shown, so that its bytes stand there once."""

    def __init__(self, contacts: Mapping[str, bytes]) -> None:
        self._contacts = contacts
        self._classes: dict[str, str] = {}

    def strip(self, digest: str | None) -> str:
        """The class of a picture, empty where there is none."""
        if digest is None or digest not in self._contacts:
            return ""
        return self._classes.setdefault(digest, f"s{len(self._classes)}")

    def css(self) -> str:
        data = {
            name: base64.b64encode(self._contacts[digest]).decode("ascii") for digest, name in self._classes.items()
        }
        return "".join(
            f".{name}{{background-image:url(data:image/jpeg;base64,{text})}}\n" for name, text in data.items()
        )


def _page(manifest: Mapping[str, Any], sheet: _Sheet) -> View:
    shots: dict[str, Mapping[str, Any]] = {shot["shot"]: shot for shot in manifest["shots"]}
    joins, to_come = _joins(manifest, shots, sheet)
    links: dict[str, list[View]] = {}
    for join in joins:
        for end in (join["tail"], join["head"]):
            links.setdefault(end, []).append(join)
    views = {i: _shot(shot, shots, sheet, links.get(i, [])) for i, shot in shots.items()}
    page: View = {
        "manifest": manifest,
        "title": _title(manifest),
        "figures": _figures(manifest),
        "states": [(s, n) for s in STATES if (n := sum(view["state"] == s for view in views.values()))],
        "troubles": [view for view in views.values() if view["state"] != "current" or view["findings"]],
        "films": [_film(film, shots, sheet) for film in manifest["films"]],
        "joins": joins,
        "levels": [(level, n) for level in _LEVELS if (n := sum(join["level"] == level for join in joins))],
        "to_come": to_come,
        "scenes": _scenes(manifest, views),
        "ratio": next((_ratio(shot) for shot in shots.values() if "clip" in shot), "16/9"),
    }
    return page | {"strips": sheet.css()}


def _title(manifest: Mapping[str, Any]) -> str:
    title = str(manifest["storyboard"].get("title") or manifest["storyboard"]["id"])
    return f"{title} · {manifest['variant']['name']}" if "variant" in manifest else title


def _figures(manifest: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The totals, each with its name and a word beside it."""
    totals = manifest["totals"]
    figures = [
        ("Shots made", f"{totals['made']}", f"of {totals['shots']}"),
        ("Length", span(totals["seconds"]), "of chosen clips"),
        ("Takes", f"{totals['takes']}", "chosen and others"),
        ("Spent", dollars(totals["usd"]), "USD, all takes"),
    ]
    if manifest["rehearsal"] and totals.get("usd_if_bought") is not None:
        figures.append(("Would cost", dollars(totals["usd_if_bought"]), f"USD, {manifest['pipeline']['provider']}"))
    return figures


def _scenes(manifest: Mapping[str, Any], views: Mapping[str, View]) -> list[View]:
    titles = {scene["scene"]: scene.get("title", "") for scene in manifest["scenes"]}
    grouped: dict[str, list[View]] = {scene: [] for scene in titles}
    for view in views.values():
        grouped.setdefault(view["scene"], []).append(view)
    return [{"id": i, "title": titles.get(i, ""), "shots": group} for i, group in grouped.items() if group]


# --- films -----------------------------------------------------------------------------------------------------------


def _film(film: Mapping[str, Any], shots: Mapping[str, Mapping[str, Any]], sheet: _Sheet) -> View:
    entries: list[View] = []
    for entry in film["entries"]:
        shot = shots.get(entry["shot"], {})
        shown = entry["out"] - entry["in"]
        entries.append(
            {
                "shot": entry["shot"],
                "anchor": anchor(entry["shot"]),
                "slate": entry.get("slate", False),
                "at": clock(entry["at"]) if "at" in entry else "",
                "said": f"frames {entry['in']} to {entry['out'] - 1}" if shown > 0 else "no frames",
                "cell": _of_clip(shot, sheet, MIDDLE, f"Shot {entry['shot']}, middle frame"),
            }
        )
    facts = [
        clock(film["duration"]) if "duration" in film else "",
        f"{film['frames']:,} frames" if "frames" in film else "",
        size(film["bytes"]) if "bytes" in film else "",
        {True: "pictures copied, not encoded again", False: "pictures encoded again"}.get(film.get("copied", ""), ""),
    ]
    opening = shots.get(entries[0]["shot"], {}) if entries else {}
    return {
        "id": film["film"],
        "title": film.get("title") or film["film"],
        "href": _link(film.get("path")),
        "path": film.get("path", ""),
        "facts": [fact for fact in facts if fact],
        "notes": film.get("notes", []),
        "entries": entries,
        "ratio": _ratio(opening),
        "behind": _of_clip(opening, sheet, FIRST, "").css,
        "poster": _link(opening.get("frames", {}).get("first", {}).get("path")),
    }


# --- joins -----------------------------------------------------------------------------------------------------------


def _joins(
    manifest: Mapping[str, Any], shots: Mapping[str, Mapping[str, Any]], sheet: _Sheet
) -> tuple[list[View], list[View]]:
    """Every place where a shot goes on from another, worst first; and those that can't be seen yet, in film order."""
    told: dict[tuple[str, str], Mapping[str, Any]] = {}
    for film in manifest["films"]:
        for join in film["joins"]:
            if join["continues"]:
                told.setdefault((join["tail"], join["head"]), join)
    # A branch continues a shot that need not be its neighbour in any film: it is measured on receipt all the same.
    for shot in shots.values():
        if shot["from"]["origin"] == "shot" and "shot" in shot["from"]:
            pair = (shot["from"]["shot"], shot["shot"])
            told.setdefault(pair, {"tail": pair[0], "head": pair[1]} | _on_receipt(shot))
    order = {i: n for n, i in enumerate(shots)}
    pairs = sorted(told, key=lambda pair: (order.get(pair[1], -1), order.get(pair[0], -1)))
    seen = [pair for pair in pairs if all("clip" in shots.get(end, {}) for end in pair)]
    to_come = [_names(*pair) for pair in pairs if pair not in seen]
    return sorted((_join(told[pair], shots, sheet) for pair in seen), key=lambda join: join["badness"]), to_come


def _on_receipt(shot: Mapping[str, Any]) -> View:
    """What inspection measured when the clip arrived: its head against the frame it was given, and the drift."""
    inspect = shot.get("inspect", {})
    found = {"measured": inspect.get("head"), "drift": inspect.get("drift")}
    return {name: value for name, value in found.items() if isinstance(value, Mapping)}


def _names(tail: str, head: str) -> View:
    return {"tail": tail, "head": head, "tail_anchor": anchor(tail), "head_anchor": anchor(head)}


def _join(join: Mapping[str, Any], shots: Mapping[str, Mapping[str, Any]], sheet: _Sheet) -> View:
    tail, head = shots[join["tail"]], shots[join["head"]]
    measured, drift = join.get("measured", {}), join.get("drift", {})
    likeness = measured.get("likeness", "")
    shift = max((abs(value) for value in measured.get("colour", [0.0])), default=0.0)
    level = _level(likeness, shift)
    rank = _LIKENESS.index(likeness) if likeness in _LIKENESS else len(_LIKENESS)
    psnr = measured.get("psnr")
    badness = (_LEVELS.index(level), rank, measured.get("ssim", 1.0), -shift, float("inf") if psnr is None else psnr)
    frame = head["from"].get("frame", "last") if head["from"].get("shot") == tail["shot"] else "last"
    return _names(tail["shot"], head["shot"]) | {
        "id": f"join-{anchor(tail['shot'])[5:]}:{anchor(head['shot'])[5:]}",
        "level": level,
        "badness": badness,
        "likeness": likeness or "not measured",
        "said": _verdict(likeness, shift, once=join.get("shown_once") is True),
        "frame": frame,
        "index": tail.get("frames", {}).get(frame, {}).get("index"),
        "ratio": _ratio(tail),
        "before": [
            _of_clip(
                tail,
                sheet,
                LAST - back,
                f"{tail['shot']}, {_ORDINALS[back]} frame from the end" if back else f"{tail['shot']}, last frame",
            )
            for back in (2, 1, 0)
        ],
        "handed": _handed(head["from"], tail, frame, sheet),
        "after": [_of_clip(head, sheet, n, f"{head['shot']}, frame {n + 1}") for n in range(3)],
        "metrics": _metrics(measured, drift, head.get("root", "")),
    }


_ORDINALS = ("last", "second", "third")


def _level(likeness: str, shift: float) -> str:
    if not likeness:
        return "unmeasured"
    if likeness == "broken" or shift >= COLOUR_BAD:
        return "bad"
    return "watch" if likeness == "suspect" or shift > COLOUR_WATCH else "clean"


def _verdict(likeness: str, shift: float, *, once: bool) -> str:
    words = [_VERDICTS.get(likeness, "Nothing was measured here.")]
    words += [f"Its colour moved by {shift:.1f} code values."] if shift > COLOUR_WATCH else []
    words += ["The film shows it once."] if once else []
    return " ".join(words)


def _metrics(measured: Mapping[str, Any], drift: Mapping[str, Any], root: str) -> list[View]:
    """What was measured, as words: name, value, and how far a colour moved."""
    rows: list[View] = []
    if "psnr" in measured:
        psnr = measured["psnr"]
        rows.append({"name": "PSNR", "value": "equal" if psnr is None else f"{psnr:.1f} dB", "level": ""})
    if "ssim" in measured:
        rows.append({"name": "SSIM", "value": f"{measured['ssim']:.3f}", "level": ""})
    against = f" against {root}" if root else ""
    for values, luma, colour in (
        (measured, "Luma shift", "Colour shift"),
        (drift, f"Luma drift{against}", f"Colour drift{against}"),
    ):
        if "luma" in values:
            rows.append({"name": luma, "value": signed(values["luma"]), "level": _moved([values["luma"]])})
        if "colour" in values:
            value = "  ".join(f"{c}\u00a0{signed(v)}" for c, v in zip("RGB", values["colour"], strict=False))
            rows.append({"name": colour, "value": value, "level": _moved(values["colour"])})
    return rows


def _moved(values: Sequence[float]) -> str:
    shift = max(map(abs, values))
    return "bad" if shift >= COLOUR_BAD else "watch" if shift > COLOUR_WATCH else ""


# --- shots -----------------------------------------------------------------------------------------------------------


def _cost(shot: Mapping[str, Any]) -> str:
    """What a shot cost; in a rehearsal, what it would."""
    if shot.get("usd") is not None:
        return dollars(shot["usd"])
    return f"would cost {dollars(shot['usd_if_bought'])}" if shot.get("usd_if_bought") is not None else ""


def _shot(shot: Mapping[str, Any], shots: Mapping[str, Mapping[str, Any]], sheet: _Sheet, joins: list[View]) -> View:
    name = shot["shot"]
    clip = shot.get("final") or shot.get("clip")
    taken = shot.get("clip")
    prompt = shot.get("prompt", "")
    return {
        "id": name,
        "anchor": anchor(name),
        "scene": shot["scene"],
        "title": shot.get("title", ""),
        "state": shot["state"],
        "reason": shot.get("reason", ""),
        "take": _take(shot),
        "length": span(shot["seconds"]) if "seconds" in shot else "",
        "cost": _cost(shot),
        "ratio": _ratio(shot),
        "made": clip is not None,
        "cells": [
            (said, _of_clip(shot, sheet, n, f"Shot {name}, {said} frame"))
            for said, n in (("first", FIRST), ("middle", MIDDLE), ("last", LAST))
        ],
        "href": _link(clip.get("path")) if clip else "",
        "original": _link(taken.get("path")) if taken and "final" in shot else "",
        "clip": _clip_words(clip) if clip else [],
        "prompt": prompt,
        "excerpt": elide(prompt, PROMPT_SHOWN // 2) if len(prompt) > PROMPT_SHOWN else "",
        "negative": shot.get("negative", ""),
        "ends": [
            _end(word, shot[field], shots, sheet) | _fit(shot.get("inspect", {}).get(measured))
            for word, field, measured in _ENDS
            if field in shot
        ],
        "depth": shot["depth"],
        "root": shot.get("root", ""),
        "root_anchor": anchor(shot.get("root", "")),
        "facts": _facts(shot),
        "findings": _findings(shot.get("inspect", {})),
        "record": _record(shot),
        "fields": list(flat(shot["fields"])),
        "notes": list(flat(shot["notes"])) if shot.get("notes") else [],
        "alternates": [_alternate(name, alternate, sheet) for alternate in shot.get("alternates", [])],
        "request": _pretty(shot.get("request")),
        "response": _pretty(shot.get("response")),
        "joins": joins,
    }


# The word for an end, its field in the manifest, and where inspection keeps how near the clip came to it.
_ENDS = (("Begins on", "from", "head"), ("Ends on", "to", "foot"))


def _fit(found: object) -> View:
    """How near a clip came to the picture it was given for an end."""
    if not isinstance(found, Mapping):
        return {"fit": "", "level": ""}
    likeness, shift = str(found.get("likeness", "")), max((abs(c) for c in found.get("colour", [0.0])), default=0.0)
    words = [likeness, *(f"{row['name']} {row['value']}" for row in _metrics(found, {}, "")[:2])]
    return {"fit": " · ".join(filter(None, words)), "level": _level(likeness, shift)}


def _end(word: str, end: Mapping[str, Any], shots: Mapping[str, Mapping[str, Any]], sheet: _Sheet) -> View:
    """What a shot begins or ends on, in words, with its picture where there is one."""
    origin, other, frame = end["origin"], end.get("shot", ""), end.get("frame", "last")
    cell = Cell("")
    if origin == "shot":
        cell = _handed(end, shots.get(other, {}), frame, sheet)
    elif sheet.strip(end.get("digest")):
        cell = Cell(f"{word}: {end.get('image', 'a picture')}", "whole " + sheet.strip(end.get("digest")))
    return {
        "word": word,
        "origin": origin,
        "shot": other,
        "anchor": anchor(other),
        "frame": _frame_words(frame),
        "image": end.get("image", ""),
        "digest": end.get("digest", "")[:12],
        "cell": cell,
    }


def _frame_words(frame: str) -> str:
    return f"the frame at {frame.removesuffix('s')} s" if frame[:1].isdigit() else f"the {frame} frame"


def _take(shot: Mapping[str, Any]) -> str:
    if "take" not in shot:
        return ""
    wanted = max(shot.get("wanted", 1), shot["take"], 1 + len(shot.get("alternates", [])))
    return f"take {shot['take']} of {wanted}" + (", circled" if shot.get("circled") else "")


def _facts(shot: Mapping[str, Any]) -> list[tuple[str, str]]:
    maker = " · ".join(filter(None, (shot.get("provider", ""), shot.get("model", ""))))
    made = ("Made by", maker) if "footage" not in shot else ("Own footage", shot["footage"]["path"])
    return [(name, value) for name, value in (made, ("Key", shot.get("key", "")[:12])) if value]


_RECORDED = ("key", "task_uuid", "video_uuid", "seed", "clip", "final", "frames", "inspect")


def _record(shot: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Everything else that the manifest tells of a shot, name by name: digests, UUIDs, colour tags, measurements."""
    told = {name: shot[name] for name in _RECORDED if shot.get(name) is not None}
    if "inspect" in told:  # its findings stand at the head of the shot, and `asked` is a part of them
        told["inspect"] = {name: value for name, value in told["inspect"].items() if name not in {"findings", "asked"}}
    return list(flat(told))


def _alternate(shot: str, alternate: Mapping[str, Any], sheet: _Sheet) -> View:
    css = sheet.strip(alternate["clip"])
    said = [alternate["clip"][:12]]
    said += [f"seed {alternate['seed']}"] if alternate.get("seed") is not None else []
    said += [dollars(alternate["usd"])] if alternate.get("usd") is not None else []
    cells = [Cell(f"Shot {shot}, take {alternate['take']}, frame", f"{css} c{n}") for n in (FIRST, MIDDLE, LAST)]
    return {
        "take": alternate["take"],
        "said": said,
        "href": _link(alternate.get("path")),
        "cells": cells if css else [],
    }


def _findings(inspect: Mapping[str, Any]) -> list[View]:
    """What inspection found: texts, or objects with a level and their words."""
    found: list[View] = []
    for finding in inspect.get("findings", []):
        if isinstance(finding, Mapping):
            words = next((str(finding[key]) for key in _FINDING_WORDS if key in finding), json.dumps(dict(finding)))
            found.append({"level": str(finding.get("level", finding.get("severity", "warning"))), "said": words})
        else:
            found.append({"level": "warning", "said": str(finding)})
    return found


# --- pictures --------------------------------------------------------------------------------------------------------


def _of_clip(shot: Mapping[str, Any], sheet: _Sheet, cell: int, alt: str) -> Cell:
    """A cell of the shot's contact strip; nothing where the shot has no clip or the clip no strip."""
    css = sheet.strip(shot.get("clip", {}).get("digest")) or sheet.strip(shot.get("final", {}).get("digest"))
    return Cell(alt, f"{css} c{cell}") if css else Cell(alt)


def _handed(end: Mapping[str, Any], giver: Mapping[str, Any], frame: str, sheet: _Sheet) -> Cell:
    """The frame that one shot hands to another: alone where it was given, else out of the strip, else from its file."""
    alt = f"{_frame_words(frame)} of {giver.get('shot', 'another shot')}"
    alone = sheet.strip(end.get("digest"))
    if alone:
        return Cell(alt, f"whole {alone}")
    if frame in {"first", "last"}:
        return _of_clip(giver, sheet, FIRST if frame == "first" else LAST, alt)
    return Cell(alt, src=_link(giver.get("frames", {}).get(frame, {}).get("path")))


def _ratio(shot: Mapping[str, Any]) -> str:
    clip = shot.get("final") or shot.get("clip") or {}
    return f"{int(clip['width'])}/{int(clip['height'])}" if clip.get("width") and clip.get("height") else "16/9"


def _link(path: str | None) -> str:
    """A link to a file beside the page. Quoting leaves no scheme and no host, so it can't lead anywhere else."""
    return "" if not path else ("." if path.startswith("/") else "") + quote(path, safe="/")


# --- words -----------------------------------------------------------------------------------------------------------


def _clip_words(clip: Mapping[str, Any]) -> list[str]:
    kind = " in ".join(filter(None, (clip.get("codec", ""), clip.get("container", ""))))
    words = [
        f"{clip['width']}×{clip['height']}",  # noqa: RUF001
        f"{rate(clip['rate'])} fps",
        f"{clip['frames']} frames",
        span(clip["duration"]),
        kind,
        size(clip["bytes"]),
    ]
    return [word for word in words if word]


def _pretty(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) if value else ""
