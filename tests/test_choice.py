"""Choosing takes: what the commands tell of what a person may choose, and of what follows."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner import api
from runner.cli import run
from runner.cli.app import start
from runner.cli.progress import watched
from runner.load import load
from runner.work import Event

from .market import Crash, Market

GATES = '- {shot: "0010", action: A lamp., takes: 2}\n- {shot: "0020", action: Rain., review: true}'


def test_a_shot_that_waits_names_the_takes_that_fit_its_present_words(tmp_path: Path) -> None:
    market = Market(tmp_path, '- {shot: "0010", action: A lamp., review: true}')
    assert "matchcut circle 0010 1, once you have looked" in run.summary(market.run())
    market.write('- {shot: "0010", action: A candle., review: true}')
    assert "matchcut circle 0010 2, once you have looked" in run.summary(market.run())
    market.write('- {shot: "0010", action: A candle., review: true, takes: 2}')
    assert "matchcut circle 0010 2 (or 3), once you have looked" in run.summary(market.run())


def test_a_circle_tells_what_is_to_be_bought_and_what_only_waits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    market = Market(tmp_path, GATES)
    market.run()
    assert 0 == start(["circle", "0010", "2", str(market.file)])
    assert "  what follows is to be made again: 0020 ($0.10 at most)\n" in capsys.readouterr().out
    market.run()

    assert 0 == start(["circle", "0010", "1", str(market.file)])
    assert "0010: take 1 is circled\n  0020 waits: 1 take made; one must be circled\n" == capsys.readouterr().out

    api.circle(market.file, "0020", "1")
    assert 0 == start(["circle", "0010", "1", str(market.file)])
    assert "0010: take 1 is circled\n" == capsys.readouterr().out


def test_progress_counts_what_is_made_beyond_the_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    market = Market(tmp_path, GATES)
    market.run()
    with watched(load(market.file).plan) as see:
        see(Event("begun", "0010"))
        see(Event("done", "0010"))
    assert capsys.readouterr().err.startswith("[1/1] 0010 made")


def test_progress_reckons_with_what_is_in_flight(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    market = Market(tmp_path, '- {shot: "0010", action: A lamp.}')
    with pytest.raises(Crash):
        market.run(trip=3)
    with watched(load(market.file).plan) as see:
        see(Event("begun", "0010"))
        see(Event("done", "0010"))
    assert capsys.readouterr().err.startswith("[1/1] 0010 made")


def test_costs_tell_what_is_in_flight_beside_what_was_spent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    market = Market(tmp_path, '- {shot: "0010", action: A lamp.}', more="budget: 3.0\n")
    with pytest.raises(Crash):
        market.run(trip=3)
    assert 0 == start(["costs", str(market.file)])
    said = capsys.readouterr().out
    assert "in flight: 0010, 1 take, about $0.10, sent " in said
    assert "\nspent $0.00 of $3.00; about $0.10 more in flight\n" in said


def test_asked_twice_for_one_more_take_there_are_two_more(tmp_path: Path) -> None:
    market = Market(tmp_path, '- {shot: "0010", action: A lamp., takes: 2}')
    assert [3, 4] == [api.retake(market.file, "0010").decisions["0010"].want for _ in range(2)]
    market.run()
    assert {"0010": [1, 2, 3, 4]} == market.takes()
    assert 5 == api.retake(market.file, "0010").decisions["0010"].want
