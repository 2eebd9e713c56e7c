"""Takes: kept for ever, numbered once, and chosen by a circle that names the clip itself."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner import takes
from runner.errors import StoryError
from runner.takes import Circle, Record, Take, chosen, find, renumbered

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
