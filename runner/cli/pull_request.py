"""A diff as Markdown for a pull request: a table with the cost, and the words folded beneath it."""

from __future__ import annotations

import re

from ..diff import Diff, ShotDiff
from ..exports.words import elide, wordwise
from ..key import Change
from . import differences as said
from . import options

ROWS_MAX = 200
"""Shots in the table; those behind are counted."""
LETTERS_MAX = 50_000
"""Letters of words and settings. GitHub takes 65,536 in a comment."""
_ACTION_MAX = 70


def text(diff: Diff) -> str:
    """The diff as Markdown, ending on a line break. What people wrote in the storyboard is shown, never obeyed."""
    parts = [f"### {escaped(diff.title)}", "", _summary(diff), ""]
    if diff.existed and diff.old.file != diff.new.file:
        parts += [f"The storyboard was {_code(diff.old.file)}, is {_code(diff.new.file)}.", ""]
    parts += [" ".join(escaped(line) for line in said.bill(diff)), ""]
    if diff.told:
        parts += [*_table(diff), ""]
    for title, changes in (
        ("The storyboard", diff.board), ("The pipeline", diff.pipeline), ("Every shot that was there", diff.shared),
    ):  # fmt: skip
        if changes:
            parts += _folded(title, [_line(change) for change in changes])
    parts += _details(diff)
    return "\n".join(parts).rstrip("\n") + "\n"


def _summary(diff: Diff) -> str:
    line = escaped(said.headline(diff))
    new = "" if diff.new.commit is None else f", now at {_code(diff.new.name)}"
    return f"**{line}**, since {_code(diff.old.name)}{new}." if diff.existed else f"**{line}**."


def _table(diff: Diff) -> list[str]:
    priced = not diff.bill.draws
    lines = ["| | shot | what | state |" + (" cost |" if priced else ""), "|-|-|-|-|" + ("-:|" if priced else "")]
    for shot in diff.told[:ROWS_MAX]:
        what = escaped(said.what(shot))
        if shot.fate == "added" and shot.action:
            what += f"<br>{escaped(elide(shot.action, _ACTION_MAX))}"
        row = f"| {_mark(shot)} | {_code(shot.shot)} | {what} | {said.state(shot)} |"
        lines.append(row + (f" {escaped(said.price(diff, shot))} |" if priced else ""))
    if len(diff.told) > ROWS_MAX:
        lines.append(
            f"| | | … and {options.count(len(diff.told) - ROWS_MAX, 'more shot')} | |" + (" |" if priced else "")
        )
    return lines


def _mark(shot: ShotDiff) -> str:
    if shot.fate != "kept":
        return "\\+" if shot.fate == "added" else "−"  # noqa: RUF001 - a hyphen alone would begin a list
    return {"direct": "\\~", "inherited": "↳", "none": "="}[shot.effect]


def _details(diff: Diff) -> list[str]:
    lines: list[str] = []
    left, shown, hidden = LETTERS_MAX, 0, 0
    for shot in diff.told:
        changes = [change for change in (*shot.loud, *shot.quiet) if change not in diff.shared]
        if not changes:
            continue
        causes = said.causes(shot)
        block = [f"{_code(shot.shot)}", "", *(_line(change, causes) for change in changes), ""]
        left -= sum(map(len, block))
        if left < 0:
            hidden += 1
            continue
        shown += 1
        lines += block
    if hidden:
        lines.append(f"… and {options.count(hidden, 'more shot')}: `matchcut diff {diff.old.name}`")
    return _folded(f"Words and settings of {options.count(shown + hidden, 'shot')}", lines) if lines else []


def _folded(title: str, lines: list[str]) -> list[str]:
    return ["<details>", f"<summary>{title}</summary>", "", *lines, *([""] if lines[-1] else []), "</details>", ""]


def _line(change: Change, causes: list[str] | None = None) -> str:
    name = f"{escaped(change.field)}"
    if causes and change.field == "prompt":
        name += f" ({', '.join(map(_code, causes))})"
    if isinstance(change.old, str) and isinstance(change.new, str) and " " in change.old + change.new:
        return f"- {name}: {_words(change.old, change.new)}"
    old, new = (escaped(said.value(change.field, value)) for value in (change.old, change.new))
    return f"- {name}: {old} → {new}"


def _words(old: str, new: str) -> str:
    marks = {"same": "", "gone": "~~", "come": "**"}
    return " ".join(f"{marks[kind]}{escaped(piece)}{marks[kind]}" for kind, piece in wordwise(old, new))


def _code(text_: str) -> str:
    """A name as code, whatever backticks it holds."""
    longest = max((len(run) for run in re.findall(r"`+", text_)), default=0)
    fence, space = "`" * (longest + 1), " " if longest else ""
    return f"{fence}{space}{text_.replace('|', chr(92) + '|')}{space}{fence}"


_SPECIAL = re.compile(r"[\\`*_~|<>\[\]&$]")
_CALLS = re.compile(r"([@#])(?=\w)|(?<=\w)(://)|\b(GH)(?=-\d)|\b(www)(?=\.)", re.IGNORECASE)


def escaped(text_: str) -> str:
    """Text as it stands, on one line: no markup, no HTML, nobody called by name, nothing linked."""
    line = " ".join(text_.split())
    line = _SPECIAL.sub(lambda hit: "&lt;" if hit[0] == "<" else "&amp;" if hit[0] == "&" else f"\\{hit[0]}", line)
    return _CALLS.sub(lambda hit: f"{hit[0]}<!-- -->", line)
