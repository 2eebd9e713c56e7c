"""A plan: what is made, in what order, why, and how much it costs; decided purely, from what is known."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.facts import Facts
from runner.load import Loaded
from runner.plan import Decision, Plan, make
from runner.takes import Circle, Take

from .world import World, pipeline, world

QUICK = settings(max_examples=60, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))


def planned(loaded: Loaded, *takes: tuple[str, Take], **facts: Any) -> Plan:
    """The plan of what was loaded, with takes that are known by shot."""
    by_shot: dict[str, tuple[Take, ...]] = {}
    by_key: dict[str, tuple[Take, ...]] = {}
    for shot, take in takes:
        by_shot[shot] = (*by_shot.get(shot, ()), take)
        by_key[take.key] = (*by_key.get(take.key, ()), take)
    known = replace(loaded.plan.facts, **{"takes": by_shot, "by_key": by_key, **facts})
    return make(loaded.board, loaded.pipeline, loaded.cards, known, loaded.lane)


def take(decision: Decision, *, number: int = 1, last: str = "aa", clip: str = "c1") -> Take:
    """A take that was made for a decision's key, ending on a frame of these pixels."""
    assert decision.key is not None
    frames = {"first": {"index": 0, "digest": "ff"}, "last": {"index": 119, "digest": last}}
    return Take(number, decision.key.digest, clip, "animatic", "matchcut:animatic", decision.key.parts, frames=frames)


def made(loaded: Loaded, *, last: str = "aa") -> list[tuple[str, Take]]:
    """A take for every shot, each ending on a picture of its own."""
    found: list[tuple[str, Take]] = []
    for shot in loaded.plan.order:
        decision = planned(loaded, *found).decisions[shot]
        found.append((shot, take(decision, last=f"{last}{shot}", clip=f"c{shot}")))
    return found


def states(plan: Plan) -> list[str]:
    return [plan.decisions[shot.id].state for shot in plan.board.shots]


# --- order -----------------------------------------------------------------------------------------------------------


def test_shots_come_in_file_order_where_that_will_do(tmp_path: Path) -> None:
    assert ("0010", "0020", "0030") == world(tmp_path, {}, {}, {}).plan().order


def test_a_parent_comes_first_wherever_it_stands(tmp_path: Path) -> None:
    plan = world(
        tmp_path, {"from": "0030"}, {"from": "cut"}, {"from": "cut"}, {"to": "0020@first"}, pipeline="kling-2.0-master"
    ).plan()

    assert ("0020", "0030", "0010", "0040") == plan.order


@QUICK
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9) | st.none()), min_size=1, max_size=8))
def test_any_graph_is_put_in_order_or_its_circle_is_shown_whole(
    tmp_path: Path, ends: list[tuple[int, int | None]]
) -> None:
    shots: list[dict[str, Any]] = []
    for begin, end in ends:
        shots.append({"from": "cut" if begin >= len(ends) else f"{begin + 1}0".zfill(4)})
        if end is not None and end < len(ends):
            shots[-1]["to"] = f"{end + 1}0".zfill(4)
    found = world(tmp_path, *shots, pipeline="kling-2.0-master")
    parents = {shot.id: set(shot.parents) for shot in found.board.shots}

    told = found.problems()

    if told:
        circles = [problem.fact.removeprefix("these shots wait for each other: ").split(" -> ") for problem in told]
        assert all(names[0] == names[-1] for names in circles)
        assert all(parent in parents[child] for names in circles for parent, child in pairwise(names))
    else:
        order = found.plan().order
        assert sorted(parents) == sorted(order)
        assert all(order.index(parent) < order.index(child) for child in parents for parent in parents[child])


def test_what_follows_is_told_however_far(tmp_path: Path) -> None:
    plan = world(tmp_path, {}, {}, {"from": "0010"}, {"from": "cut"}, {"from": "0030"}).plan()

    assert ("0020", "0030", "0050") == plan.follows("0010")
    assert () == plan.follows("0040")
    assert [0, 1, 1, 0, 2] == [plan.briefs[shot.id].depth for shot in plan.board.shots]
    assert ["0010", "0010", "0010", "0040", "0010"] == [plan.briefs[shot.id].root for shot in plan.board.shots]


def test_tasks_are_shots_times_steps_tied_by_inputs_and_frames(tmp_path: Path) -> None:
    tasks = {task.id: task.needs for task in world(tmp_path, {}, {}, pipeline=pipeline()).plan().tasks}

    assert {
        "0010.clip": (), "0010.tail": ("0010.clip",), "0010.check": ("0010.clip",),
        "0020.clip": ("0010.clip",), "0020.tail": ("0020.clip",), "0020.check": ("0020.clip",),
        "film.cut": ("0010.clip", "0020.clip"), "film.manifest": ("film.cut",),
    } == tasks  # fmt: skip


# --- states ----------------------------------------------------------------------------------------------------------


