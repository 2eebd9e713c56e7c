"""Waiting for the results of a task, on a pretend clock."""

from __future__ import annotations

import asyncio
import random
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from runner.ports import Made, ProviderError, Ticket

from .service import UUID, Clock, Desk, Reply, Script, Task, ack, an_order, answer, done, error_of, fault, going, making


def scripted(*replies: Reply) -> Script:
    """An acknowledgement, then these answers in turn, the last one again and again."""
    left = list(replies)

    def script(task: Task, request: httpx.Request) -> Reply:
        if task["taskType"] == "videoInference":
            return ack(task["taskUUID"])
        reply = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(reply, httpx.Response):  # one answer may be given many times
            return httpx.Response(reply.status_code, content=reply.content, headers=reply.headers)
        return reply

    return script


def videos(results: list[Made | ProviderError]) -> list[str]:
    return [result.video_uuid if isinstance(result, Made) else result.trouble for result in results]


def test_each_result_comes_once_as_soon_as_it_is_seen(tmp_path: Path) -> None:
    a, b = done(video="a"), done(video="b")
    desk = Desk(tmp_path, scripted(answer(going()), answer(a, going()), answer(a, b), answer(a, b)))
    assert ["a", "b"] == videos(desk.results(desk.submit(an_order(takes=2))))
    assert 3 == len(desk.wire.of("getResponse"))


def test_a_result_is_handed_over_before_the_others_are_there(tmp_path: Path) -> None:
    desk = Desk(tmp_path, scripted(answer(done(video="a"), going()), answer(done(video="a"), done(video="b"))))
    ticket = desk.submit(an_order(takes=2))

    async def first() -> tuple[Made | ProviderError, int]:
        results = desk.runware.results(ticket)
        async for result in results:
            return result, len(desk.wire.of("getResponse"))
        raise AssertionError

    result, asked = asyncio.run(first())
    assert (["a"], 1) == (videos([result]), asked)


def test_a_mixed_answer_keeps_the_successes(tmp_path: Path) -> None:
    reply = answer(done(video="a"), errors=[fault("invalidProviderContent", "flagged", status="error")])
    desk = Desk(tmp_path, scripted(reply))
    assert ["a", "safety"] == videos(desk.results(desk.submit(an_order(takes=2))))


def test_a_task_that_failed_as_a_whole_ends(tmp_path: Path) -> None:
    desk = Desk(tmp_path, scripted(answer(errors=[fault("timeoutProvider", status="error")])))
    assert ["timeout"] == videos(desk.results(desk.submit()))


def test_one_failure_of_four_does_not_end_the_others(tmp_path: Path) -> None:
    errors = [fault("timeoutProvider", status="error")]
    first = answer(errors=errors)
    all_there = answer(done(video="a"), done(video="b"), done(video="c"), errors=errors)
    desk = Desk(tmp_path, scripted(first, first, all_there))
    assert ["timeout", "a", "b", "c"] == videos(desk.results(desk.submit(an_order(takes=4))))


def test_one_failure_and_then_silence_is_the_end(tmp_path: Path) -> None:
    desk = Desk(tmp_path, scripted(answer(done(video="a"), errors=[fault("timeoutProvider", status="error")])))
    assert ["a", "timeout"] == videos(desk.results(desk.submit(an_order(takes=4))))
    assert 4 == len(desk.wire.of("getResponse"))


def test_more_than_was_asked_for_is_not_handed_over(tmp_path: Path) -> None:
    desk = Desk(tmp_path, scripted(answer(done(video="a"), done(video="b"))))
    assert ["a"] == videos(desk.results(desk.submit()))


def test_a_service_that_is_down_for_hours_is_waited_for_and_told(tmp_path: Path) -> None:
    down: list[Reply] = [
        httpx.ConnectError("refused"), httpx.ReadTimeout(""), httpx.Response(503, content=b"<html>"),
        httpx.Response(200, content=b"<html>"), httpx.Response(429, headers={"Retry-After": "120"}),
    ]  # fmt: skip
    told: list[str] = []
    times: list[float] = []

    def script(task: Task, request: httpx.Request) -> Reply:
        if task["taskType"] == "videoInference":
            return ack()
        times.append(desk.clock.time)
        if desk.clock.time < 1000 + 4 * 3600:
            reply = down[len(times) % len(down)]
            if isinstance(reply, httpx.Response):
                return httpx.Response(reply.status_code, content=reply.content, headers=reply.headers)
            return reply
        return answer(done())

    desk = Desk(tmp_path, script)
    desk.runware.on_wait = told.append

    assert [1] == [len(desk.results(desk.submit()))]

    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert 119 <= max(pauses) <= 125
    assert pauses[:2] == sorted(pauses[:2])
    assert 40 <= len(told) <= 50
    assert all("waiting" in text and "not lost" in text for text in told)
    assert told[1].startswith("waiting for 6 min: ")


