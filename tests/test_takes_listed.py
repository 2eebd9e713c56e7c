"""What people are told of takes: every one there is or was, what it is good for, and what was accepted for other words."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from runner import api, takes
from runner.cli.app import start
from runner.errors import StoryError
from runner.load import load
from runner.work import Options

from .market import Market

SHOTS = """
- {shot: "0010", action: A lamp burns., takes: 2}
- {shot: "0020", action: Rain runs.}
"""
LANGUAGES = "variants:\n  language: {en: {values: {sign: OPEN}}, de: {values: {sign: OFFEN}}}\n"
SIGNS = """
- {shot: "0010", action: A lamp burns.}
- {shot: "0020", action: "The sign says {{ sign }}."}
"""


@pytest.fixture
def market(tmp_path: Path) -> Market:
    made = Market(tmp_path / "project", SHOTS)
    made.run()
    return made


def listed(market: Market, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[list[str], list[dict[str, Any]]]:
    """What `matchcut takes` says, line by line, and its takes as data, with their shots."""
    capsys.readouterr()
    assert 0 == start(["takes", str(market.file), *more])
    said = capsys.readouterr().out.splitlines()
    assert 0 == start(["takes", str(market.file), *more, "--json"])
    shots = json.loads(capsys.readouterr().out)["shots"]
    return said, [{"shot": shot["shot"], **take} for shot in shots for take in shot["takes"]]


def test_a_lost_take_and_one_whose_clip_is_elsewhere_are_listed_as_that(
    market: Market, capsys: pytest.CaptureFixture[str]
) -> None:
    store = load(market.file).project.store
    for name in ("0010", "0020"):
        for take in load(market.file).plan.facts.takes[name]:
            store.path(take.clip).unlink()
    for path in (market.folder / "out" / "clips").iterdir():
        path.unlink()
    said, _ = listed(market, capsys)
    assert 3 == sum("not on this machine" in line for line in said)

    market.run(options=Options(again=True))

    said, found = listed(market, capsys)
    assert 3 == sum("lost: its clip is nowhere any more" in line for line in said)
    assert [("0010", 1), ("0010", 2), ("0020", 1)] == [(take["shot"], take["take"]) for take in found if take["lost"]]
    assert 6 == len(found)
    assert [take["lost"] for take in found] == [not take["here"] for take in found]


def test_an_accepted_take_is_told_as_one_everywhere(market: Market, capsys: pytest.CaptureFixture[str]) -> None:
    market.write(SHOTS.replace("Rain", "Snow"))
    api.accept(market.file, "0020")

    told = "take 1, made for other words or frames, was accepted for these"
    assert told == load(market.file).plan.decisions["0020"].reason
    assert 0 == start(["plan", str(market.file)])
    assert "1/1" in next(line for line in capsys.readouterr().out.splitlines() if told in line)
    assert 0 == start(["why", "0020", str(market.file)])
    assert told in capsys.readouterr().out
    said, found = listed(market, capsys)
    (line,) = (line for line in said if line.startswith("0020"))
    assert "circled  made for other words or frames, accepted for these, in use" in line
    assert [False, False, True] == [take["accepted"] for take in found]


def test_who_circles_a_take_of_other_words_is_told_of_accept(market: Market) -> None:
    market.write(SHOTS.replace("A lamp", "The lamp"))
    with pytest.raises(
        StoryError, match=r"made for other words or frames(?s:.*)try: matchcut accept 0010 --take 2, if"
    ):
        api.circle(market.file, "0010", "2")
    market.write(SHOTS.replace("Rain", "Snow"))
    with pytest.raises(StoryError, match=r"made for other words or frames(?s:.*)try: matchcut accept 0020, if"):
        api.circle(market.file, "0020", "1")
    with pytest.raises(StoryError, match=r"no take 7 for its present words(?s:.*)matchcut run makes it"):
        api.circle(market.file, "0020", "7")


def test_accept_answers_with_the_take_that_was_named(market: Market, capsys: pytest.CaptureFixture[str]) -> None:
    file = takes.path(market.file, "0010")
    record = takes.read(file, file.name)
    one, two = record.takes
    file.write_text(takes.text(record).replace(two.clip, one.clip), encoding="utf-8")
    shutil.rmtree(market.folder / ".matchcut" / "store")
    (market.folder / ".matchcut" / "journal.sqlite").unlink()
    market.write(SHOTS.replace("A lamp", "The lamp"))

    assert 0 == start(["accept", "0010", str(market.file), "--take", "2"])

    assert f"0010: take 2 ({one.clip[:8]}, the same clip as take 1) is accepted" in capsys.readouterr().out


def test_the_takes_of_all_variants_are_listed_with_those_they_serve(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    market = Market(tmp_path / "project", SIGNS, more=LANGUAGES)
    market.run(variant="en")
    market.run(variant="de")

    said, found = listed(market, capsys)

    assert ["shot", "take", "variants", "state", "USD", "clip", "model"] == said[0].split()
    served = {"0010": {("en", "de")}, "0020": {("en",), ("de",)}}
    assert served == {shot: {tuple(t["variants"]) for t in found if t["shot"] == shot} for shot in served}
    assert "3 takes" == said[-1]
    assert [["0010", "1"], ["0020", "1"]] == [
        line.split()[:2] for line in listed(market, capsys, "--variant", "en")[0][1:-1]
    ]
