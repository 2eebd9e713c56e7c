"""Any sequence of edits, runs, circles, retakes, crashes and reverts: nothing is lost, and plans foretell runs."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from runner import api, bill, saved
from runner.cut import given
from runner.errors import StoryError
from runner.load import Loaded, load
from runner.plan import WHOLE, Decision, Part
from runner.work import Options, Outcome

from .market import Crash
from .reruns import LOOKS, NAMES, PLACES, VERBS, Board, Facts, Foretold, Shot, World

QUICK = 12
RERUNS = int(os.environ.get("MATCHCUT_RERUNS", QUICK))

ANY = st.integers(0, len(NAMES) - 1)
"""Which of the shots there are, whatever their names: counted round."""


def clip(decision: Decision) -> str | None:
    """The clip of the take that counts."""
    return decision.take.clip if decision.take is not None else None


WAYS = ("", "cut", "{}", "{}@first", "{}@0.5s")
"""What a shot says it begins on."""


def branched(board: Board, at: int, other: int, how: str, *, ends: bool) -> Board:
    """A storyboard of which one shot begins elsewhere: on a frame of a shot before it, or on nothing."""
    before = board.shots[other % at].name if at else None
    begins = how.format(before) if before is not None else "cut"
    return board.changed(board.shots[at].name, begins=begins, ends=f"{before}@first" if ends and before else "")


@st.composite
def boards(draw: st.DrawFn) -> Board:
    """A storyboard to begin with."""
    board = Board(())
    for name in NAMES[: draw(st.integers(1, 4))]:
        who = draw(st.sampled_from([name, name, "somebody"]))
        takes, gates = draw(st.sampled_from([1, 1, 2])), draw(st.sampled_from([0, 0, 0, 1, 2]))
        shot = Shot(name, who, takes=takes, review=gates == 1, hold=gates == 2)
        board = replace(board, shots=(*board.shots, shot))
        at = len(board.shots) - 1
        board = branched(board, at, draw(ANY), draw(st.sampled_from(WAYS)), ends=draw(st.integers(0, 7)) == 7)
    return board


@dataclass(frozen=True)
class Finished:
    """A storyboard that was finished: its film then, and what people had said of it."""

    board: Board
    film: bytes
    said: dict[str, Any]


class Reruns(RuleBasedStateMachine):
    """A person at a project, with a shop that can be looked into."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.world = World(self.folder)
        self.finished: list[Finished] = []
        self.rehearsed: list[tuple[Board, bytes]] = []

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    def shot(self, at: int) -> Shot:
        return self.world.board.shots[at % len(self.world.board.shots)]

    @initialize(board=boards())
    def begin(self, board: Board) -> None:
        self.world.write(board)

    # edits

    @rule(at=ANY, verb=st.sampled_from(VERBS), place=st.sampled_from(PLACES), look=st.sampled_from(LOOKS))
    def words(self, at: int, verb: str, place: str, look: str) -> None:
        name = self.shot(at).name
        board = self.world.board.changed(name, who=name, verb=verb, place=place)
        self.world.write(replace(board, look=look))

    @precondition(lambda self: len(self.world.board.shots) > 1)
    @rule(at=ANY, other=ANY, cut=st.booleans())
    def the_same_as_another(self, at: int, other: int, cut: bool) -> None:
        one = self.shot(at)
        two = [shot for shot in self.world.board.shots if shot != one][other % (len(self.world.board.shots) - 1)]
        same = {"who": "somebody", "verb": one.verb, "place": one.place, "seconds": one.seconds}
        same |= {"begins": "cut", "ends": ""} if cut else {}
        self.world.write(self.world.board.changed(one.name, **same).changed(two.name, **same))

    @rule(at=ANY, seconds=st.sampled_from([1, 2]), takes=st.sampled_from([1, 1, 2, 5]), gates=st.integers(0, 3))
    def wishes(self, at: int, seconds: int, takes: int, gates: int) -> None:
        review, hold = gates == 1, gates == 2
        name = self.shot(at).name
        self.world.write(self.world.board.changed(name, seconds=seconds, takes=takes, review=review, hold=hold))

    @rule(at=ANY, other=ANY, how=st.sampled_from(WAYS), ends=st.booleans())
    def branch(self, at: int, other: int, how: str, ends: bool) -> None:
        self.world.write(branched(self.world.board, at % len(self.world.board.shots), other, how, ends=ends))

    @rule(at=ANY)
    def add(self, at: int) -> None:
        left = [name for name in NAMES if name not in {shot.name for shot in self.world.board.shots}]
        if left:
            shots = list(self.world.board.shots)
            shots.insert(at % (len(shots) + 1), Shot(left[0], left[0]))
            self.world.write(Board(tuple(shots), self.world.board.look))

    @precondition(lambda self: len(self.world.board.shots) > 1)
    @rule(at=ANY)
    def remove(self, at: int) -> None:
        self.world.write(self.world.board.without(self.shot(at).name))

    # what a person says of takes

    @rule(at=ANY, take=st.integers(0, 6))
    def circle(self, at: int, take: int) -> None:
        name = self.shot(at).name
        decision = self.planned().plan.decisions[name]
        mine = self.world.facts().of(decision.key.digest) if decision.key is not None else []
        if mine:
            chosen = mine[take % len(mine)] if take else None
            after = api.circle(self.world.market.file, name, str(chosen.number) if chosen else None)
            if chosen is not None:
                assert (chosen.clip, True) == (clip(after.decisions[name]), after.decisions[name].circled)
            self.foretold()

    @rule(at=ANY, take=st.integers(0, 6))
    def accept(self, at: int, take: int) -> None:
        name = self.shot(at).name
        decision = self.planned().plan.decisions[name]
        key = decision.key.digest if decision.key is not None else None
        mine = [one for one in self.world.facts().takes(name) if one.key != key]
        if key is not None and mine:
            chosen = mine[take % len(mine)]
            after = api.accept(self.world.market.file, name, str(chosen.number))
            assert chosen.clip == clip(after.decisions[name])
            self.foretold()

    @rule(at=ANY, pinned=st.booleans())
    def pin(self, at: int, pinned: bool) -> None:
        name = self.shot(at).name
        take = self.planned().plan.decisions[name].take
        if pinned and (take is None or given(take) is None):
            with pytest.raises(StoryError, match="there is nothing to keep"):
                api.pin(self.world.market.file, name)
        else:
            api.pin(self.world.market.file, name, pinned=pinned)
        self.foretold()

    @rule(at=ANY, more=st.integers(1, 2))
    def retake(self, at: int, more: int) -> None:
        name = self.shot(at).name
        plan = self.planned().plan
        before = plan.decisions[name]
        if before.key is not None:
            after = api.retake(self.world.market.file, name, more).decisions[name]
            flights = (flight for some in plan.facts.flights.values() for flight in some)
            flying = sum(flight.takes for flight in flights if flight.key == before.key.digest)
            assert before.have + flying + before.buy + more == after.want
            self.foretold()

    # runs

    def planned(self, part: Part = WHOLE) -> Loaded:
        return load(self.world.market.file, part=part)

    def foretold(self, part: Part = WHOLE) -> tuple[Loaded, dict[str, Foretold], Facts]:
        """The plan, which the model agrees with."""
        known, loaded = self.world.facts(), self.planned(part)
        plan = loaded.plan
        digests = {name: d.key.digest if d.key else None for name, d in plan.decisions.items()}
        told = self.world.model.foretell(self.world.board, known, part, digests)
        for name, said in told.items():
            d = plan.decisions[name]
            note(f"{name} {d.state}: {d.reason}; buy {d.buy}")
            assert (said.state, said.buy, said.certain) == (d.state, d.buy, d.certain), (name, said, d)
            assert said.clip == clip(d), name
            assert (said.left, said.usable) == (d.left, d.usable), name
        assert plan.facts.spent <= self.world.market.shop.total
        if not known.flights:
            assert plan.facts.spent == self.world.market.shop.total
        return loaded, told, known

    def carried_out(self, part: Part = WHOLE, loaded: Loaded | None = None, file: Path | None = None) -> Outcome:
        """Run, and hold what it did against what was foretold."""
        before, told, known = self.foretold(part)
        spent, film = self.world.market.shop.total, self.world.film()
        flying = {(flight.key, take) for flight in known.flights for take in flight.takes}
        late = sum(
            (f.estimate or Decimal(0) for f in known.flights if f.uuid not in self.world.market.shop.tasks), Decimal(0)
        )
        had, tasks = self.world.bought(), set(self.world.market.shop.tasks)
        plan = saved.read(file) if file else None
        begin = (lambda fresh: saved.begin(plan, fresh)) if plan else (lambda _: None)

        outcome = self.world.market.run(part=part, begin=begin)

        note(f"{outcome.states} {outcome.exit_code} {[str(p) for p in outcome.problems]}")
        assert outcome.exit_code in (0, 1, 5)
        new = self.world.bought() - had - flying
        bill_ = bill.together([before.plan])
        assert bill_.run is not None
        assert bill_.worst is not None
        assert bill_.run <= self.world.market.shop.total - spent - late <= bill_.worst
        self.compared(before, told, tasks, flying, len(new))
        self.check_film(outcome, film)
        after, _, known = self.foretold(part)
        assert not known.flights
        assert {name: d.state for name, d in after.plan.decisions.items()} == outcome.states
        assert not after.plan.work
        self.again(part, outcome)
        return outcome

    def compared(
        self, before: Loaded, told: dict[str, Foretold], tasks: set[str], flying: set[tuple[str, int]], new: int
    ) -> None:
        """Bought exactly what was said: by what was asked for, since shots may ask for the very same."""
        asked = bill.intents(before.plan)
        shop = self.world.market.shop
        got: Counter[str] = Counter()
        for uuid in shop.tasks.keys() - tasks:
            order = shop.tasks[uuid].order
            got[asked.get(order.shot, order.shot)] += len([n for n in order.takes if (order.key, n) not in flying])
        assert new == got.total()
        for name, said in told.items():
            same = [told[other] for other in asked if asked[other] == asked[name]]
            most = max(one.buy for one in same)
            assert got[asked[name]] <= most, (name, said)
            if any(one.certain and one.buy == most for one in same):
                assert got[asked[name]] == most, (name, said)

    def check_film(self, outcome: Outcome, before: bytes | None) -> None:
        """The film is the clips that count, one after the other; or the last one, where a shot has none."""
        known = self.world.facts()
        if outcome.films:
            clips = [outcome.decisions[shot.name].take for shot in self.world.board.shots]
            assert self.world.film() == b"".join(known.clip(take.clip) for take in clips if take is not None)
            assert None not in clips
        else:
            assert before == self.world.film()

    def again(self, part: Part, outcome: Outcome) -> None:
        """A second run makes nothing, asks for nothing and writes nothing."""
        heard, files = len(self.world.market.shop.heard), self.world.files()
        second = self.world.market.run(part=part)
        assert (0, 0) == (second.made, second.changed)
        assert outcome.states == second.states
        assert outcome.exit_code == second.exit_code
        assert heard == len(self.world.market.shop.heard)
        assert files == self.world.files(), "a second run writes"

    @rule(circling=st.booleans())
    def run(self, circling: bool) -> None:
        outcome = self.carried_out()
        while circling and (waits := [name for name, state in outcome.states.items() if state == "waiting"]):
            self.circle([shot.name for shot in self.world.board.shots].index(waits[0]), 1)
            outcome = self.carried_out()
        assert outcome.exit_code in (0, 5)
        film = self.world.film()
        if outcome.exit_code == 0 and film is not None and not any(d.kept for d in outcome.decisions.values()):
            self.finished.append(Finished(self.world.board, film, self.said(outcome)))

    def said(self, outcome: Outcome) -> dict[str, Any]:
        """What people said of each shot, for what it asks for."""
        known = self.world.facts()
        told = {}
        for name, decision in outcome.decisions.items():
            assert decision.key is not None
            key, file = decision.key.digest, known.files.get(name, {})
            told[name] = file.get("circled", {}).get(key), file.get("pinned"), known.wanted.get(name, {}).get(key, 0)
        return told

    @rule(one=ANY, other=ANY, how=st.integers(1, 7), keep_stale=st.booleans())
    def run_of_a_part(self, one: int, other: int, how: int, keep_stale: bool) -> None:
        first, then = self.shot(one).name, self.shot(other).name
        only, until, start = (first, then) if how & 1 else (), then if how & 2 else None, first if how & 4 else None
        asked = bill.intents(self.planned().plan)
        part = Part(only, until, start, keep_stale)
        try:
            self.planned(part)
        except StoryError as error:
            if "no shot is in all of these parts" in str(error):
                return
            raise
        if len(set(asked.values())) == len(asked):  # what others ask for too may be made though it is not in the part
            self.carried_out(part)

    @rule()
    def run_without_spending(self) -> None:
        heard = len(self.world.market.shop.heard)
        before, _, known = self.foretold()
        outcome = self.world.market.run(options=Options(spend=False, resend=False))
        assert heard == len(self.world.market.shop.heard)
        lost = [flight for flight in known.flights if flight.uuid not in self.world.market.shop.tasks]
        if not before.plan.work and not lost:
            assert outcome.exit_code in (0, 5)
        if any(d.buy and d.certain for d in before.plan.decisions.values()):
            assert outcome.exit_code in (4, 6), outcome.problems

    @rule(trips=st.lists(st.integers(-12, 12).filter(bool), min_size=1, max_size=2))
    def run_that_dies(self, trips: list[int]) -> None:
        for trip in trips:
            try:
                self.world.market.run(trip=trip)
            except Crash:
                pass
            self.world.check_nothing_is_lost()
            self.foretold()

    @rule(edit=st.booleans())
    def saved_plan(self, edit: bool) -> None:
        loaded = self.planned()
        file = self.folder / "plan.json"
        file.write_bytes(saved.write(loaded, {}, None))
        if edit:
            with self.world.market.file.open("a", encoding="utf-8") as board:
                board.write("# a word for people\n")
            self.refused(file, "the storyboard changed since this plan was made")
        else:
            self.carried_out(file=file)
        self.refused(file, "this plan was run already" if not edit else "changed since")

    def refused(self, file: Path, why: str) -> None:
        heard = len(self.world.market.shop.heard)
        with pytest.raises(StoryError, match=why):
            self.world.market.run(begin=lambda fresh: saved.begin(saved.read(file), fresh))
        assert heard == len(self.world.market.shop.heard)

    # rehearsals

    @rule()
    def rehearse(self) -> None:
        """A rehearsal draws what its plan says, and leaves alone what was bought, circled, pinned and held."""
        plan = load(self.world.market.file, provider="animatic").plan
        heard, takes = len(self.world.market.shop.heard), self.takes_files()
        outcome = self.world.rehearse()
        assert (0, {"current"}) == (outcome.exit_code, set(outcome.states.values())), outcome.problems
        asked = bill.intents(plan).items()
        shots = {what: [plan.decisions[name] for name, other in asked if other == what] for _, what in asked}
        sure = sum(max(d.buy if d.certain else 0 for d in some) for some in shots.values())
        assert sure <= outcome.made <= sum(max(d.buy for d in some) for some in shots.values())
        second = self.world.rehearse()
        assert (0, 0) == (second.made, second.changed)
        assert (heard, takes) == (len(self.world.market.shop.heard), self.takes_files())
        film = self.world.film("out/animatic")
        assert film is not None
        self.rehearsed.append((self.world.board, film))

    def takes_files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (self.folder / "storyboard.takes").glob("*")}

    @precondition(lambda self: self.rehearsed)
    @rule(which=st.integers(0, 99))
    def words_are_rehearsed_again(self, which: int) -> None:
        board, film = self.rehearsed[which % len(self.rehearsed)]
        self.world.write(board)
        assert not load(self.world.market.file, provider="animatic").plan.work
        assert 0 == self.world.rehearse().made
        assert film == self.world.film("out/animatic")

    # what happens to files

    @rule(gone=st.booleans())
    def files_are_touched(self, gone: bool) -> None:
        if gone:
            shutil.rmtree(self.folder / "out", ignore_errors=True)
        for path in sorted(self.folder.rglob("*")):
            if path.is_file():
                os.utime(path)

    # back

    @precondition(lambda self: self.finished)
    @rule(which=st.integers(0, 99))
    def words_are_put_back(self, which: int) -> None:
        """The take of then is restored for nothing, unless a person has said something else of it since."""
        then = self.finished[which % len(self.finished)]
        self.world.write(then.board)
        loaded, _, known = self.foretold()
        wanted = {name: d.key for name, d in loaded.plan.decisions.items() if d.key is not None}
        if known.flights or set(wanted) != set(then.said):
            return
        now = {
            name: (
                file.get("circled", {}).get(key.digest),
                file.get("pinned"),
                known.wanted.get(name, {}).get(key.digest, 0),
            )
            for name, key in wanted.items()
            for file in [known.files.get(name, {})]
        }
        if now != then.said:
            return
        spent = self.world.market.shop.total
        assert {"current"} == {decision.state for decision in loaded.plan.decisions.values()}
        outcome = self.carried_out()
        assert (0, 0) == (outcome.made, outcome.exit_code)
        assert spent == self.world.market.shop.total
        assert then.film == self.world.film()

    @invariant()
    def nothing_is_lost(self) -> None:
        self.world.check_nothing_is_lost()


def test_any_sequence_of_edits_runs_and_reverts() -> None:
    run_state_machine_as_test(
        Reruns,
        settings=settings(
            max_examples=RERUNS, stateful_step_count=12 if RERUNS <= QUICK else 30, deadline=None,
            derandomize=RERUNS <= QUICK,
            suppress_health_check=list(HealthCheck), database=None,
        ),
    )  # fmt: skip
