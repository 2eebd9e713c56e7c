"""A diff: what two versions of a storyboard do not share, what follows from it, and what it costs."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.diff import Diff, ShotDiff, Side, compare
from runner.pairs import written
from runner.plan import Plan, make
from runner.takes import Take

from .world import pipeline, world

QUICK = settings(max_examples=40, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
SIDES = (Side("HEAD", "0" * 40, "storyboard.yaml"), Side("the work tree", None, "storyboard.yaml"))
LAMP, RAIN, DAWN, TRAM = "A lamp burns.", "Rain falls.", "Dawn comes.", "A tram passes."


def board(folder: Path, *shots: Any, **top: Any) -> Plan:
    return world(folder, *shots, **{"pipeline": "kling-2.1-master", **top}).plan()


def diff(folder: Path, old: Sequence[Any], new: Sequence[Any], **top: Any) -> Diff:
    """The diff of two lists of shots under the same head; ``old_`` and ``new_`` set what the heads do not share."""
    heads = [{k.removeprefix(p): v for k, v in top.items() if not k.startswith(q)} for p, q in _HEADS]
    return compare(board(folder, *old, **heads[0]), board(folder, *new, **heads[1]), SIDES)


_HEADS = (("old_", "new_"), ("new_", "old_"))


def one(found: Diff, name: str) -> ShotDiff:
    return next(shot for shot in found.shots if shot.shot == name)


def fates(found: Diff) -> list[str]:
    """Every shot there is something to tell of, with what became of it."""
    words = []
    for shot in found.told:
        marks: list[str] = [shot.fate] if shot.fate != "kept" else []
        marks += ["renamed"] * (shot.was is not None) + ["moved"] * shot.moved + ["changed"] * shot.changed
        words.append(" ".join([shot.shot, *marks, *([shot.effect] if shot.fate == "kept" else [])]))
    return words


def taken(plan: Plan, *, last: str = "aa", usd: str = "0.924", cards: Any) -> Plan:
    """The same plan where every shot has a take that fits, ending on a picture of its own."""
    by_shot: dict[str, tuple[Take, ...]] = {}
    for name in plan.order:
        facts = replace(plan.facts, takes=by_shot, by_key={t.key: (t,) for ts in by_shot.values() for t in ts})
        decision = make(plan.board, plan.pipeline, cards, facts, plan.lane).decisions[name]
        assert decision.key is not None
        frames = {"first": {"index": 0, "digest": "ff"}, "last": {"index": 9, "digest": f"{last}{name}"}}
        take = Take(1, decision.key.digest, f"c{name}", "runware", "x", decision.key.parts, frames=frames, usd=usd)
        by_shot = {**by_shot, name: (take,)}
    facts = replace(plan.facts, takes=by_shot, by_key={t.key: (t,) for ts in by_shot.values() for t in ts})
    return make(plan.board, plan.pipeline, cards, facts, plan.lane)


def with_takes(folder: Path, old: Sequence[Any], new: Sequence[Any], **top: Any) -> Diff:
    """The diff of two versions where the older one was made."""
    head = {"pipeline": "kling-2.1-master", **top}
    loaded = world(folder, *old, **head).load()
    before = taken(loaded.plan, cards=loaded.cards)
    after = world(folder, *new, **head).load()
    known = replace(after.plan.facts, takes=before.facts.takes, by_key=before.facts.by_key)
    now = make(after.board, after.pipeline, after.cards, known, after.lane)
    return compare(before, now, SIDES)


# --- which shot is which ---------------------------------------------------------------------------------------------


def test_a_storyboard_does_not_differ_from_itself(tmp_path: Path) -> None:
    found = diff(tmp_path, [LAMP, RAIN, {"notes": "x", "takes": 2}], [LAMP, RAIN, {"notes": "x", "takes": 2}])

    assert found.empty
    assert () == found.told


def test_one_shot_put_in_between_moves_no_other(tmp_path: Path) -> None:
    found = diff(tmp_path, [LAMP, RAIN, DAWN], [LAMP, {"shot": "0015"}, {"shot": "0020", "action": RAIN}, {"shot": "0030", "action": DAWN}])  # fmt: skip

    assert ["0015 added", "0020 changed direct", "0030 inherited"] == fates(found)
    assert [("from", "0010", "0015")] == [(c.field, c.old, c.new) for c in one(found, "0020").loud]


def test_a_removed_shot_is_told_where_it_stood_with_the_takes_it_leaves(tmp_path: Path) -> None:
    cut = {"from": "cut"}
    found = with_takes(tmp_path, [cut, cut, cut], [cut, {"shot": "0030", **cut}])

    assert ["0020 removed"] == fates(found)
    assert ["0010", "0020", "0030"] == [shot.shot for shot in found.shots]
    assert (1, Decimal("0.924")) == (one(found, "0020").takes, one(found, "0020").paid)


def test_a_shot_that_only_changed_its_name_is_renamed_and_keeps_its_take(tmp_path: Path) -> None:
    old = [{"action": LAMP}, {"action": RAIN}, {"action": DAWN}]
    found = with_takes(tmp_path, old, [{"shot": "a", **old[0]}, {"shot": "b", **old[1]}, {"shot": "c", **old[2]}])

    assert ["a renamed none", "b renamed none", "c renamed none"] == fates(found)
    assert ["0010", "0020", "0030"] == [shot.was for shot in found.shots]
    assert Decimal(0) == found.bill.worst


def test_two_shots_that_say_the_same_are_not_taken_for_each_other(tmp_path: Path) -> None:
    cut = {"from": "cut"}
    found = diff(tmp_path, [cut, cut], [{"shot": "a", **cut}, {"shot": "b", **cut}])

    assert ["0010 removed", "0020 removed", "a added", "b added"] == fates(found)


def test_the_fewest_shots_are_said_to_have_moved(tmp_path: Path) -> None:
    shots = [{"shot": name, "from": "cut"} for name in "abcde"]
    found = diff(tmp_path, shots, [shots[4], *shots[:4]])

    assert ["e moved none"] == fates(found)
    assert "after d in scene 010" == str(one(found, "e").old)
    assert "first in scene 010" == str(one(found, "e").new)


def test_another_scene_is_a_move_and_another_name_of_a_scene_is_none(tmp_path: Path) -> None:
    a, b, c = ({"shot": name, "from": "cut"} for name in "abc")
    old = [{"scene": "1", "shots": [a, b]}, {"scene": "2", "shots": [c]}]

    moved = diff(tmp_path, [], [], old_scenes=old, new_scenes=[{"scene": "1", "shots": [a]}, {"scene": "2", "shots": [b, c]}])  # fmt: skip
    named = diff(tmp_path, [], [], old_scenes=old, new_scenes=[{"scene": "9", "shots": [a, b]}, old[1]])

    assert ["b moved none"] == fates(moved)
    assert [] == fates(named)
    assert [("scenes.1", "1", "9")] == [(change.field, change.old, change.new) for change in named.board]


# --- what changed, and what follows ----------------------------------------------------------------------------------


def test_a_value_shows_on_each_shot_whose_prompt_it_changes(tmp_path: Path) -> None:
    shots = ["{{ light }} burns.", RAIN, "{{ light }} goes out."]
    found = diff(tmp_path, shots, shots, old_values={"light": "A lamp"}, new_values={"light": "A candle"})

    assert ["0010 changed direct", "0020 inherited", "0030 changed direct"] == fates(found)
    assert ("prompt", "A lamp burns.", "A candle burns.") == _first(one(found, "0010").asked)
    assert ["shot.action", "values.light"] == [change.field for change in one(found, "0010").words]
    assert ("values.light", "A lamp", "A candle") == _first(found.board)


def _first(changes: Any) -> tuple[str, Any, Any]:
    return changes[0].field, changes[0].old, changes[0].new


@pytest.mark.parametrize(
    "field", [{"title": "Rain"}, {"notes": ["a", "b"]}, {"mood": "blue"}, {"hold": True}, {"review": True}]
)
def test_what_is_not_asked_affects_no_take(field: dict[str, Any], tmp_path: Path) -> None:
    found = diff(tmp_path, [LAMP, RAIN], [{"action": LAMP, **field}, RAIN])

    assert ["0010 changed none"] == fates(found)
    assert list(field) == [change.field for change in one(found, "0010").quiet]


def test_what_is_asked_otherwise_is_not_told_twice(tmp_path: Path) -> None:
    new = {"action": "Snow falls.", "duration": 10, "with": {"clip": {"CFGScale": 0.7}}}
    shot = one(diff(tmp_path, [LAMP], [new]), "0010")

    assert {"action", "duration", "with.clip.CFGScale"} == {change.field for change in shot.fields}
    assert {"prompt", "duration", "CFGScale"} == {change.field for change in shot.loud}
    assert () == shot.quiet


def test_what_only_inherits_is_told_apart_and_may_cost_nothing(tmp_path: Path) -> None:
    cut = {"from": "cut"}
    found = with_takes(tmp_path, [LAMP, RAIN, DAWN, cut], ["Snow falls.", RAIN, DAWN, cut])
    first, second, third, fourth = found.shots

    assert ["direct", "inherited", "inherited", "none"] == [shot.effect for shot in found.shots]
    assert [("0010",), ("0020",)] == [second.through, third.through]
    assert not second.certain
    assert first.usd is not None
    assert (first.usd, 3 * first.usd) == (found.bill.best, found.bill.worst)
    assert (Decimal(0), Decimal(0)) == (found.bill.was_best, found.bill.was_worst)
    assert "current" == fourth.decision.state if fourth.decision else None


def test_a_picture_under_another_name_affects_no_take_and_another_picture_does(tmp_path: Path) -> None:
    pictures = {"a.png": (1920, 1080), "b.png": (1920, 1080)}

    def to(name: str, **more: Any) -> ShotDiff:
        new = {"from": name, **more}
        return one(diff(tmp_path, [{"from": "a.png"}], [new], pictures={**pictures, "c.png": (960, 540)}), "0010")

    assert ("none", ["from"]) == (to("b.png").effect, [change.field for change in to("b.png").loud])
    assert ("direct", ["from"]) == (to("c.png").effect, [change.field for change in to("c.png").loud])
    assert "direct" == to("cut").effect


def test_a_picture_that_is_another_one_under_the_same_name_is_seen(tmp_path: Path) -> None:
    old = board(tmp_path, {"from": "a.png"}, pictures={"a.png": (1920, 1080)})
    new = board(tmp_path, {"from": "a.png"}, pictures={"a.png": (960, 540)})
    shot = one(compare(old, new, SIDES), "0010")

    assert ("direct", ["first frame"]) == (shot.effect, [change.field for change in shot.loud])


def test_a_pipeline_that_changed_is_told_once_for_all_shots(tmp_path: Path) -> None:
    found = diff(tmp_path, [LAMP, RAIN], [LAMP, RAIN], old_pipeline="kling-2.1-master", new_pipeline="animatic")

    assert {"provider", "model"} <= {change.field for change in found.pipeline}
    assert {"provider", "model"} <= {change.field for change in found.shared}
    assert ["0010 changed direct", "0020 changed direct"] == fates(found)


def test_a_step_between_clip_and_frame_changes_what_follows(tmp_path: Path) -> None:
    def own(amount: str) -> dict[str, Any]:
        grade = {"uses": "exec", "in": {"clip": "clip"}, "with": {"argv": ["grade", amount, "{in.clip}", "{out.clip}"], "gives": {"clip": "mp4"}}}  # fmt: skip
        steps = {"clip": {"uses": "generate"}, "grade": grade, "tail": {"uses": "frame", "in": {"clip": "grade"}}}
        return pipeline(shot=steps)

    found = diff(tmp_path, [LAMP, RAIN], [LAMP, RAIN], old_pipeline=own("1"), new_pipeline=own("2"))

    assert ["0020 inherited"] == fates(found)
    assert ["shot.grade.with.argv"] == [change.field for change in found.pipeline]


def test_a_budget_is_told_with_what_it_was(tmp_path: Path) -> None:
    found = diff(tmp_path, [LAMP], [LAMP], old_budget=10, new_budget=0.5)

    assert (Decimal("0.5"), Decimal(10)) == (found.bill.budget, found.bill.was_budget)
    assert not found.empty


def test_without_an_older_version_every_shot_is_added(tmp_path: Path) -> None:
    found = compare(None, board(tmp_path, LAMP, RAIN), SIDES)

    assert not found.existed
    assert ["0010 added", "0020 added"] == fates(found)


# --- any edits -------------------------------------------------------------------------------------------------------

_EDITS = st.lists(st.sampled_from(["add", "remove", "move", "words", "notes", "name", "scene"]), max_size=6)


def _edited(scenes: list[list[dict[str, Any]]], edits: list[str], chance: random.Random) -> list[list[dict[str, Any]]]:
    scenes = [[dict(shot) for shot in scene] for scene in scenes]
    for number, edit in enumerate(edits):
        said: dict[str, dict[str, Any]] = {
            "words": {"action": f"Other {number}."},
            "notes": {"notes": number},
            "name": {"shot": f"r{number}"},
        }
        full = [scene for scene in scenes if scene]
        if edit == "add" or not full:
            scene = chance.choice(scenes)
            scene.insert(
                chance.randint(0, len(scene)), {"shot": f"n{number}", "from": "cut", "action": f"New {number}."}
            )
            continue
        scene = chance.choice(full)
        shot = chance.choice(scene)
        if edit in {"remove", "move", "scene"}:
            scene.remove(shot)
        if edit in {"move", "scene"}:
            into = scene if edit == "move" else chance.choice(scenes)
            into.insert(chance.randint(0, len(into)), shot)
        if edit in said:
            shot.update(said[edit])
    return scenes


@QUICK
@given(_EDITS, st.integers(0, 10_000))
def test_any_edits_are_told_of_each_shot_once_and_exactly(tmp_path: Path, edits: list[str], seed: int) -> None:
    base = [[{"shot": f"{s}{n}", "from": "cut", "action": f"Shot {s} {n}."} for n in range(4)] for s in "ab"]
    changed = _edited(base, edits, random.Random(seed))
    if not any(changed):
        return

    def plan(scenes: list[list[dict[str, Any]]]) -> Plan:
        return board(tmp_path, scenes=[{"scene": s, "shots": shots} for s, shots in zip("ab", scenes, strict=True)])

    old, new = plan(base), plan(changed)
    found = compare(old, new, SIDES)

    kept = [shot for shot in found.shots if shot.fate == "kept"]
    added = {shot.shot for shot in found.shots if shot.fate == "added"}
    removed = {shot.shot for shot in found.shots if shot.fate == "removed"}
    befores = {shot.shot: shot.was or shot.shot for shot in kept}
    assert [shot.id for shot in new.board.shots] == [shot.shot for shot in found.shots if shot.fate != "removed"]
    assert {shot.id for shot in old.board.shots} == removed | set(befores.values())
    assert added == new.decisions.keys() - befores.keys()
    for shot in kept:
        one, other = old.board.shot(befores[shot.shot]), new.board.shot(shot.shot)
        keys = [plan.decisions[name].key for plan, name in ((old, one.id), (new, other.id))]
        assert (keys[0] != keys[1]) == bool(shot.asked) == (shot.effect == "direct")
        assert (written(one, {}) != written(other, {})) == bool(shot.fields)
    _moves_are_fewest(old, new, kept, befores)


def _moves_are_fewest(old: Plan, new: Plan, kept: list[ShotDiff], befores: dict[str, str]) -> None:
    home = {shot.id: shot.scene for plan in (old, new) for shot in plan.board.shots}
    stayed = [shot.shot for shot in kept if not shot.moved]
    able = [
        shot.shot for shot in kept if home[befores[shot.shot]] == home[shot.shot] or befores[shot.shot] != shot.shot
    ]
    places = {name: old.board.shot(befores[name]).index for name in able}
    rising = [places[name] for name in stayed]
    assert rising == sorted(rising)
    same_scene = [name for name in able if old.board.shot(befores[name]).scene == new.board.shot(name).scene]
    assert not any(
        [places[name] for name in more] == sorted(places[name] for name in more)
        for more in combinations(same_scene, len(stayed) + 1)
    )


def test_a_whole_film_under_other_names_is_recognised(tmp_path: Path) -> None:
    old = [{"action": f"Shot {n}."} for n in range(60)]
    found = diff(tmp_path, old, [{"shot": f"x{n}", **shot} for n, shot in enumerate(old)])

    assert 60 == sum(shot.was is not None for shot in found.shots)
