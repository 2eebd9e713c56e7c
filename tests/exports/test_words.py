"""Numbers and text as the report and the drawings write them."""

from __future__ import annotations

import pytest

from runner.exports.words import clock, dollars, elide, flat, rate, signed, size, span


@pytest.mark.parametrize(("usd", "said"), [(0, "$0.00"), (0.924, "$0.924"), (1.8, "$1.80"), (1234.5, "$1,234.50")])
def test_money_is_told_in_cents_and_what_is_below_where_there_is_something(usd: float, said: str) -> None:
    assert said == dollars(usd)


@pytest.mark.parametrize(
    ("text", "said"),
    [("short", "short"), ("a longer text", "a longe…"), ("夜の橋を渡る", "夜の橋…"), ("a\n\tb", "a b")],
)
def test_long_text_is_cut_by_the_room_it_takes(text: str, said: str) -> None:
    assert said == elide(text, 8)


def test_numbers_are_told_with_their_units() -> None:
    assert [span(5.0), span(5.04), span(0)] == ["5 s", "5.04 s", "0 s"]
    assert [size(999), size(23_400), size(2_310_442)] == ["999 bytes", "23 kB", "2.3 MB"]
    assert [rate("24/1"), rate("24000/1001"), rate("0/0")] == ["24", "23.976", "0/0"]
    assert [clock(0), clock(65.25), clock(59.999)] == ["0:00.00", "1:05.25", "1:00.00"]
    assert [signed(0.4), signed(-1.25), signed(0.01)] == ["+0.4", "\u22121.2", "0.0"]


def test_what_a_file_holds_is_told_name_by_name() -> None:
    told = {"clip": {"rate": "24/1", "ok": True}, "cuts": [1, 2], "asked": [{"fact": "x"}], "seed": None}
    said = [("clip.rate", "24/1"), ("clip.ok", "yes"), ("cuts", "1, 2"), ("asked.0.fact", "x"), ("seed", "none")]
    assert said == list(flat(told))
