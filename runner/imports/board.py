"""A shot list made into a storyboard: ids that are legal, lengths that the model offers, and words that stay words."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import Any

from ..errors import Place, Problem, in_order
from ..storyboard import DEVICES, ID, SELECTOR, UUID
from . import seconds
from .base import Entry, Group, ShotList, shown, warning
from .target import Target

ORDER = tuple("title clip from to size camera lens action duration takes review hold omit fit".split())
"""The fields of a shot in the order in which people write them; free words follow, notes come last."""

NO_WORDS = "No description."
FIELD_MAX = 200
"""Characters of a field that goes into a prompt besides the action, where the prompt grows too long."""
_WHOLE = Decimal(10**6)
"""Seconds that own footage may be long, where the list does not say."""
_YES = frozenset("yes y true x 1 on ja oui si sí ✓ ✔".split())
_NO = frozenset("no n false 0 off - nein non".split())
_OPENS = re.compile(r"\{(?=[{%#])")
_PIECES = (
    ("size", "{{ shot.size }}: ", "{{% if shot.{0} is defined %}}{1}{{% endif %}}"),
    ("action", "{{ shot.action }}", ""),
    ("camera", " Camera: {{ shot.camera }}.", "{{% if shot.{0} is defined %}}{1}{{% endif %}}"),
    ("lens", " Lens: {{ shot.lens }}.", "{{% if shot.{0} is defined %}}{1}{{% endif %}}"),
)


@dataclass(frozen=True, slots=True)
class Imported:
    """A storyboard's document as plain data, and a warning for everything of the list that is not in it, or changed."""

    data: dict[str, Any]
    problems: tuple[Problem, ...]

    @property
    def shots(self) -> int:
        return sum(len(scene["shots"]) for scene in self.data["scenes"])


def build(listed: ShotList, target: Target, name: str, *, is_file: Callable[[str], bool] = lambda _: False) -> Imported:
    """The storyboard that a list describes, such that `check` accepts it for the target.

    ``name`` is its id where the list has no title. ``is_file`` says whether a path in the project is a file.
    """
    return _Builder(listed, target, is_file).build(name)


def legal(text: str) -> str:
    """The legal id that is nearest to a text; "" where nothing is left of it."""
    if ID.match(text) and text.casefold() not in DEVICES:
        return text
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    made = re.sub(r"[^A-Za-z0-9_]+", "-", plain).strip("-_")[:40].rstrip("-_")
    return f"{made}-1" if made.casefold() in DEVICES else made


def literal(text: str) -> str:
    """A text for a storyboard that is rendered as it is, whatever braces it has."""
    return _OPENS.sub('{{ "{" }}', text)


