"""Fountain: a screenplay as plain text. Every paragraph of action becomes a shot; what is said stays with it.

The syntax is that of fountain.io: title page, scene headings with numbers, action, characters, parentheticals,
dialogue (dual too), lyrics, transitions, centered text, sections, synopses, notes, boneyard, page breaks, emphasis.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import Place, Problem, StoryError
from .base import Entry, Group, ShotList, shown, warning

HEADING_MAX = 200
"""Characters in a scene heading; a longer line is action."""

_HEADING = re.compile(r"(?:INT\.?/EXT|EXT\.?/INT|INT|EXT|EST|I\.?/E)(?:\.|\s).*", re.IGNORECASE)
_NUMBER = re.compile(r"\s*#([^\s#][^#]*)#\s*\Z")
_TRANSITION = re.compile(
    r"[A-Z][A-Z '/-]* TO:|(?:FADE|IRIS|CUT|DISSOLVE|WIPE)(?: (?:IN|OUT|TO BLACK|TO WHITE|UP|FROM BLACK))?[.:]|"
    r"(?:THE )?END\.?"
)
_TITLE_KEY = re.compile(r"([A-Za-z][A-Za-z ]{0,30}):\s*(.*)")
_BREAK = re.compile(r"={3,}\s*")
_NOTE = re.compile(r"\[\[((?:\n  (?=\n)|(?!\n[ \t]*\n|\[\[).)*?)\]\]", re.DOTALL)
_EMPHASIS = re.compile(r"(?<!\\)(\*{1,3})(?=[^\s*])(.{1,500}?)(?<=[^\s\\])\1")
_UNDERLINE = re.compile(r"(?<![\w\\])_(?=\S)(.{1,500}?)(?<=[^\s\\])_(?!\w)")
_ESCAPE = re.compile(r"\\([*_\\])")


@dataclass(frozen=True, slots=True)
class Line:
    """One line, without its notes and its boneyard. ``number`` counts from 1."""

    number: int
    text: str


@dataclass
class _Shot:
    place: Place
    action: str
    words: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass
class _Scene:
    place: Place
    number: str
    words: dict[str, str]
    shots: list[_Shot] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read(text: str, name: str) -> ShotList:
    """The shots of a screenplay. Raises StoryError where there is no action, no dialogue and no scene."""
    return _Script(text, name).read()


class _Script:
    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self.problems: list[Problem] = []
        self.emphasis: list[int] = []
        self.notes: list[tuple[int, str]] = []
        self.scenes: list[_Scene] = []
        self.front: list[str] = []
        """What is said before the first scene."""
        self.coming: dict[str, str] = {}
        """Words for the next scene: the section that it begins, and what that is about."""
        self.lines = self._lines(text)
        self.at = 0

    def tell(self, line: int, fact: str, remedy: str | None = None) -> None:
        self.problems.append(warning(Place(self.name, line, 1), fact, remedy))

    def _lines(self, text: str) -> list[Line]:
        """The lines without notes and boneyard; a line of which nothing is left is no line, not even an empty one."""

        buried = self._without_boneyard(text.replace("\0", ""))

        def note(found: re.Match[str]) -> str:
            line = buried.count("\n", 0, found.start()) + 1
            self.notes.append((line, " ".join(found[1].replace("\0", "").split())))
            return "\0" + "\n\0" * found[0].count("\n")

        noted = _NOTE.sub(note, buried)
        if (open_at := noted.find("[[")) >= 0:
            self.tell(noted.count("\n", 0, open_at) + 1, "[[ is opened here and never closed: it is read as text", "]]")
        made = []
        for number, line in enumerate(noted.split("\n"), 1):
            left = line.replace("\0", "")
            if left.strip() or "\0" not in line:
                made.append(Line(number, left.expandtabs(4).rstrip("\n")))
        return made

    def _without_boneyard(self, text: str) -> str:
        """The text without what stands between ``/*`` and ``*/``; a mark stays in its place, and its line ends."""
        pieces: list[str] = []
        at = line = 0
        while (start := text.find("/*", at)) >= 0:
            line += text.count("\n", at, start)
            end = text.find("*/", start + 2)
            if end < 0:
                self.tell(line + 1, "/* is opened here and never closed: it is read as text", "*/")
                break
            inside = text[start + 2 : end]
            self.tell(line + 1, f"the boneyard is left out: {shown(inside)}")
            breaks = inside.count("\n")
            pieces += [text[at:start], "\0" + "\n\0" * breaks]
            line += breaks
            at = end + 2
        return "".join([*pieces, text[at:]])

    # The walk

    def read(self) -> ShotList:
        title, about = self._title_page()
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if not line.text.strip():
                self.at += 1
                continue
            self._note_until(line.number)
            self._block(line, line.text.strip())
            self._note_until(self.lines[self.at - 1].number + 1)
        self._note_until(None)
        self.front += self.coming.values()
        for scene in self.scenes:
            self._at_least_one(scene)
        if not self.scenes:
            remedy = "a scene heading such as EXT. QUAY - DAWN, an empty line, and what happens"
            raise StoryError.of("the screenplay has no scene and no action", remedy, Place(self.name, 1, 1))
        if self.emphasis:
            more = f" (and {len(self.emphasis) - 1} more times)" if len(self.emphasis) > 1 else ""
            self.tell(self.emphasis[0], f"emphasis (*, **, _) is left out{more}")
        notes: dict[str, Any] = {**about, **({"script": "\n".join(self.front)} if self.front else {})}
        groups = tuple(_group(scene) for scene in self.scenes)
        return ShotList(groups, tuple(self.problems), title, notes or None, "{{ scene.title }}. ")

    def _note_until(self, line: int | None) -> None:
        """Put the notes before a line where they belong: to the shot, the scene, or the film."""
        while self.notes and (line is None or self.notes[0][0] < line):
            text = self.notes.pop(0)[1]
            if not text:
                continue
            scene = self.scenes[-1] if self.scenes else None
            (self.front if scene is None else scene.shots[-1].notes if scene.shots else scene.notes).append(text)

    def _title_page(self) -> tuple[str, dict[str, str]]:
        """The title, and everything else that stands on the title page."""
        found: dict[str, list[str]] = {}
        at = next((n for n, line in enumerate(self.lines) if line.text.strip()), len(self.lines))
        key = ""
        while at < len(self.lines) and (text := self.lines[at].text).strip():
            said = _TITLE_KEY.fullmatch(text.strip())
            goes_on = bool(key) and text.startswith((" ", "\t"))
            if said and not goes_on and not _TRANSITION.fullmatch(text.strip()):
                key, text = " ".join(said[1].lower().split()), said[2]
                found.setdefault(key, [])
            elif not key:
                return "", {}
            found[key] += [self._plain(text.strip(), self.lines[at].number)] * bool(text.strip())
            at += 1
        self.at = at if found else 0
        page = {key: "\n".join(lines) for key, lines in found.items() if lines}
        return " ".join(page.pop("title", "").split()), page

    def _block(self, line: Line, text: str) -> None:
        """One block of the script; what it is shows in how it begins."""
        if _BREAK.fullmatch(text):
            self.tell(line.number, "a page break has no meaning in a film and is left out")
        elif text.startswith("#"):
            self.coming["section"] = self._plain(text.lstrip("#").strip(), line.number)
        elif text.startswith("="):
            self._synopsis(self._plain(text[1:].strip(), line.number))
        elif re.match(r"\.[^\W_]", text):
            self._heading(line, text[1:])
        elif _HEADING.fullmatch(text) and len(text) <= HEADING_MAX:
            self._heading(line, text)
        elif text.startswith(">") and text.endswith("<") and len(text) > 1:
            self._aside(line, "centered", text[1:-1], "centered text becomes no shot")
        elif text.startswith(">"):
            self._transition(line, text[1:])
        elif text.startswith("~"):
            self._aside(line, "lyrics", text[1:], "")
        elif _TRANSITION.fullmatch(text) and not self._goes_on():
            self._transition(line, text)
        elif ((text.startswith("@") and len(text) > 1) or _is_character(text)) and self._goes_on():
            self._dialogue(line, text)
            return
        else:
            self._action(line)
            return
        self.at += 1

    def _goes_on(self) -> bool:
        """Whether the next line is not empty."""
        return self.at + 1 < len(self.lines) and bool(self.lines[self.at + 1].text)

    # The blocks

    def _heading(self, line: Line, text: str) -> None:
        number = ""
        if found := _NUMBER.search(text):
            number, text = found[1].strip(), text[: found.start()]
        words = {"title": " ".join(self._plain(text, line.number).split()), **self.coming}
        self.coming = {}
        self.scenes.append(_Scene(Place(self.name, line.number, 1), number, words))

    def _scene(self, line: Line) -> _Scene:
        if not self.scenes:
            self.scenes.append(_Scene(Place(self.name, line.number, 1), "", {**self.coming}))
            self.coming = {}
        return self.scenes[-1]

    def _synopsis(self, text: str) -> None:
        words = self.scenes[-1].words if self.scenes and not self.coming else self.coming
        words["synopsis"] = f"{words['synopsis']}\n{text}" if "synopsis" in words else text

    def _action(self, line: Line) -> None:
        """A paragraph of action: a shot. Its lines are joined."""
        scene = self._scene(line)
        pieces: list[str] = []
        while self.at < len(self.lines) and (text := self.lines[self.at].text.strip()):
            if pieces and (text[0] in "~>" or _BREAK.fullmatch(text)):
                break
            pieces.append(self._plain(text.removeprefix("!"), self.lines[self.at].number))
            self.at += 1
        words = " ".join(" ".join(pieces).split())
        if words:
            scene.shots.append(_Shot(Place(self.name, line.number, 1), words))

    def _dialogue(self, line: Line, text: str) -> None:
        """Who speaks, and what, until an empty line. A line of two blanks is a pause."""
        who = text.removeprefix("@").strip()
        if who.endswith("^"):
            who = who[:-1].strip()
            fact = f"{who} speaks at the same time as the one before: it is kept as words"
            self.tell(line.number, fact)
            who = f"{who} (at the same time)"
        self.at += 1
        said = []
        while self.at < len(self.lines) and self.lines[self.at].text:
            said.append(self._plain(self.lines[self.at].text.strip(), self.lines[self.at].number))
            self.at += 1
        words = " ".join(" ".join(said).split())
        self._shot_before(line, f"{self._plain(who, line.number)} speaks.").words.setdefault("dialogue", []).append(
            f"{self._plain(who, line.number)}: {words}"
        )

    def _shot_before(self, line: Line, action: str) -> _Shot:
        """The shot before a line in its scene; where there is none, one is made, and told."""
        scene = self._scene(line)
        if not scene.shots:
            fact = f"nothing happens in the scene before this line: a shot is made for it, {shown(action)}"
            self.tell(line.number, fact, "a paragraph of action before it")
            scene.shots.append(_Shot(Place(self.name, line.number, 1), action))
        return scene.shots[-1]

    def _aside(self, line: Line, key: str, text: str, fact: str) -> None:
        """Text that is no action: kept with the shot before it, or in the notes where there is none."""
        plain = self._plain(text.strip(), line.number)
        scene = self.scenes[-1] if self.scenes else None
        if scene is not None and scene.shots:
            scene.shots[-1].words.setdefault(key, []).append(plain)
            where = f"it is kept as the free word `{key}` of the shot before it"
        else:
            (self.front if scene is None else scene.notes).append(plain)
            fact, where = fact or f"{key} before any shot of the scene", "it is kept in the notes"
        if fact:
            self.tell(line.number, f"{fact}: {where}")

    def _transition(self, line: Line, text: str) -> None:
        name = text.strip()
        if name.upper().rstrip(":.") == "CUT TO":
            fact = ""
        else:
            fact = f"transition {shown(name)} is not made (shots are joined by cuts)"
        self._aside(line, "transition", name, fact)

    def _at_least_one(self, scene: _Scene) -> None:
        if not scene.shots:
            title = scene.words.get("title", "")
            self.tell(scene.place.line, "nothing happens in this scene: one shot shows the place")
            scene.shots.append(_Shot(scene.place, title or "The place."))

    def _plain(self, text: str, line: int) -> str:
        """Text without its emphasis, which is told."""
        made = text
        while (once := _UNDERLINE.sub(r"\1", _EMPHASIS.sub(r"\2", made))) != made:
            made = once
        if made != text and line not in self.emphasis:
            self.emphasis.append(line)
        return _ESCAPE.sub(r"\1", made)


def _is_character(text: str) -> bool:
    """Whether a line names who speaks: capitals, in any script, and perhaps something in brackets after them."""
    name, bracket, rest = text.rstrip("^ ").partition("(")
    return name.isupper() and (not bracket or rest.endswith(")"))


def _group(scene: _Scene) -> Group:
    words: Mapping[str, str] = {**scene.words, **({"notes": "\n".join(scene.notes)} if scene.notes else {})}
    return Group(scene.place, scene.number, words, tuple(_entry(shot) for shot in scene.shots))


def _entry(shot: _Shot) -> Entry:
    words = {"action": shot.action, **{key: "\n".join(lines) for key, lines in shot.words.items()}}
    return Entry(shot.place, "", {**words, **({"notes": "\n".join(shot.notes)} if shot.notes else {})})