@pytest.mark.parametrize(
    ("reply", "trouble"),
    [
        (httpx.Response(401, json={}), "auth"),
        (httpx.Response(402, json={}), "money"),
        (httpx.Response(400, json={"errors": [fault("invalidTaskUUID")]}), "validation"),
    ],
)
def test_asking_that_has_become_pointless_is_an_error_that_keeps_the_task(
    tmp_path: Path, reply: httpx.Response, trouble: str
) -> None:
    desk = Desk(tmp_path, scripted(reply))
    error = error_of(lambda: desk.results(desk.submit()))
    assert (trouble, True) == (error.trouble, error.started)


def test_a_task_that_never_ends_is_left_to_a_person_after_a_day(tmp_path: Path) -> None:
    desk = Desk(tmp_path, scripted(answer(going())))
    error = error_of(lambda: desk.results(desk.submit()))
    assert ("timeout", True) == (error.trouble, error.started)
    assert "WAIT_S_MAX" in error.fact
    assert desk.clock.time - 1000 < 1.2 * 86400


def test_a_service_that_stays_away_for_a_day_is_left_to_a_person(tmp_path: Path) -> None:
    desk = Desk(tmp_path, scripted(httpx.ConnectError("refused")))
    assert "server" == error_of(lambda: desk.results(desk.submit())).trouble


def test_an_accepted_task_that_nobody_knows_an_hour_later_is_left_to_a_person(tmp_path: Path) -> None:
    desk = Desk(tmp_path, scripted(answer()))
    error = error_of(lambda: desk.results(desk.submit()))
    assert ("not found", True) == (error.trouble, error.started)


def test_a_task_that_is_not_known_yet_may_be_known_later(tmp_path: Path) -> None:
    missing = httpx.Response(404, json={"errors": [fault("taskNotFound")]})
    desk = Desk(tmp_path, scripted(missing, missing, answer(), answer(done())))
    assert 1 == len(desk.results(desk.submit()))


def test_a_clip_that_is_done_and_nowhere_is_an_error(tmp_path: Path) -> None:
    desk = Desk(tmp_path, scripted(answer({"taskUUID": UUID, "status": "success"})))
    (error,) = desk.results(desk.submit())
    assert isinstance(error, ProviderError)
    assert ("asset", True) == (error.trouble, error.started)


def test_a_hint_wakes_the_sleeper_early_and_is_gone_then(tmp_path: Path) -> None:
    clock = Clock()
    desk = Desk(tmp_path, making(clock, 100), clock=clock)
    desk.clock.at.append((1000 + 101.0, desk.hint))

    desk.results(desk.submit())

    assert desk.clock.time - 1000 < 103
    assert not (tmp_path / "hints" / UUID).exists()


def test_a_hint_is_not_a_result(tmp_path: Path) -> None:
    desk = Desk(tmp_path, scripted(answer(going()), answer(done())))
    desk.hint()
    before = desk.clock.time
    assert 1 == len(desk.results(desk.submit()))
    assert desk.clock.time > before


def test_a_task_of_an_earlier_run_is_asked_for_at_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path, scripted(answer(done())))
    assert 1 == len(desk.results(Ticket(UUID, an_order())))
    assert 1000 == desk.clock.time
    assert not (tmp_path / "memory" / "durations.json").exists()


def test_a_task_of_an_earlier_run_is_then_asked_for_more_and_more_seldom(tmp_path: Path) -> None:
    clock = Clock()
    desk = Desk(tmp_path, making(clock, 300), clock=clock)
    ticket = desk.submit()
    desk.runware = desk.another()
    desk.results(ticket)
    assert desk.clock.time - 1300 < 31
    assert len(desk.wire.of("getResponse")) <= 20