@dataclass
class _Builder:
    listed: ShotList
    target: Target
    is_file: Callable[[str], bool]
    problems: list[Problem] = field(default_factory=list)
    often: dict[tuple[str, str | None], list[Place]] = field(default_factory=lambda: defaultdict(list))
    """What is told once, with all the places where it is so."""
    ids: dict[tuple[int, int], str] = field(default_factory=dict)
    names: dict[str, list[tuple[int, str]]] = field(default_factory=lambda: defaultdict(list))
    """What a shot is called in the list, to its scene and its id."""

    def tell(self, place: Place, fact: str, remedy: str | None = None) -> None:
        self.problems.append(warning(place, fact, remedy))

    def build(self, name: str) -> Imported:
        listed = self.listed
        scene_ids = self._scene_ids()
        self._shot_ids(scene_ids)
        entries = [(n, m, shot) for n, group in enumerate(listed.scenes) for m, shot in enumerate(group.shots)]
        lengths = {self.ids[n, m]: self._length(shot) for n, m, shot in entries}
        asked = Counter(lengths[self.ids[n, m]] for n, m, shot in entries if not self._own(shot))
        usual = asked.most_common(1)[0][0] if asked else self.target.usual
        shots = {self.ids[n, m]: self._shot(n, m, shot, lengths, usual) for n, m, shot in entries}
        self._no_circles(shots)
        scenes = [
            self._scene(group, scene_ids[n], [shots[self.ids[n, m]] for m in range(len(group.shots))])
            for n, group in enumerate(listed.scenes)
        ]
        data: dict[str, Any] = {"storyboard": legal((listed.title or name).lower()) or "storyboard"}
        data |= {"title": listed.title} if listed.title else {}
        data |= {"notes": listed.notes} if listed.notes else {}
        data |= {"pipeline": self.target.pipeline, "prompt": self._prompt(list(shots.values()), scenes)}
        data |= {"defaults": {"duration": _number(usual)}, "scenes": scenes}
        return Imported(data, tuple(in_order([*listed.problems, *self.problems, *self._told_often()])))

    def _told_often(self) -> list[Problem]:
        told = []
        for (fact, remedy), places in self.often.items():
            lines = ", ".join(str(place.line) for place in places[1:9]) + (" …" if len(places) > 9 else "")
            plural = "lines" if len(places) > 2 else "line"
            told.append(warning(places[0], f"{fact} (also in {plural} {lines})" if places[1:] else fact, remedy))
        return told

    # Ids

    def _scene_ids(self) -> list[str]:
        groups = self.listed.scenes
        taken: set[str] = {legal(group.number).casefold() for group in groups}
        seen: dict[str, Place] = {}
        made: list[str] = []
        last = 0
        for group in groups:
            name = legal(group.number) or _next(last, 3, taken)
            if group.number and legal(group.number) != group.number:
                self.tell(group.place, f'scene {shown(group.number)} is no id: it is "{name}"')
            if (first := seen.get(name.casefold())) is not None:
                other = _free(name, taken)
                fact = f'scene "{name}" was there in line {first.line}, and comes again: here it is "{other}"'
                self.tell(group.place, fact, "its shots one after the other, if the order of the film allows it")
                name = other
            seen[name.casefold()] = group.place
            taken.add(name.casefold())
            last = int(name) if name.isdigit() else last
            made.append(name)
        return made

    def _shot_ids(self, scenes: list[str]) -> None:
        groups = self.listed.scenes
        within = self._counts_within_scenes(scenes)
        taken: set[str] = set()
        for n, group in enumerate(groups):
            taken |= {self._wanted(scenes[n], shot, within).casefold() for shot in group.shots}
        numbered = any(shot.number for group in groups for shot in group.shots)
        seen: dict[str, Place] = {}
        last = 0
        for n, group in enumerate(groups):
            for m, shot in enumerate(group.shots):
                name = self._wanted(scenes[n], shot, within)
                if not name:
                    name = _next(last, 4, taken)
                    if numbered and not shot.number:
                        self.tell(shot.place, f'the shot has no number: it is "{name}"')
                name = self._single(shot, name, seen, taken, within)
                seen[name.casefold()] = shot.place
                taken.add(name.casefold())
                last = int(name) if name.isdigit() else last
                self.ids[n, m] = name
                self.names[shot.number.casefold()].append((n, name))

    def _wanted(self, scene: str, shot: Entry, within: bool) -> str:
        name = legal(shot.number)
        return legal(f"{scene}-{name}") if within and name else name

    def _single(self, shot: Entry, name: str, seen: Mapping[str, Place], taken: set[str], within: bool) -> str:
        """The id of a shot, another one where it is taken; what differs from the list is told."""
        if (first := seen.get(name.casefold())) is not None:
            other = _free(name, taken)
            self.tell(shot.at("number"), f'shot "{name}" is there already in line {first.line}: this one is "{other}"')
            return other
        if shot.number and legal(shot.number) != shot.number and not within:
            self.tell(shot.at("number"), f'shot {shown(shot.number)} is no id: it is "{name}"')
        return name

    def _counts_within_scenes(self, scenes: list[str]) -> bool:
        """Whether shots are numbered anew in every scene, so that only scene and shot together name one."""
        before: set[str] = set()
        again = 0
        first: Place | None = None
        for group in self.listed.scenes:
            own = {legal(shot.number).casefold() for shot in group.shots} - {""}
            if own & before:
                again += 1
                first = first or next(s for s in group.shots if legal(s.number).casefold() in before).at("number")
            before |= own
        if first is None or again * 2 < len(scenes) - 1:
            return False
        shot = next(shot for group in self.listed.scenes for shot in group.shots if legal(shot.number))
        fact = "shots are counted anew in every scene, and an id is unique in a storyboard"
        self.tell(first, f'{fact}: they are called "{legal(f"{scenes[0]}-{shot.number}")}" and so on')
        return True

    # Shots

    def _scene(self, group: Group, name: str, shots: list[dict[str, Any]]) -> dict[str, Any]:
        made: dict[str, Any] = {"scene": name}
        title = group.words.get("title", "" if legal(group.number) == group.number else group.number)
        if title:
            made["title"] = literal(title) if "scene." in self.listed.prompt else title
        made |= {key: literal(text) for key, text in group.words.items() if key not in {"title", "notes"}}
        made |= {"notes": group.words["notes"]} if "notes" in group.words else {}
        return {**made, "shots": shots}

    def _shot(self, n: int, m: int, shot: Entry, lengths: Mapping[str, Decimal], usual: Decimal) -> dict[str, Any]:
        name = self.ids[n, m]
        words = dict(shot.words)
        if legal(shot.number) != shot.number and "title" not in words:
            words["title"] = shot.number
        if self._own(shot):
            return self._footage(name, words, shot)
        made: dict[str, Any] = {}
        if text := words.pop("clip", ""):
            words["column_clip"] = text
            fact = f"clip {shown(text)} is no file here: it is kept as the free word `column_clip`"
            self.tell(shot.at("clip"), fact, "the path of a clip from where the storyboard will be")
        for key in ("from", "to"):
            if key in words and (point := self._point(key, words.pop(key), n, shot, lengths)) is not None:
                made[key] = point
        made |= self._settings(words, shot)
        if lengths[name] != usual:
            made["duration"] = _number(lengths[name])
        notes = words.pop("notes", "")
        title = words.pop("title", "")
        scene = self.listed.scenes[n].words.get("title", "")
        self._describe(shot, words, title, len(scene) + 2 if self.listed.prompt else 0)
        made |= {key: literal(text) for key, text in words.items()}
        made |= {"title": title} if title else {}
        if shot.seconds and not self._kept(shot.seconds, lengths[name]):
            made.setdefault("planned_seconds", literal(shot.seconds))
        first = {key: made[key] for key in ORDER if key in made}
        return {"shot": name, **first, **made, **({"notes": notes} if notes else {})}

    def _own(self, shot: Entry) -> bool:
        """Whether a shot is the author's own footage: it names a clip that is there."""
        return bool(shot.words.get("clip")) and self.is_file(shot.words["clip"])

    def _footage(self, name: str, words: dict[str, str], shot: Entry) -> dict[str, Any]:
        """A shot of own footage: what only a model could follow is told and left out. Its length is the file's."""
        made: dict[str, Any] = {"shot": name, **({"title": words.pop("title")} if words.get("title") else {})}
        made["clip"] = words.pop("clip")
        notes = words.pop("notes", "")
        for key in ("from", "to", "takes", "review", "hold", "fit"):
            text = words.pop(key, "")
            if text and text.casefold() not in {*_NO, "1", "cut"}:
                self.tell(shot.at(key), f"the shot is own footage: `{key}` {shown(text)} is left out")
        if words.pop("omit", "").casefold() in _YES:
            made["omit"] = True
        words = {key: text for key, text in words.items() if text and key != "title"}
        made |= {key: literal(text) for key, text in words.items()}
        return {**made, **({"notes": notes} if notes else {})}

    def _describe(self, shot: Entry, words: dict[str, str], title: str, around: int) -> None:
        """See that there is an action, and that the prompt is as long as the model allows."""
        target = self.target
        if not words.get("action"):
            words["action"] = title or NO_WORDS
            instead = "its title" if title else f'"{NO_WORDS}"'
            self.tell(shot.place, f"the shot has no description: {instead} stands for it", "action: what happens")
        if self._extra(words, around) + len(words["action"]) > target.prompt_max:
            for key in ("size", "camera", "lens"):
                if len(words.get(key, "")) > FIELD_MAX:
                    fact = f"{key} is longer than {FIELD_MAX} characters: it is kept as the free word `{key}_long`"
                    self.tell(shot.at(key), fact)
                    words[f"{key}_long"] = words.pop(key)
        most, text = max(target.prompt_max - self._extra(words, around), 1), words["action"]
        if len(text) > most:
            cut = text.rfind(" ", most // 2, most)
            words["action"], words["action_more"] = (
                text[: max(cut, 0) or most].rstrip(),
                text[max(cut, 0) or most :].strip(),
            )
            fact = f"the prompt would be longer than the {target.prompt_max:,} characters that {target.model} takes"
            self.tell(
                shot.at("action"), f"{fact}: the rest of it is kept as the free word `action_more`", "several shots"
            )
        elif len(text) < target.prompt_min:
            words["action"] = text.ljust(target.prompt_min, ".")
            self.tell(shot.at("action"), f"the description {shown(text)} is too short for {target.model}", "more words")

    def _extra(self, words: Mapping[str, str], around: int) -> int:
        """What a prompt has besides the action, in characters at most."""
        return around + sum(len(words[key]) + 12 for key in ("size", "camera", "lens") if key in words)

    def _settings(self, words: dict[str, str], shot: Entry) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key in ("review", "hold", "omit"):
            text = words.pop(key, "")
            if text.casefold() in _YES:
                made[key] = True
            elif text and text.casefold() not in _NO:
                self.tell(shot.at(key), f"{key} is yes or no; {shown(text)} is left out")
        if text := words.pop("takes", ""):
            if re.fullmatch(r"0*[1-9][0-9]?(?:[.,]0)?", text):
                takes = int(re.split("[.,]", text)[0])
                made |= {"takes": takes} if takes > 1 else {}
            else:
                self.tell(shot.at("takes"), f"takes is a number from 1 to 99; {shown(text)} is left out")
        if text := words.pop("fit", ""):
            if text.casefold() in {"crop", "pad"}:
                made["fit"] = text.casefold()
            else:
                self.tell(shot.at("fit"), f"fit is crop or pad; {shown(text)} is left out")
        return made

    # Seconds

    def _length(self, shot: Entry) -> Decimal:
        asked = shot.seconds
        if self._own(shot):
            meant, _ = seconds.read(asked, self.target.fps) if asked else (None, None)
            return meant if meant is not None else _WHOLE
        if not asked:
            if self._has_lengths:
                usual = f"{_said(self.target.usual)} s, what {self.target.model} usually makes"
                fact = f"the shot has no length: it gets {usual}"
                self.often[fact, "seconds in every row"].append(shot.place)
            return self.target.usual
        meant, how = seconds.read(asked, self.target.fps)
        place = shot.at("seconds")
        if meant is None:
            fact = f"{shown(asked)} is no length: {_said(self.target.usual)} s stand for it"
            self.tell(place, fact, 'seconds, such as 5, "5 s" or 0:05')
            return self.target.usual
        given = self.target.nearest(meant)
        if given != meant:
            fact = f"{_said(meant)} s is no length of {self.target.model}: {_said(given)} s is the nearest"
            self.often[fact, f"{self.target.offered()}; `planned_seconds` keeps what was asked"].append(place)
        if how is not None:
            self.tell(place, f"{shown(asked)} {how}: {_said(meant)} s")
        return given

    @property
    def _has_lengths(self) -> bool:
        return any(shot.seconds for group in self.listed.scenes for shot in group.shots)

    def _kept(self, asked: str, given: Decimal) -> bool:
        return seconds.read(asked, self.target.fps)[0] == given

    # From and to

    def _point(self, key: str, text: str, n: int, shot: Entry, lengths: Mapping[str, Decimal]) -> Any:
        place = shot.at(key)
        if key == "to" and not self.target.ends:
            self.tell(place, f"{self.target.model} can't be told what to end on: `to` {shown(text)} is left out")
            return None
        if text.casefold() == "cut":
            return "cut" if key == "from" else None
        if UUID.match(text) or text.lower().startswith(("https://", "http://")):
            return text
        name, _, selector = text.partition("@")
        found = self._found(name.strip(), n)
        if found is not None and (not selector or SELECTOR.match(selector)):
            late = selector.endswith("s") and Decimal(selector[:-1]) >= lengths[found]
            if not late:
                point = f"{found}@{selector}" if selector else found
                return {"shot": found, **({"frame": selector} if selector else {})} if self.is_file(point) else point
        elif found is None and self.is_file(text):
            return {"image": text} if ID.match(name) or "://" in text else text
        fact = f"`{key}` {shown(text)} is neither a frame of a shot in the list nor a picture here: it is left out"
        self.tell(place, fact, "a shot of the list, or the path of a picture from where the storyboard will be")
        return None

    def _found(self, name: str, n: int) -> str | None:
        """The id of the shot that a list calls so: in the same scene, else the first of all."""
        named = self.names.get(name.casefold(), []) if name else []
        here = [one for scene, one in named if scene == n]
        if found := next(iter([*here, *(one for _, one in named)]), None):
            return found
        number = str(int(name)) if name.isascii() and name.isdigit() else ""
        return self._known.get(name.casefold()) or self._known.get(number)

    @cached_property
    def _known(self) -> dict[str, str]:
        """Ids by themselves, and by their number: 10 for 0010."""
        bare = {str(int(one)): one for one in self.ids.values() if one.isdigit()}
        return {**bare, **{one.casefold(): one for one in self.ids.values()}}

    def _no_circles(self, shots: Mapping[str, dict[str, Any]]) -> None:
        """Leave out what would make shots wait for each other."""
        while True:
            needs: dict[str, set[str]] = {}
            for (n, m), name in self.ids.items():
                shot = shots[name]
                begins = "cut" if "clip" in shot else shot.get("from", self.ids[n, m - 1] if m else "cut")
                needs[name] = {_parent(point) for point in (begins, shot.get("to"))} & {*shots}
            try:
                TopologicalSorter(needs).prepare()
            except CycleError as error:
                self._break(list(reversed(error.args[1])), shots)
            else:
                return

    def _break(self, circle: list[str], shots: Mapping[str, dict[str, Any]]) -> None:
        where = {name: self.listed.scenes[n].shots[m] for (n, m), name in self.ids.items()}
        for key in ("to", "from"):
            for name in circle:
                if _parent(shots[name].get(key)) in circle:
                    told = shots[name].pop(key)
                    fact = f"these shots wait for each other: {' -> '.join(circle)}"
                    self.tell(where[name].at(key), f'{fact}; `{key}` "{_parent(told)}" of "{name}" is left out')
                    return

    # The prompt

    def _prompt(self, shots: list[dict[str, Any]], scenes: list[dict[str, Any]]) -> str:
        """A template of the fields that the list has; those that some shots lack are asked about."""
        parts = []
        shots = [shot for shot in shots if "clip" not in shot]
        for name, piece, asked in _PIECES:
            have = sum(name in shot for shot in shots)
            if have:
                parts.append(piece if have == len(shots) else asked.format(name, piece))
        before = self.listed.prompt
        if before and not all(scene.get("title") for scene in scenes):
            before = f"{{% if scene.title %}}{before}{{% endif %}}"
        return before + "".join(parts)


def _next(last: int, width: int, taken: set[str]) -> str:
    """The next number that is counted in tens and free."""
    number = last - last % 10 + 10
    while f"{number:0{width}d}" in taken:
        number += 10
    return f"{number:0{width}d}"


def _free(name: str, taken: set[str]) -> str:
    count = 2
    while f"{name[:36]}-{count}".casefold() in taken:
        count += 1
    return f"{name[:36]}-{count}"


def _parent(point: Any) -> str:
    """The shot that a point is a frame of, "" where it is none."""
    if isinstance(point, Mapping):
        return str(point.get("shot", ""))
    return "" if point is None else str(point).partition("@")[0]


def _number(seconds: Decimal) -> int | float:
    return int(seconds) if seconds == int(seconds) else float(seconds)


def _said(seconds: Decimal) -> str:
    return f"{seconds.normalize():f}"