def test_a_shot_that_was_never_made_is_missing_and_what_follows_is_not_known(tmp_path: Path) -> None:
    plan = world(tmp_path, {}, {}).plan()

    assert ["missing", "missing"] == states(plan)
    assert "never made" == plan.decisions["0010"].reason
    assert "never made; the last frame of 0010 is not made yet" == plan.decisions["0020"].reason
    assert plan.decisions["0010"].key is not None
    assert plan.decisions["0020"].key is None
    assert plan.work


def test_a_shot_whose_take_fits_is_current(tmp_path: Path) -> None:
    loaded = world(tmp_path, {}, {}, {}).load()
    plan = planned(loaded, *made(loaded))

    assert ["current"] * 3 == states(plan)
    assert not plan.work


def test_other_words_make_a_shot_stale_and_what_hangs_on_it_uncertain(tmp_path: Path) -> None:
    takes = made(world(tmp_path, {}, {}, {"from": "cut"}).load())
    plan = planned(world(tmp_path, {"action": "Snow falls."}, {}, {"from": "cut"}).load(), *takes)

    assert ["stale", "stale", "current"] == states(plan)
    assert ("prompt", "A lantern swings in the rain.", "Snow falls.") == _told(plan.decisions["0010"])
    assert plan.decisions["0010"].certain
    assert not plan.decisions["0020"].certain


def _told(decision: Decision) -> tuple[str, Any, Any]:
    first = next(change for change in decision.changes if change.field == "prompt")
    return first.field, first.old, first.new


def test_a_shot_that_was_made_again_and_ends_on_the_same_picture_stops_there(tmp_path: Path) -> None:
    takes = made(world(tmp_path, {}, {}).load())
    loaded = world(tmp_path, {"action": "Snow falls."}, {}).load()
    again = take(planned(loaded, *takes).decisions["0010"], last="aa0010", clip="new")
    other = take(planned(loaded, *takes).decisions["0010"], last="bb", clip="new")

    assert ["current", "current"] == states(planned(loaded, *takes, ("0010", again)))
    assert ["current", "stale"] == states(planned(loaded, *takes, ("0010", other)))
    assert "first frame changed" == planned(loaded, *takes, ("0010", other)).decisions["0020"].reason


def test_notes_titles_takes_and_order_make_nothing_stale(tmp_path: Path) -> None:
    takes = made(world(tmp_path, {}, {"from": "cut"}).load())
    loaded = world(
        tmp_path,
        {"shot": "0020", "from": "cut", "notes": "new"},
        {"shot": "0010", "from": "cut", "title": "Rain", "hold": True},
        title="Lanterns",
        notes="more",
        budget=3,
    ).load()

    assert ["current", "current"] == states(planned(loaded, *takes))


def test_a_gate_waits_for_a_circle_even_with_one_take(tmp_path: Path) -> None:
    loaded = world(tmp_path, {"review": True}, {}).load()
    takes = [("0010", take(loaded.plan.decisions["0010"]))]
    key = takes[0][1].key

    waiting = planned(loaded, *takes)
    open_ = planned(loaded, *takes, circled={"0010": {key: Circle(drawn=(key, 1))}})

    assert ["waiting", "blocked"] == states(waiting)
    assert 0 == waiting.decisions["0020"].buy, "a run makes nothing behind a gate"
    assert "never made; 0010 waits for a circled take" == waiting.decisions["0020"].reason
    assert ["current", "missing"] == states(open_)
    assert open_.decisions["0020"].key is not None


def test_what_lies_behind_a_gate_is_not_counted_though_the_gate_is_still_to_be_made(tmp_path: Path) -> None:
    loaded = world(tmp_path, {"review": True}, {}, {}, {"from": "cut"}).load()

    assert ["missing", "blocked", "blocked", "missing"] == states(loaded.plan)
    assert [1, 0, 0, 1] == [decision.buy for decision in loaded.plan.decisions.values()]
    assert "never made; 0010 will wait for a circled take" == loaded.plan.decisions["0020"].reason


def test_a_held_shot_stays_and_what_follows_begins_on_it(tmp_path: Path) -> None:
    takes = made(world(tmp_path, {}, {}).load())
    plan = planned(world(tmp_path, {"action": "Snow falls.", "hold": True}, {}).load(), *takes)

    assert ["stale", "current"] == states(plan)
    assert plan.decisions["0010"].kept
    assert 0 == plan.decisions["0010"].buy


def test_two_wanted_and_one_there_means_one_more(tmp_path: Path) -> None:
    loaded = world(tmp_path, {"takes": 2}).load()
    one = take(loaded.plan.decisions["0010"])

    assert (2, "never made") == (loaded.plan.decisions["0010"].buy, loaded.plan.decisions["0010"].reason)
    assert ("missing", 1, "1 of 2 takes made") == _bought(planned(loaded, ("0010", one)))
    assert ("current", 0) == _bought(planned(loaded, ("0010", one), ("0010", replace(one, take=2, clip="c2"))))[:2]


def _bought(plan: Plan) -> tuple[str, int, str]:
    found = plan.decisions["0010"]
    return found.state, found.buy, found.reason