def test_memory_that_was_damaged_is_begun_anew(tmp_path: Path) -> None:
    for content in ("", "[]", '{"a": 1}', '{"api.runware.ai klingai:5@3 5": [[1], "x", [5, 1], [0, "2"]]}', "\x00"):
        (tmp_path / "memory").mkdir(exist_ok=True)
        (tmp_path / "memory" / "durations.json").write_text(content)
        (tmp_path / "memory" / "uploads.json").write_text(content)
        desk = Desk(tmp_path, scripted(answer(done())))
        assert 1 == len(desk.results(desk.submit()))
        assert ["api.runware.ai klingai:5@3 5"] == [name for name in desk.memory("durations.json") if "klingai" in name]


def run_of(folder: Path, durations: list[float], *, progress: bool) -> list[tuple[int, float, float]]:
    """Clips one after another: for each, all its requests (with the submit and one for fetching), how late it was
    noticed, and how late it might have been."""
    folder.mkdir()
    desk = Desk(folder, lambda task, request: ack())
    told = []
    for number, takes in enumerate(durations):
        desk.wire.script = making(desk.clock, takes, progress=progress)
        before, asked = desk.clock.time, len(desk.wire.requests)
        desk.results(desk.submit(uuid=f"{number * 7919 % 65536:08x}{UUID[8:]}"))
        late = desk.clock.time - before - takes
        told.append((len(desk.wire.requests) - asked + 1, late, max(3.0, 0.1 * takes)))
        if number % 3 == 0:
            desk.runware = desk.another()  # what was learned outlives the run
    return told


@pytest.mark.parametrize("progress", [False, True])
@pytest.mark.parametrize("usual", [0.5, 2, 2.4, 5, 8, 20, 45, 90, 150, 240, 300, 420, 600, 1200])
def test_a_finished_clip_is_noticed_soon_and_with_few_requests(tmp_path: Path, usual: float, progress: bool) -> None:
    chance = random.Random(str(usual))
    told = run_of(tmp_path / "p", [usual * chance.uniform(0.96, 1.04) for _ in range(20)], progress=progress)
    late = [(asked, round(late, 2), most) for asked, late, most in told[5:] if asked > 8 or late > most]
    assert [] == late


@pytest.mark.parametrize("usual", [2, 2.4, 30, 90, 150, 200, 240, 290, 420, 600, 1200])
def test_where_the_service_tells_percents_the_first_clip_is_noticed_soon_too(tmp_path: Path, usual: float) -> None:
    told = run_of(tmp_path / "p", [usual] * 5, progress=True)
    assert [] == [(asked, late, most) for asked, late, most in told if asked > 12 or late > most]


@pytest.mark.parametrize("usual", [1, 2, 2.4, 140, 180, 240, 260])
def test_without_percents_the_first_clip_is_noticed_soon_if_it_takes_what_users_report(
    tmp_path: Path, usual: float
) -> None:
    told = run_of(tmp_path / "p", [usual] * 5, progress=False)
    assert [] == [(asked, late, most) for asked, late, most in told if asked > 12 or late > most]


@pytest.mark.parametrize("spread", [0.1, 0.2, 0.3])
def test_clips_that_take_very_different_times_need_few_requests_on_the_whole(tmp_path: Path, spread: float) -> None:
    chance = random.Random(7)
    told = run_of(tmp_path / "p", [240 * chance.uniform(1 - spread, 1 + spread) for _ in range(60)], progress=False)[5:]
    assert sum(asked for asked, *_ in told) / len(told) <= 8
    assert sum(late > most for _, late, most in told) <= 0.1 * len(told)


def test_a_service_that_became_a_hundred_times_faster_is_seen_at_once(tmp_path: Path) -> None:
    told = run_of(tmp_path / "p", [240.0] * 6 + [2.0] * 8, progress=False)
    assert [] == [(asked, late) for asked, late, most in told[8:] if asked > 8 or late > most]


def test_one_clip_that_took_far_longer_does_not_make_the_next_ones_late(tmp_path: Path) -> None:
    told = run_of(tmp_path / "p", [*[2.0] * 6, 20.0, *[3.0] * 4], progress=False)
    assert [] == [(asked, late) for asked, late, most in told[7:] if late > most]


def test_tasks_that_left_together_are_not_asked_for_together(tmp_path: Path) -> None:
    from runner.providers.runware.pace import Pace

    learned = [(228.0, 240.0)] * 5
    dues = set()
    for number in range(20):
        pace = Pace(5, number / 20)
        pace.note(pace.due(learned), None)
        dues.add(round(pace.due(learned), 2))
    assert 20 == len(dues)
