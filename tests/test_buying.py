"""Buying: every wanted take exactly once, whatever crashes whenever; never over budget; what is unknown stays so."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner import api
from runner import journal as journals
from runner.cli import run
from runner.cli.app import start
from runner.cli.plan import totals
from runner.errors import Place, StoryError
from runner.gather import JOURNAL
from runner.journal import Journal
from runner.load import load
from runner.money import Budget, Purse, charges, lowest
from runner.plan import Part
from runner.ports import Made, Order, ProviderError, Ticket
from runner.takes import Take
from runner.work import Options

from .market import Clock, Crash, Hands, Market, Shop

CHAIN = """
- {shot: "0010", action: A lamp burns., takes: 2}
- {shot: "0020", action: Rain runs.}
- {shot: "0030", action: A door opens., from: "0010"}
- {shot: "0040", action: A street far off., from: cut, takes: 5}
"""
WANTED = {"0010": [1, 2], "0020": [1], "0030": [1], "0040": [1, 2, 3, 4, 5]}
WORLDS = int(os.environ.get("MATCHCUT_WORLDS", "50"))


def journal_of(market: Market) -> tuple[list[journals.Submit], list[journals.Result]]:
    return journals.read(market.folder / ".matchcut" / JOURNAL)


def check_bought_once(market: Market, wanted: dict[str, list[int]] = WANTED) -> None:
    assert market.takes() == wanted
    assert len(set(market.shop.keys())) == len(market.shop.keys()) == sum(map(len, wanted.values()))
    submits, results = journal_of(market)
    assert {submit.state for submit in submits} <= {"recorded", "failed", "given up"}
    assert {result.state for result in results} == {"recorded"}


def test_a_run_buys_each_wanted_take_once_and_a_second_run_asks_the_shop_for_nothing(tmp_path: Path) -> None:
    market = Market(tmp_path, CHAIN)
    outcome = market.run()

    assert outcome.exit_code == 0, outcome.problems
    check_bought_once(market)
    assert market.record()["totals"]["usd"] == float(market.shop.total) == 0.9
    heard = len(market.shop.heard)
    again = market.run()
    assert (again.made, again.changed, again.exit_code, len(market.shop.heard)) == (0, 0, 0, heard)
    assert market.shop.most <= market.in_flight


def test_several_takes_are_bought_in_submits_of_up_to_four(tmp_path: Path) -> None:
    market = Market(tmp_path, '- {shot: "0010", action: A lamp., takes: 9}')
    market.run()
    assert [len(task.order.takes) for task in market.shop.tasks.values()] == [4, 4, 1]


@pytest.mark.parametrize("side", [1, -1], ids=["before", "after"])
def test_a_process_that_dies_at_any_commit_loses_and_doubles_nothing(tmp_path: Path, side: int) -> None:
    (tmp_path / "calm").mkdir()
    calm = Market(tmp_path / "calm", CHAIN)
    calm.run()
    reached = 0
    for at in range(1, 60):
        folder = tmp_path / str(at)
        folder.mkdir()
        market = Market(folder, CHAIN, Shop(seed=at))
        try:
            market.run(trip=side * at)
        except Crash:
            reached = at
        else:
            break
        outcome = market.run()
        assert outcome.exit_code == 0, (at, outcome.problems)
        check_bought_once(market)
        assert market.films() == calm.films()
    assert reached >= 12


def test_dying_again_and_again_ends_all_the_same(tmp_path: Path) -> None:
    market = Market(tmp_path, CHAIN, Shop(seed=5, rate=0.2))
    for at in (2, 3, 1, 4, 2, 5, 3, 6, 2, 7, 3, 9):
        try:
            market.run(trip=at if at % 2 else -at)
        except Crash:
            continue
    assert market.run().exit_code in (0, 1)
    assert market.run().exit_code == 0
    check_bought_once(market)


def test_a_lost_answer_is_cleared_up_by_asking_and_never_by_another_submit(tmp_path: Path) -> None:
    market = Market(tmp_path, CHAIN, Shop(seed=3, rate=0.7, kinds=("lost before", "lost after")))
    assert market.run().exit_code == 0
    check_bought_once(market)
    assert set(market.shop.heard) == set(market.shop.tasks)


def test_what_nobody_knows_after_too_long_is_unknown_and_is_not_bought_again(tmp_path: Path) -> None:
    market = Market(tmp_path, '- {shot: "0010", action: A lamp.}', Shop(rate=1.0, kinds=("lost after",), forgets=True))
    with pytest.raises(Crash):
        market.run(trip=2)
    assert len(market.shop.tasks) == 1
    market.now += 3600
    market.shop.rate = 0.0
    heard = len(market.shop.heard)

    outcome = market.run()

    assert outcome.exit_code == 6
    assert outcome.states == {"0010": "unknown"}
    assert "matchcut resolve 0010" in str(outcome.problems[0])
    assert market.run().exit_code == 6
    assert (len(market.shop.tasks), len(market.shop.heard)) == (1, heard), "nothing was sent again"


@pytest.mark.parametrize("off", [-86400.0, 86400.0])
def test_a_clock_that_jumps_does_not_send_again(tmp_path: Path, off: float) -> None:
    market = Market(tmp_path, '- {shot: "0010", action: A lamp.}')
    with pytest.raises(Crash):
        market.run(trip=-1)
    market.clock = Clock(off)
    assert market.run().exit_code == 6
    assert market.shop.heard == []


def test_a_service_that_is_down_for_an_hour_is_waited_for(tmp_path: Path) -> None:
    class Down(Shop):
        def _trouble(self, uuid: str) -> str | None:
            import asyncio

            return "down" if asyncio.get_running_loop().time() < 3600 else None

    market = Market(tmp_path, CHAIN, Down())
    outcome = market.run()
    assert outcome.exit_code == 0
    assert market.now > 3600
    assert any(event.what == "note" and "trying again" in event.text for event in market.events)
    check_bought_once(market)


def test_the_ceiling_stops_before_the_submit_that_would_cross_it(tmp_path: Path) -> None:
    market = Market(tmp_path, CHAIN)
    outcome = market.run(budget="0.35")

    assert outcome.exit_code == 4
    assert market.shop.total <= Decimal("0.35")
    refused = [problem for problem in outcome.problems if "the budget of $0.35 does not allow it" in problem.fact]
    assert {"a budget of at least $0.90"} == {p.remedy for p in refused}, "what all of the run needs"
    assert {""} == {event.text for event in market.events if event.what == "blocked"}, "why is told once, at the end"
    assert "does not allow it" not in run.summary(outcome)
    bought = len(market.shop.keys())
    assert bought == sum(map(len, market.takes().values())), "what was bought is kept"
    more = market.run(budget="2")
    assert more.exit_code == 0
    check_bought_once(market)


def test_a_bill_above_its_estimate_is_booked_and_stops_further_submits(tmp_path: Path) -> None:
    market = Market(tmp_path, CHAIN, Shop(price=Decimal("0.30")), in_flight=1)
    outcome = market.run(budget="5")
    assert outcome.exit_code == 4
    assert any("the price has changed" in str(problem) for problem in outcome.problems)
    assert len(market.shop.tasks) == 1


def test_a_refusal_fails_its_shot_and_only_what_follows(tmp_path: Path) -> None:
    market = Market(tmp_path, CHAIN, Shop(fails=frozenset(["0020"])))
    outcome = market.run()
    assert outcome.states == {"0010": "current", "0020": "failed", "0030": "current", "0040": "current"}
    assert outcome.exit_code == 1
    assert market.takes() == {name: numbers for name, numbers in WANTED.items() if name != "0020"}


def test_no_spend_buys_nothing_and_fetches_what_is_in_flight(tmp_path: Path) -> None:
    market = Market(tmp_path, CHAIN, in_flight=1)
    with pytest.raises(Crash):
        market.run(trip=3)
    known = dict(market.shop.tasks)
    outcome = market.run(options=Options(spend=False))
    assert market.shop.tasks == known
    assert outcome.exit_code == 4
    assert sum(map(len, market.takes().values())) == sum(len(task.order.takes) for task in known.values())


def test_a_shot_that_is_gone_keeps_what_was_bought_for_it(tmp_path: Path) -> None:
    market = Market(tmp_path, CHAIN, in_flight=1)
    with pytest.raises(Crash):
        market.run(trip=3)
    (bought,) = {task.order.shot for task in market.shop.tasks.values()}
    market.write('- {shot: "0090", action: A new shot.}')
    assert market.run().exit_code == 0
    assert bought in market.takes()
    assert market.run().plan.facts.spent == market.shop.total


def test_deleting_a_takes_file_is_not_a_way_to_spend_again(tmp_path: Path) -> None:
    market = Market(tmp_path, CHAIN)
    market.run()
    for path in (tmp_path / "storyboard.takes").iterdir():
        path.unlink()
    total = market.shop.total
    assert market.run().exit_code == 0
    assert market.shop.total == total


def test_more_takes_for_words_that_came_later_do_not_push_out_the_store_s_record_of_the_first(tmp_path: Path) -> None:
    market = Market(tmp_path, '- {shot: "0010", action: A lamp.}')
    for words in ("A lamp.", "A candle.", "A candle., takes: 2"):
        market.write(f'- {{shot: "0010", action: {words}}}')
        market.run()
    assert market.takes() == {"0010": [1, 2, 3]}
    (tmp_path / "storyboard.takes" / "0010.yaml").unlink()
    total = market.shop.total
    assert market.run().exit_code == 0
    assert market.shop.total == total


def test_what_is_there_and_what_is_in_flight_are_never_counted_twice(tmp_path: Path) -> None:
    for at in range(1, 30):
        folder = tmp_path / str(at)
        folder.mkdir()
        market = Market(folder, '- {shot: "0010", action: A lamp., takes: 5}')
        with suppress(Crash):
            market.run(trip=at)
        plan = load(market.file).plan
        decision, left = plan.decisions["0010"], sum(flight.takes for flight in plan.facts.flights.get("0010", ()))
        assert decision.have + left + decision.buy == 5, at
        assert not decision.reason.startswith("0 of"), at


def test_the_worst_case_reckons_with_takes_that_were_asked_for_by_hand(tmp_path: Path) -> None:
    class Still(Hands):
        def frame(self, clip: bytes, selector: str) -> str:
            return "0" * 64

    market = Market(tmp_path, '- {shot: "0010", action: A lamp.}\n- {shot: "0020", action: Rain.}', hands=Still())
    market.run(part=Part(only=("0010",)))
    api.retake(market.file, "0020", 2)
    market.write('- {shot: "0010", action: A lamp., duration: 2}\n- {shot: "0020", action: Rain.}')
    plan = load(market.file).plan
    assert (3, False) == (plan.decisions["0020"].buy, plan.decisions["0020"].certain), "0010 may end as it did"
    market.run()
    assert {"0010": [1, 2], "0020": [1, 2, 3]} == market.takes()


def test_what_is_still_to_be_fetched_may_be_what_a_hold_keeps_and_then_nothing_is_bought(tmp_path: Path) -> None:
    market = Market(tmp_path, '- {shot: "0010", action: A lamp., hold: true}')
    with pytest.raises(Crash):
        market.run(trip=2)
    market.write('- {shot: "0010", action: A candle., hold: true}')
    decision = load(market.file).plan.decisions["0010"]
    assert (1, False) == (decision.buy, decision.certain)
    assert market.run().states == {"0010": "stale"}
    assert len(market.shop.tasks) == 1


def test_clips_that_were_bought_elsewhere_are_named_and_not_bought_again(tmp_path: Path) -> None:
    import shutil

    market = Market(tmp_path, CHAIN)
    market.run()
    total = market.shop.total
    shutil.rmtree(tmp_path / ".matchcut")
    clips = [path for path in (tmp_path / "out" / "clips").iterdir() if "0010" not in path.name]
    for path in clips:
        path.unlink()
    with pytest.raises(StoryError) as caught:
        market.run()
    assert caught.value.exit_code == 4
    told = [problem.fact for problem in caught.value.problems]
    for fact, name, usd in zip(told, ("0020", "0030", "0040"), ("$0.10", "$0.10", "$0.50"), strict=False):
        assert f'shot "{name}": the clip' in fact
        assert f"again would cost {usd}" in fact
    assert told[3:] == ["the clips of 3 shots are missing; nothing was done"]
    assert "buys them again for $0.70" in str(caught.value.problems[3].remedy)
    assert market.shop.total == total
    assert market.films() != {}


def test_a_journal_of_a_newer_version_or_a_damaged_one_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    Journal(path).close()
    with sqlite3.connect(path) as newer:
        newer.execute("PRAGMA user_version=99")
    newer.close()
    with pytest.raises(StoryError, match="format 99; this matchcut reads up to 1"):
        Journal(path)
    path.write_bytes(b"SQLite format 3\x00" + b"half" * 300)
    before = path.read_bytes()
    with pytest.raises(StoryError, match=r"journal\.sqlite is damaged"):
        Journal(path)
    assert path.read_bytes() == before


def test_the_model_of_a_state_says_when_it_holds() -> None:
    import re

    source = Path(journals.__file__).read_text(encoding="utf-8")
    named = re.findall(r"^``([a-z ]+)``  ", source, re.MULTILINE)
    assert set(named) == {"intended", "sent", "accepted", "made", "recorded", "failed", "unknown", "given up"}


def test_shots_that_ask_for_the_very_same_share_what_is_bought(tmp_path: Path) -> None:
    same = "action: The same lamp., from: cut"
    market = Market(
        tmp_path, f'- {{shot: "0010", {same}}}\n- {{shot: "0020", {same}}}\n- {{shot: "0030", {same}, takes: 2}}'
    )
    outcome = market.run()
    assert outcome.exit_code == 0
    assert len(market.shop.keys()) == len(set(market.shop.keys())) == 2
    assert market.run().made == 0


def test_shots_that_share_takes_know_of_them_all_at_the_end_of_the_run_already(tmp_path: Path) -> None:
    same = "action: The same lamp., from: cut"
    market = Market(tmp_path, f'- {{shot: "0010", {same}}}\n- {{shot: "0020", {same}, takes: 2}}')
    assert market.run().made == 2
    again = market.run()
    assert (again.made, again.changed) == (0, 0)


def test_a_take_that_another_shot_had_made_can_be_circled(tmp_path: Path) -> None:
    same = "action: The same lamp., from: cut"
    market = Market(tmp_path, f'- {{shot: "0010", {same}}}\n- {{shot: "0020", {same}, review: true}}')
    assert market.run().exit_code == 5
    assert market.takes() == {"0010": [1]}
    after = api.circle(market.file, "0020", "1")
    assert after.decisions["0020"].circled
    assert market.takes() == {"0010": [1], "0020": [1]}
    outcome = market.run()
    assert (outcome.made, outcome.exit_code) == (0, 0)
    assert outcome.plan.facts.spent == market.shop.total


def test_a_plan_counts_once_what_two_shots_ask_for(tmp_path: Path) -> None:
    same = "action: The same lamp., from: cut"
    market = Market(tmp_path, f'- {{shot: "0010", {same}}}\n- {{shot: "0020", {same}, takes: 2}}')
    told = totals(load(market.file).plan)
    assert (2, Decimal("0.2"), Decimal("0.2")) == (told["to_make"], told["run"], told["worst"])
    market.run()
    assert market.shop.total == told["worst"]


def test_what_is_in_flight_for_one_shot_is_not_bought_for_another_that_asks_the_same(tmp_path: Path) -> None:
    same = "action: The same lamp., from: cut"
    market = Market(tmp_path, f'- {{shot: "0010", {same}}}')
    with pytest.raises(Crash):
        market.run(trip=-1)
    market.write(f'- {{shot: "0020", {same}}}')
    assert market.run().exit_code == 0
    assert len(market.shop.keys()) == 1


def test_a_refusal_of_a_resend_for_want_of_money_does_not_say_that_the_first_was_not_accepted(tmp_path: Path) -> None:
    class Poor(Shop):
        poor = True

        async def submit(self, order: Order, uuid: str) -> Ticket:
            if self.poor and uuid in self.tasks:
                raise ProviderError("not enough money", trouble="money")
            return await super().submit(order, uuid)

    shop = Poor(kinds=("lost after",), rate=1.0, forgets=True)
    market = Market(tmp_path, '- {shot: "0010", action: A lamp.}', shop)
    assert market.run().exit_code == 4
    shop.rate, shop.poor, shop.forgets = 0.0, False, False
    assert market.run().exit_code == 0
    assert len(shop.tasks) == 1


def test_a_clip_that_is_made_and_nowhere_is_not_bought_again(tmp_path: Path) -> None:
    class Loses(Shop):
        loses = True

        async def results(self, ticket: Ticket) -> AsyncIterator[Made | ProviderError]:
            if self.loses:
                yield ProviderError("it is done, and not to be had", trouble="asset", started=True)
                return
            async for item in super().results(ticket):
                yield item

    shop = Loses()
    market = Market(tmp_path, '- {shot: "0010", action: A lamp.}', shop)
    assert market.run().states == {"0010": "unknown"}
    shop.loses = False
    assert market.run().exit_code == 0, "a run asks about what is unknown, and takes what it is given"
    assert len(shop.tasks) == 1


def test_no_spend_sends_nothing_even_where_an_answer_was_lost(tmp_path: Path) -> None:
    market = Market(tmp_path, '- {shot: "0010", action: A lamp.}')
    with pytest.raises(Crash):
        market.run(trip=-1)
    assert market.shop.heard == []
    assert market.run(options=Options(spend=False, resend=False)).exit_code == 6
    assert market.shop.heard == []
    assert market.run().exit_code == 0
    assert len(market.shop.tasks) == 1


def test_what_was_only_refused_a_hearing_is_no_question_a_day_later(tmp_path: Path) -> None:
    class Busy(Shop):
        busy = True

        async def submit(self, order: Order, uuid: str) -> Ticket:
            if self.busy:
                raise ProviderError("too many requests", trouble="rate")
            return await super().submit(order, uuid)

    shop = Busy()
    market = Market(tmp_path, '- {shot: "0010", action: A lamp.}', shop)
    with pytest.raises(Crash):
        market.run(trip=-2)
    assert [submit.state for submit in journal_of(market)[0]] == ["intended"]
    market.now += 86400
    shop.busy = False
    assert market.run().exit_code == 0
    assert len(shop.tasks) == 1


def test_a_take_that_is_written_down_is_not_asked_for_again_though_the_journal_missed_it(tmp_path: Path) -> None:
    class Gone(Shop):
        gone = False

        async def results(self, ticket: Ticket) -> AsyncIterator[Made | ProviderError]:
            assert not self.gone, "its address has died since"
            async for item in super().results(ticket):
                yield item

    met = 0
    for at in range(1, 12):
        folder = tmp_path / str(at)
        folder.mkdir()
        shop = Gone()
        market = Market(folder, '- {shot: "0010", action: A lamp.}', shop)
        with suppress(Crash):
            market.run(trip=at)
        if market.takes() and [result.state for result in journal_of(market)[1]] == ["fetched"]:
            met += 1
            shop.gone = True
            assert market.run().exit_code == 0
            check_bought_once(market, {"0010": [1]})
    assert met, "the take stands in its file, and the journal does not know"


def test_a_clip_in_the_store_is_taken_from_there_though_its_address_has_died(tmp_path: Path) -> None:
    market = Market(tmp_path, '- {shot: "0010", action: A lamp.}')
    market.run()
    for path in [*(tmp_path / "storyboard.takes").iterdir(), *(tmp_path / ".matchcut/store/takes").glob("*/*/*.json")]:
        path.unlink()
    with sqlite3.connect(tmp_path / ".matchcut" / JOURNAL) as journal:
        journal.execute("UPDATE submits SET state='made'")
        journal.execute("UPDATE results SET state='fetched'")
    journal.close()
    market.shop.tasks.clear()
    assert market.run().exit_code == 0
    check = market.takes()
    assert check == {"0010": [1]}
    assert market.shop.tasks == {}


def test_one_clip_that_cannot_be_fetched_does_not_stop_the_others(tmp_path: Path) -> None:
    class Hides(Shop):
        hides = True

        async def fetch(self, made: Made, into: Path) -> Path:
            if self.hides and made.source.endswith("/1"):
                raise ProviderError("not there", trouble="asset")
            return await super().fetch(made, into)

    shop = Hides()
    market = Market(tmp_path, '- {shot: "0010", action: A lamp., takes: 3}', shop)
    assert market.run().exit_code == 1
    assert market.takes() == {"0010": [2, 3]}
    shop.hides = False
    assert market.run().exit_code == 0
    check_bought_once(market, {"0010": [1, 2, 3]})


def test_what_is_in_flight_elsewhere_is_neither_asked_for_here_nor_bought_again(tmp_path: Path) -> None:
    market = Market(tmp_path, '- {shot: "0010", action: A lamp.}')
    with pytest.raises(Crash):
        market.run(trip=3)
    other = Market(tmp_path, market.shots, Shop(), place="127.0.0.1")
    outcome = other.run()
    assert outcome.exit_code == 1
    assert "it was bought from the service itself, and this run asks 127.0.0.1" in str(outcome.problems[0])
    assert other.shop.heard == []
    assert market.run().exit_code == 0
    assert len(market.shop.tasks) == 1


def test_more_takes_asked_for_while_some_are_in_flight_have_numbers_of_their_own(tmp_path: Path) -> None:
    class Hides(Shop):
        hides = True

        async def fetch(self, made: Made, into: Path) -> Path:
            if self.hides:
                raise ProviderError("not there", trouble="asset")
            return await super().fetch(made, into)

    shop = Hides()
    market = Market(tmp_path, '- {shot: "0010", action: A lamp., takes: 2}', shop)
    market.run()
    market.write('- {shot: "0010", action: A lamp., takes: 3}')
    market.run()
    shop.hides = False
    assert market.run().exit_code == 0
    check_bought_once(market, {"0010": [1, 2, 3]})


def test_results_whose_price_was_not_told_count_against_the_ceiling_after_a_crash_too(tmp_path: Path) -> None:
    class Silent(Shop):
        async def results(self, ticket: Ticket) -> AsyncIterator[Made | ProviderError]:
            async for item in super().results(ticket):
                yield replace(item, usd=None) if isinstance(item, Made) else item

    for at in range(2, 12):
        folder = tmp_path / str(at)
        folder.mkdir()
        market = Market(
            folder,
            '- {shot: "0010", action: A lamp.}\n- {shot: "0020", action: Rain.}\n- {shot: "0030", action: A door.}',
            Silent(),
        )
        with suppress(Crash):
            market.run(budget="0.20", trip=-at)
        market.run(budget="0.20")
        assert market.shop.total == Decimal("0.20"), at


def test_what_a_partly_failed_task_was_charged_counts_the_same_in_a_clone() -> None:
    take = Take(take=1, key="k", clip="c", provider="runware", model="m", task_uuid="u", video_uuid="v", usd="0.10")
    (told,) = charges([("0010", take)], [], [], {"u": ("0010", Decimal("0.05"))})
    assert told.usd == Decimal("0.15")


def test_a_journal_that_was_only_begun_counts_as_none(tmp_path: Path) -> None:
    market = Market(tmp_path, '- {shot: "0010", action: A lamp.}')
    (tmp_path / ".matchcut").mkdir()
    (tmp_path / ".matchcut" / JOURNAL).write_bytes(b"")
    assert market.run().exit_code == 0


@st.composite
def boards(draw: st.DrawFn) -> tuple[str, dict[str, list[int]]]:
    """A storyboard of a few shots, each beginning on a shot before it or on nothing."""
    count = draw(st.integers(1, 6))
    lines, wanted = [], {}
    for n in range(count):
        name = f"{n + 1:02d}0"
        parent = draw(st.sampled_from(["cut", *[f"{m + 1:02d}0" for m in range(n)]]))
        takes = draw(st.integers(1, 5))
        lines.append(f'- {{shot: "{name}", from: "{parent}", takes: {takes}, action: Words of {name}.}}')
        wanted[name] = list(range(1, takes + 1))
    return "\n".join(lines), wanted


@settings(max_examples=WORLDS, deadline=None, derandomize=WORLDS <= 50, suppress_health_check=list(HealthCheck))
@given(
    board=boards(), seed=st.integers(0, 10**6), rate=st.floats(0, 0.6), in_flight=st.integers(1, 5),
    trips=st.lists(st.integers(-25, 25), max_size=3), cents=st.one_of(st.none(), st.integers(0, 300)),
)  # fmt: skip
def test_any_storyboard_any_seed_any_trouble(
    tmp_path_factory: pytest.TempPathFactory, board: tuple[str, dict[str, list[int]]], seed: int, rate: float,
    in_flight: int, trips: list[int], cents: int | None,
) -> None:  # fmt: skip
    text, wanted = board
    budget = None if cents is None else str(Decimal(cents) / 100)
    kinds = ("unheard", "lost before", "lost after", "down", "rate", "not ready")
    market = Market(tmp_path_factory.mktemp("world"), text, Shop(seed, rate, kinds), in_flight)
    for trip in trips:
        try:
            market.run(budget=budget, trip=trip)
        except Crash:
            pass

    outcome = market.run(budget=budget)

    assert len(set(market.shop.keys())) == len(market.shop.keys()), "nothing is bought twice"
    assert set(outcome.decisions) == set(wanted), "each shot ends once"
    assert market.shop.most <= in_flight + len(trips)
    if budget is not None:
        assert market.shop.total <= Decimal(budget)
    bought = {name: numbers for name, numbers in market.takes().items() if numbers}
    assert sum(map(len, bought.values())) == len(market.shop.keys()), "nothing that was paid for is lost"
    if outcome.exit_code == 0:
        assert bought == wanted
        assert outcome.plan.facts.spent <= market.shop.total
    else:
        assert outcome.exit_code == 4, outcome.problems
        assert budget is not None


def test_the_budget_that_binds_is_named_with_its_place(tmp_path: Path) -> None:
    place = Place("storyboard.yaml", 3, 9)
    own, given = Budget(Decimal("3.0"), "`budget:`", place), Budget(Decimal(9), "--budget")
    assert own == lowest(given, own, None)
    with pytest.raises(StoryError) as error:
        Purse(own, Decimal("2.772"), whole=Decimal("4.62")).reserve("a", Decimal("0.924"))
    assert (
        "the budget of $3.00 (`budget:` at storyboard.yaml:3:9) does not allow it: $2.772 spent, $0.00 in flight, "
        "$0.924 for this\n  try: a budget of at least $4.62"
    ) == str(error.value)


@pytest.mark.parametrize(
    ("budget", "own", "told"),
    [
        ("0.35", "", "Budget $0.35: that is not enough."),
        ("3.0", "0.5", "Budget $0.50 (MATCHCUT_BUDGET): that is not enough."),
        ("3.0", "", "Budget $3.00."),
    ],
)
def test_a_plan_says_whether_the_budget_is_enough(
    tmp_path: Path, budget: str, own: str, told: str, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("MATCHCUT_BUDGET", own)
    market = Market(tmp_path, CHAIN, more=f"budget: {budget}\n")
    assert 0 == start(["plan", str(market.file)])
    assert f"this run $0.90. {told}\n" in capsys.readouterr().out
