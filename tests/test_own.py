"""Our own files, read quickly: as the YAML reader reads them, or not at all. MATCHCUT_OWN says how many are tried."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runner import document, own, takes
from runner.errors import StoryError
from runner.own import Reader
from runner.takes import Record, Take

EXAMPLES = int(os.environ.get("MATCHCUT_OWN", "300"))
words = st.text(st.characters(codec="utf-8"), max_size=30) | st.lists(
    st.sampled_from(
        "a rain-wet lane, it's 12:30 - no: she # says \"yes\" 0010 1e5 null true [x] {y} … é 's ''".split(" ")
    ),
    max_size=60,
).map(" ".join)
names = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,8}", fullmatch=True) | st.sampled_from(
    ["1", "true", "2.5s", "a b", ""]
)
leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | words
trees = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4), max_leaves=12
)
mappings = st.dictionaries(names, trees, max_size=6)


def slow(text: str) -> Any:
    """What the YAML reader makes of a text; the problems, where it makes nothing of it."""
    try:
        return document.parse(text.encode(), "a.yaml").data
    except StoryError as error:
        return error


def same(one: Any, other: Any) -> bool:
    """Equal, with every type and every order."""
    return repr(one) == repr(other)


@settings(max_examples=EXAMPLES, deadline=None)
@given(mappings)
@example({"a": [{"b": "c"}], "d": "word " * 60, "e": "it's: " * 40})
def test_what_we_dump_is_read_as_yaml_reads_it_or_not_at_all(data: dict[str, Any]) -> None:
    text = document.dump(data)
    quick = Reader(document._plain).read(text)
    assert quick is None or same(quick, slow(text))


lines = st.sampled_from([
    "a: 1", "a: b", "b:", "  c: d", "  c: 'x", "  y'", "  y' z'", "- e", "- f: g", "  h: i", "    j", "    k: l", "  - m", "c: []",
    "d: {}", "- - n", "e: \"o\"", "f: \"o", "# p", "g: q # r", "g: q: r", "  s", "", " ", "h: |", "  t", "i: &u v", "j: *u", "k: !w x",
    "<<: {a: 1}", "a: 07", "'a': 1", "? a", "---", "...", "l: -", "m: - 1", "n: ~", "o: =", "p:  q", "q: r ", "1: s", "e: ''", "e: 'a''", "e: '''",
    "r: a\tb", "s: \u00a0", "t: é", "u: 'a  b'", "v: <<<<<<< x", "<<<<<<< x", "a:b", "w: %x", "x: @y", "y: -1", "z: - ",
])  # fmt: skip


@settings(max_examples=EXAMPLES * 5, deadline=None)
@given(st.lists(lines, max_size=9).map("\n".join))
def test_what_people_write_is_read_as_yaml_reads_it_or_not_at_all(text: str) -> None:
    reader = Reader(document._plain)
    for _ in range(2):  # what was kept of the first time changes nothing
        quick = reader.read(text + "\n")
        assert quick is None or same(quick, slow(text + "\n"))


@pytest.fixture
def record() -> Record:
    prompt = "A girl's umbrella turns. Camera: slow glide. " * 8
    frames = {"first": {"index": 0, "time": 0.0, "digest": "0" * 64}, "2.5s": {"index": 60, "digest": "1" * 64}}
    parts = {"request": {"positivePrompt": prompt, "width": 1280}, "inputs": {"frameImages": {}}}
    take = Take(1, "a" * 64, "b" * 64, "runware", "klingai:5@3", parts, {"shot.action": "Rain, and more rain. " * 9},
                frames=frames, probe={"rate": "24/1", "audio": None}, inspect={"cuts": [], "luma": [0.5, 1.0]}, usd="0.9")  # fmt: skip
    return Record("0010", (take, take), pinned="c" * 64)


def test_a_takes_file_is_read_quickly(record: Record, tmp_path: Path) -> None:
    text = takes.text(record)
    quick = Reader(document._plain).read(text)
    assert quick is not None
    assert same(quick, slow(text))


def test_what_is_wrong_with_a_takes_file_has_its_place(record: Record, tmp_path: Path) -> None:
    path = tmp_path / "0010.yaml"
    path.write_text(takes.text(record).replace("provider: runware", "provider: 12", 1), encoding="utf-8")
    with pytest.raises(StoryError) as told:
        takes.read(path, "s.takes/0010.yaml")
    assert ["s.takes/0010.yaml:10:13: provider of a take must be text"] == [
        str(p).split("\n")[0] for p in told.value.problems
    ]


def test_a_takes_file_with_its_end_is_in_our_own_form() -> None:
    text = takes.text(takes.Record("0010", (takes.Take(1, "a" * 64, "b" * 64, "runware", "m", usd="0.10"),)))
    assert text.endswith(f"\n{takes.END}\n")
    assert own.END == f"{takes.END}\n"
    assert document.parse(text.encode(), "0010.yaml").data == Reader(
        lambda word: document.parse(word.encode(), "").data
    ).read(text)
