"""Takes: kept for ever, numbered once, and chosen by a circle that names the clip itself."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner import api, takes
from runner.cli.app import start
from runner.errors import Problem, StoryError
from runner.takes import Circle, Record, Take, chosen, find, renumbered

from .market import Market

A, B, C = "a1" * 32, "b2" * 32, "c3" * 32
KEY, OTHER = "5f" * 32, "6e" * 32


def take(number: int = 1, clip: str = A, key: str = KEY, **more: Any) -> Take:
    return Take(number, key, clip, "runware", "klingai:5@3", **more)


def read(folder: Path, text: str) -> Record:
    (folder / "0010.yaml").write_text(text, encoding="utf-8")
    return takes.read(folder / "0010.yaml", "s.takes/0010.yaml")


def test_a_record_reads_back_as_it_was_written(tmp_path: Path) -> None:
    record = Record(
        "0010",
        (
            take(
                1, A, usd="0.9240", seed=7, bytes=10, task_uuid="x", frames={"last": {"index": 120, "digest": "00123"}}
            ),
            take(2, "1234e5" + "0" * 58, parts={"request": {"CFGScale": 1e-7, "positivePrompt": "yes: no\n"}}),
        ),
        {KEY: Circle(A), OTHER: Circle(drawn=(OTHER, 2))},
        ({"task_uuid": "y", "usd": "0.10", "why": "it failed"},),
        "a1" * 32,
        {"later": [1]},
    )

    again = read(tmp_path, takes.text(record))

    assert record == again
    assert takes.text(record) == takes.text(again)


def test_what_a_newer_version_wrote_beside_is_kept(tmp_path: Path) -> None:
    text = (
        f"shot: '0010'\nlater: [1]\ntakes:\n- {{take: 1, key: {KEY}, clip: {A}, provider: p, model: m, grade: warm}}\n"
    )
    record = read(tmp_path, text)

    assert {"later": [1]} == record.unknown
    assert {"grade": "warm"} == record.takes[0].unknown
    assert record == read(tmp_path, takes.text(record))


def test_a_shot_without_a_file_has_no_takes(tmp_path: Path) -> None:
    assert Record("0010") == takes.read(tmp_path / "0010.yaml", "s.takes/0010.yaml")


def test_the_takes_lie_beside_the_storyboard_a_file_for_each_shot() -> None:
    assert Path("a/film.takes/0010.yaml") == takes.path(Path("a/film.yaml"), "0010")


def test_an_approval_of_another_clip_is_found(tmp_path: Path) -> None:
    text = takes.text(Record("0010", (take(1, A),), {KEY: Circle(B)}))

    with pytest.raises(StoryError, match=r"s.takes/0010.yaml:5:69: clip b2b2b2b2b2b2 is circled, but it is not among"):
        read(tmp_path, text)


def test_two_takes_with_one_number_are_told_apart_by_their_clips() -> None:
    assert [(1, A), (2, B), (3, C)] == [(t.take, t.clip) for t in renumbered([take(1, C), take(2, B), take(1, A)])]
    assert renumbered([take(1, A), take(1, B)]) == renumbered([take(1, B), take(1, A)])


def test_the_same_clip_of_the_same_key_is_there_once() -> None:
    record = (
        Record("0010").with_take(take(1, A)).with_take(take(5, A)).with_take(take(1, B)).with_take(take(1, A, OTHER))
    )

    assert [(1, A, KEY), (2, B, KEY), (3, A, OTHER)] == [(t.take, t.clip, t.key) for t in record.takes]


@pytest.mark.parametrize(
    ("circled", "expected"),
    [
        ({}, (A, False)),
        ({KEY: Circle(B)}, (B, True)),
        ({KEY: Circle(C)}, (C, True)),
        ({OTHER: Circle(B)}, (A, False)),
        ({KEY: Circle(drawn=(KEY, 2))}, (B, True)),
        ({KEY: Circle(drawn=(KEY, 9))}, (A, False)),
    ],
)
def test_the_circled_take_counts_else_the_lowest_of_this_key(
    circled: dict[str, Circle], expected: tuple[str, bool]
) -> None:
    found, by_hand = chosen([take(2, B), take(1, A), take(3, C, OTHER)], KEY, circled)

    assert found is not None
    assert expected == (found.clip, by_hand)


def test_without_a_take_of_this_key_none_is_chosen() -> None:
    assert (None, False) == chosen([take(1, A, OTHER)], KEY, {})


@pytest.mark.parametrize(
    ("wanted", "clip"),
    [
        ("1", A),
        ("2", B),
        ("3", None),
        (A[:6], A),
        (A[:6].upper(), A),
        (A[:5], None),
        ("b2b2b2", None),
        (B, B),
        ("zzzzzz", None),
    ],
)
def test_a_take_is_named_by_its_number_or_by_six_digits_of_its_clip(wanted: str, clip: str | None) -> None:
    found = find([take(1, A), take(2, B), take(4, B[:-1] + "0")], wanted)

    assert clip == (found[0].clip if len(found) == 1 else None)


def test_a_take_keeps_its_number_and_a_new_one_gets_the_next() -> None:
    record = Record("0010").with_take(take(1, C)).with_take(take(1, A))

    assert [(1, C), (2, A)] == [(t.take, t.clip) for t in record.takes]


def test_a_number_that_stands_twice_is_told_with_its_place_and_not_changed_until_the_next_write(tmp_path: Path) -> None:
    text = takes.text(Record("0010", (take(1, B), take(2, C)))).replace("take: 2", "take: 1")
    (tmp_path / "0010.yaml").write_text(text, encoding="utf-8")
    told: list[Problem] = []

    record = takes.read(tmp_path / "0010.yaml", "s.takes/0010.yaml", told)

    fact = "take number 1 stands twice: clip c3c3c3c3c3c3 becomes take 2 when this file is next written"
    assert [f"s.takes/0010.yaml:11:9: warning: {fact}"] == [str(problem) for problem in told]
    assert [(1, B), (2, C)] == [(t.take, t.clip) for t in record.takes]
    assert text == (tmp_path / "0010.yaml").read_text(encoding="utf-8")


def test_a_take_that_stands_twice_after_a_merge_is_one_take(tmp_path: Path) -> None:
    first = take(1, A, frames={"last": {"digest": "x"}})
    second = take(3, A, frames={"2.5s": {"digest": "y"}}, usd="0.10")
    record = read(tmp_path, takes.text(Record("0010", (first, second))))

    (one,) = record.takes
    assert (1, "0.10", {"last", "2.5s"}) == (one.take, one.usd, set(one.frames))


def test_two_records_joined_have_everything_of_both_whichever_comes_first() -> None:
    one = Record("0010", (take(1, A), take(2, B))).with_circle(KEY, Circle(A)).with_charge("x", Decimal(1), "why")
    two = replace(Record("0010", (take(1, A), take(2, C))).with_charge("a", Decimal(2), "y"), unknown={"later": 1})

    assert one.joined(two) == two.joined(one)
    assert [(1, A), (2, B), (3, C)] == [(t.take, t.clip) for t in one.joined(two).takes]
    assert ["a", "x"] == [charge["task_uuid"] for charge in one.joined(two).charges]
    assert one.joined(two) == one.joined(two).joined(one).joined(two)


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        (f"{{take: 0, key: {KEY}, clip: {A}, provider: p, model: m}}", "takes are numbered from 1"),
        (f"{{take: 1, key: {KEY}, clip: {A}, provider: p, model: m, usd: dear}}", "usd of a take must be an amount"),
    ],
)
def test_a_take_with_an_impossible_value_is_told(text: str, fact: str, tmp_path: Path) -> None:
    with pytest.raises(StoryError, match=fact):
        read(tmp_path, f"shot: '0010'\ntakes:\n- {text}\n")


@pytest.mark.parametrize("version", ["2", "0", "one", "true"])
def test_a_format_that_is_not_known_is_refused(version: str, tmp_path: Path) -> None:
    with pytest.raises(StoryError, match=r"0010.yaml:1:11: this takes file has format .*\n  try: a newer matchcut"):
        read(tmp_path, f"matchcut: {version}\nshot: '0010'\n")


def test_a_digest_that_may_be_two_takes_is_told_and_a_number_that_stands_twice_is_renumbered_by_a_circle(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    market = Market(tmp_path, '- {shot: "0010", action: A lamp., takes: 3}')
    market.run()
    file = tmp_path / "storyboard.takes" / "0010.yaml"
    record = takes.read(file, file.name)
    alike = [replace(t, clip=f"abcdef{t.clip[6:]}", take=min(t.take, 2)) for t in record.takes]
    file.write_text(takes.text(replace(record, takes=tuple(alike))), encoding="utf-8")
    shutil.rmtree(tmp_path / ".matchcut" / "store" / "takes")

    assert 0 == start(["check", str(market.file)])
    assert "take number 2 stands twice: clip abcdef" in capsys.readouterr().err
    assert 2 == start(["circle", "0010", "abcdef", str(market.file)])
    said = capsys.readouterr().err
    assert "abcdef may be take 1 (abcdef" in said
    assert "or take 3 (abcdef" in said
    assert "try: its number, or more digits" in said
    assert 0 == start(["circle", "0010", alike[0].clip[:20], str(market.file)])
    assert "take number 2 stands twice" in capsys.readouterr().err
    assert [1, 2, 3] == market.takes()["0010"]
    assert 0 == start(["check", str(market.file)])
    assert "stands twice" not in capsys.readouterr().err


def test_a_new_take_takes_no_number_that_another_key_has(tmp_path: Path) -> None:
    market = Market(tmp_path, '- {shot: "0010", action: A lamp., takes: 2}')
    market.run()
    market.write('- {shot: "0010", action: A candle., takes: 2}')
    market.run()
    before = market.record()

    assert [1, 2, 3, 4] == market.takes()["0010"]
    assert [(1, 2), (3, 4)] == [task.order.takes for task in market.shop.tasks.values()]
    assert 0 == market.run().changed
    assert before == market.record()


def test_the_list_shows_every_take(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    market = Market(tmp_path, '- {shot: "0010", action: A lamp., takes: 2}\n- {shot: "0020", action: Rain.}')
    assert 0 == start(["takes", str(market.file)])
    assert "no takes yet\n" == capsys.readouterr().out
    market.run()
    market.write('- {shot: "0010", action: A lamp., takes: 2}\n- {shot: "0021", action: Snow.}')
    api.circle(market.file, "0010", "2")

    assert 0 == start(["takes", "list", str(market.file)])

    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["0010", "1", "fits", "$0.10"] == lines[1][:4]
    assert ["0010", "2", "circled", "fits,", "in", "use", "$0.10"] == lines[2][:7]
    assert ["0020", "1", "no", "such", "shot", "$0.10"] == lines[3][:6]
    assert ["3", "takes;", "none", "yet", "of", "0021"] == lines[4]
    assert 0 == start(["takes", "--json", str(market.file)])
    told = json.loads(capsys.readouterr().out)
    assert [(1, False), (2, True)] == [(take["take"], take["circled"]) for take in told["shots"][0]["takes"]]
    assert ["0020"] == list(told["orphans"])


def test_a_circle_is_put_and_taken_back() -> None:
    record = Record("0010", (take(1, A),)).with_circle(KEY, Circle(A))

    assert {KEY: Circle(A)} == record.circled
    assert {} == record.with_circle(KEY, None).circled


def test_what_a_failed_call_was_charged_is_kept_once() -> None:
    record = Record("0010").with_charge("x", Decimal("0.10"), "refused").with_charge("x", Decimal("0.20"), "again")

    assert ({"task_uuid": "x", "usd": "0.10", "why": "refused"},) == record.charges


@pytest.mark.parametrize(
    "charges", ["{usd: 1}", "[x]", "[{usd: 0.5}]", "[{task_uuid: x}]", '[{usd: "-1"}]', '[{usd: "NaN"}]']
)
def test_a_charge_that_does_not_say_its_cost_is_told(charges: str, tmp_path: Path) -> None:
    with pytest.raises(
        StoryError, match=r"s.takes/0010.yaml:2:1\d: (a charge must say what it cost|charges must be a list)"
    ):
        read(tmp_path, f"shot: '0010'\ncharges: {charges}\n")


@settings(max_examples=60, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.text("0123456789abcdef", min_size=64, max_size=64),
    st.text(max_size=20).filter(lambda text: text.isprintable()),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_any_digest_and_any_words_come_back(tmp_path: Path, digest: str, words: str, number: float) -> None:
    record = Record(
        "0010", (take(1, digest, words={"shot.action": words}, probe={"fps": number}),), {digest: Circle(digest)}
    )

    assert record == read(tmp_path, takes.text(record))