def test_a_frame_that_was_not_taken_out_yet_is_not_known(tmp_path: Path) -> None:
    loaded = world(tmp_path, {}, {"from": "0010@2s"}).load()
    plan = planned(loaded, ("0010", take(loaded.plan.decisions["0010"])))

    assert "never made; the 2s frame of 0010 has not been taken out yet" == plan.decisions["0020"].reason


# --- cost and size ---------------------------------------------------------------------------------------------------


def test_seconds_and_takes_cost_what_the_card_says_and_a_rehearsal_nothing(tmp_path: Path) -> None:
    found = world(tmp_path, {"duration": 10, "takes": 3}, {}, pipeline="kling-2.1-master")
    paid, rehearsed = found.plan(), found.plan(provider="animatic")
    one = paid.briefs["0010"].card.cost({"duration": 10})
    assert one is not None

    assert 3 * one == paid.cost("0010")
    assert Decimal(0) == rehearsed.cost("0010")
    assert 1 == rehearsed.decisions["0010"].want
    assert rehearsed.lane.rehearsal


@pytest.mark.parametrize(
    ("size", "expected"), [((1280, 720), (1920, 1080)), ((400, 410), (1080, 1080)), ((700, 1300), (1080, 1920))]
)
def test_auto_takes_the_size_nearest_to_the_first_picture_and_keeps_it_along_the_chain(
    size: tuple[int, int], expected: tuple[int, int], tmp_path: Path
) -> None:
    found = world(
        tmp_path,
        {"from": "a.png", "fit": "crop"},
        {},
        pictures={"a.png": size},
        aspect="auto",
        pipeline="kling-2.1-master",
    )
    briefs = found.plan().briefs.values()

    assert [expected, expected] == [(brief.width, brief.height) for brief in briefs]


def test_a_fitted_picture_is_the_one_that_counts(tmp_path: Path) -> None:
    def first(**fields: Any) -> str | None:
        found = world(tmp_path, {"from": "a.png", **fields}, pictures={"a.png": (640, 400), "b.png": (1280, 720)})
        end = found.plan().decisions["0010"].first
        return None if end is None else end.pixels

    assert first(fit="crop") == first(**{"from": "b.png"})
    assert first(fit="crop") != first(fit="pad")


@pytest.mark.parametrize(("width", "told"), [(1280, 0), (1292, 0), (1294, 1), (1268, 0), (1266, 1)])
def test_a_picture_may_be_one_in_a_hundred_off_in_shape(width: int, told: int, tmp_path: Path) -> None:
    assert told == len(world(tmp_path, {"from": "a.png"}, pictures={"a.png": (width, 720)}).told())


@pytest.mark.parametrize(
    ("fields", "top"),
    [
        ({"with": {"clip": {"CFGScale": 0.7}}}, {}),
        ({}, {"defaults": {"with": {"clip": {"CFGScale": 0.7}}}}),
        ({"with": {"clip": {"CFGScale": 0.7}}}, {"defaults": {"with": {"clip": {"CFGScale": 0.3}}}}),
    ],
)
def test_settings_grow_stronger_from_pipeline_to_defaults_to_shot(
    fields: dict[str, Any], top: dict[str, Any], tmp_path: Path
) -> None:
    request = world(tmp_path, fields, pipeline="kling-2.1-master", **top).plan().briefs["0010"].request

    assert (0.7, 99) == (request["CFGScale"], request["outputQuality"])


def test_a_field_of_the_shot_is_stronger_than_any_with_of_pipeline_and_defaults(tmp_path: Path) -> None:
    own = pipeline(shot={"clip": {"uses": "generate", "with": {"duration": 4}}})
    found = world(tmp_path, {}, {"duration": 3}, pipeline=own).plan()

    assert [4, 3] == [brief.request["duration"] for brief in found.briefs.values()]


# --- what is told ----------------------------------------------------------------------------------------------------


def told(found: World) -> list[str]:
    return [line.split("\n")[0] for line in found.told()]


def test_what_is_wrong_for_every_shot_is_told_once(tmp_path: Path) -> None:
    found = world(tmp_path, {}, {}, {}, pipeline="kling-2.1-master", defaults={"duration": 7}, negative="x")

    assert [
        "storyboard.yaml:4:13: duration is 7, but it must be 5 or 10",
        "storyboard.yaml:5:11: the negative prompt has 1 character, but at least 2 are needed",
    ] == told(found)


@pytest.mark.parametrize(
    ("length", "many"), [(1, 1), (2, 0), (2500, 0), (2501, 1)],
)  # fmt: skip
def test_lengths_count_the_code_points_of_the_rendered_text(length: int, many: int, tmp_path: Path) -> None:
    found = world(tmp_path, {"action": "{{ word }}"}, values={"word": "🌧" * length}, pipeline="kling-2.1-master")

    assert many == len(found.told())


def test_planning_asks_nothing_but_what_it_is_given(tmp_path: Path) -> None:
    loaded = world(tmp_path, {}, {}).load()
    for path in tmp_path.iterdir():
        path.unlink()

    again = make(loaded.board, loaded.pipeline, loaded.cards, Facts(), loaded.lane)

    assert states(loaded.plan) == states(again)
