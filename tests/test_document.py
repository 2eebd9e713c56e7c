"""A document: plain data by the rules of YAML 1.2, the place of every value, and a form that reads back the same."""

from __future__ import annotations

import math
import re
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner import conflict, document
from runner.document import Document, Route
from runner.errors import Place, Problem, StoryError

TRY = "\n  try: "


def read(text: str) -> Any:
    return Document("file.yaml", text).data


def told(raw: str | bytes) -> str:
    with pytest.raises(StoryError) as error:
        document.parse(raw if isinstance(raw, bytes) else raw.encode(), "file.yaml")
    return str(error.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("no", "no"),
        ("y", "y"),
        ("0010", "0010"),
        ("-007", "-007"),
        ("2026-01-01", "2026-01-01"),
        ("12:30", "12:30"),
        ("0x1F", "0x1F"),
        ("0o17", "0o17"),
        ("1_000", "1_000"),
        ("=", "="),
        ("nan", "nan"),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("NULL", None),
        ("10", 10),
        ("+3", 3),
        ("0", 0),
        ("-0.5", -0.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("1e400", math.inf),
        ("-.inf", -math.inf),
        ('"10"', "10"),
        ("'true'", "true"),
        ("!!str 10", "10"),
        ("!!int 10", 10),
        ("!!float 10", 10),
        ('!!int "10"', 10),
        ("&ten !!str 10", "10"),
        ("9" * 301, "9" * 301),
        ("yes!", "yes!"),
    ],
)
def test_a_value_is_read_by_the_rules_of_yaml_1_2(text: str, value: Any) -> None:
    found = read(f"- {text}")[0]

    assert value == found
    assert type(value) is type(found)


def test_nan_is_read_as_a_number() -> None:
    assert math.isnan(read(".nan"))


def test_numbers_with_a_leading_zero_stay_text_and_are_noted_where_they_are_not_in_quotes() -> None:
    found = Document("file.yaml", 'a: 0010\nb: "0020"\nc: [00, 0x10, 0.5, 010:20]\n')

    assert {"a": "0010", "b": "0020", "c": ["00", "0x10", 0.5, "010:20"]} == found.data
    assert [("0010", Place("file.yaml", 1, 4)), ("00", Place("file.yaml", 3, 5))] == found.unquoted_zeros


def test_merge_keys_are_the_weakest_and_the_first_of_several_goes_before_the_next() -> None:
    text = (
        "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc:\n  y: 3\n  <<: [*a, *b]\nd: {<<: *a, x: 4}\ne: {<<: *b, <<: *a}\n"
    )
    data = read(text)

    assert {"x": 1, "y": 3, "z": 2} == data["c"]
    assert {"x": 4, "y": 1} == data["d"]
    assert {"x": 1, "y": 2, "z": 2} == data["e"]


def test_the_place_of_a_merged_value_is_where_it_was_written() -> None:
    found = Document("file.yaml", "a: &a {x: 1}\nb:\n  <<: *a\n  y: 2\n")

    assert Place("file.yaml", 1, 11) == found.place(("b", "x"))
    assert Place("file.yaml", 1, 8) == found.key_place(("b", "x"))
    assert Place("file.yaml", 4, 6) == found.place(("b", "y"))


def test_the_place_of_what_is_not_there_is_that_of_the_nearest_value_above() -> None:
    found = Document("file.yaml", "a:\n  - b: 1\n")

    assert Place("file.yaml", 2, 5) == found.place(("a", 0, "c", "d"))
    assert Place("file.yaml", 2, 3) == found.place(("a", 7))
    assert Place("file.yaml", 1, 1) == found.place(("none",))


@pytest.mark.parametrize(
    ("text", "nth", "line", "col"),
    [
        ("a: one two one\n", 0, 1, 4),
        ("a: one two one\n", 1, 1, 12),
        ("a: |\n  x\n\n  one\n", 0, 4, 3),
        ("a: >2\n    x\n    one\n", 0, 3, 5),
        ("a: |\r\n  x\r\n  one\r\n", 0, 3, 3),
        ("a: x\n  y\n\n  one\n", 0, 4, 3),
        ('a: "é \\u00e9\n  one"\n', 0, 2, 3),
        ("a: '雨''one'\n", 0, 1, 8),
        ("a: one\n", 5, 1, 4),
        ('a: "\\x6fne"\n', 0, 1, 4),
        ("one: two\na: xone\n", 0, 2, 5),
    ],
)
def test_the_place_of_words_inside_a_text(text: str, nth: int, line: int, col: int) -> None:
    assert Place("file.yaml", line, col) == Document("file.yaml", text).place_of(("a",), "one", nth)


def test_words_are_found_when_they_are_broken_over_lines_or_have_their_quotes_escaped() -> None:
    folded = Document("file.yaml", "a: >\n  x {{ b +\n    c }}\nd: \"{{ e|f(\\\"g\\\") }}\"\nh: '{{ ''i'' }}'\n")

    assert Place("file.yaml", 2, 5) == folded.place_of(("a",), "{{ b + c }}")
    assert Place("file.yaml", 4, 5) == folded.place_of(("d",), '{{ e|f("g") }}')
    assert Place("file.yaml", 5, 5) == folded.place_of(("h",), "{{ 'i' }}")


def test_a_file_that_is_too_large_is_not_read() -> None:
    assert f"file.yaml: the file is larger than 32 MiB (bytes_max){TRY}split it" == told(b" " * (32 * 1024**2 + 1))


def test_an_alias_bomb_is_refused_before_it_is_taken_in() -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 10)}]\n" for n in range(20)
    )
    tracemalloc.start()
    try:
        message = told(bomb)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert "aliases in this file stand for more than 1,000,000 values (values_max)" in message
    assert peak < 5_000_000


@pytest.mark.parametrize(
    "text", ["[" * 70 + "]" * 70, "{a: " * 70 + "}" * 70, "- " * 70 + "x", "[" * 1900 + "]" * 1900, "[" * 100_000]
)
def test_values_may_not_be_nested_without_end(text: str) -> None:
    assert "nested more than 64 deep (depth_max)" in told(text)


def test_deep_blocks_are_measured_too() -> None:
    assert "nested more than 64 deep" in told("".join(f"{' ' * n * 4}a:\n" for n in range(70)))


def test_a_merge_conflict_is_named_with_both_sides_wherever_it_stands() -> None:
    first = "a: 1\n<<<<<<< ours\nb: 1\n=======\nb: 2\n>>>>>>> theirs\n"
    fact = "a merge conflict is not resolved here: ours (from line 3) against theirs (from line 5)"

    assert f"file.yaml:2:1: {fact}" in told(first)
    assert f"file.yaml:2:1: {fact}" in told(first.replace("\n", "\r\n"))
    assert "theirs (from line 7)" in told(first.replace("=======", "||||||| base\nb: 0\n======="))
    assert {"a": "x\n=======\n"} == read("a: |\n  x\n  =======\n")


@pytest.mark.parametrize("line", ["<<<<<<< ours", "||||||| base", "=======", ">>>>>>> theirs"])
def test_a_line_that_is_left_over_of_a_conflict_is_named(line: str) -> None:
    assert f"file.yaml:2:1: a line of a merge conflict is left over here ({line})" in told(f"a: 1\n{line}\nb: 2\n")


def test_both_sides_of_a_conflict_are_read() -> None:
    text = "a: 1\n<<<<<<< o\nb: 1\n||||||| base\nb: 0\n=======\nb: 2\n>>>>>>> t\nc: 3\n<<<<<<< o\n=======\nd: 4\n>>>>>>> t\n"

    assert ("a: 1\nb: 1\nc: 3\n", "a: 1\nb: 2\nc: 3\nd: 4\n") == conflict.sides(text)
    assert [(2, 6, 8), (10, 11, 13)] == [(c.line, c.middle, c.end) for c in conflict.find(text)]


def test_a_byte_order_mark_and_crlf_are_nothing_to_speak_of() -> None:
    found = document.parse(b"\xef\xbb\xbfa: 1\r\nb: |\r\n  x\r\n  y\r\n", "file.yaml")

    assert {"a": 1, "b": "x\ny\n"} == found.data
    assert Place("file.yaml", 1, 1) == found.key_place(("a",))


def test_a_file_that_is_not_there_is_told_with_one_that_is_near(tmp_path: Path) -> None:
    (tmp_path / "storyboard.yaml").write_text("a: 1")
    with pytest.raises(StoryError, match=r"stroyboard.yaml does not exist\n  try: .*storyboard.yaml"):
        document.read(tmp_path / "stroyboard.yaml")
    with pytest.raises(StoryError, match=r"is a folder\n  try: .*/storyboard.yaml"):
        document.read(tmp_path)
    assert {"a": 1} == document.read(tmp_path / "storyboard.yaml").data


def test_without_takes_values_out_and_leaves_the_data_itself_alone() -> None:
    data = {"a": [1, {"b": 2, "c": 3}], "d": 4}

    assert {"a": [None, {"c": 3}], "d": 4} == document.without(data, [("a", 0), ("a", 1, "b"), ("e", "f"), ()])
    assert {"a": [1, {"b": 2, "c": 3}], "d": 4} == data
    assert data is document.without(data, [])


# --- what holds for everything ---------------------------------------------------------------------------------------

QUICK = settings(max_examples=150, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), max_size=30
) | st.sampled_from(
    "0010 10 1e3 null ~ true yes on 2026-01-01 <<<<<<< - ? : # & * ! | > ' \" % @ ` {{ [ ] = << .nan .inf 0x1 1_0".split()
)
DATA = st.recursive(
    TEXTS | st.integers() | st.floats(allow_nan=False) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@QUICK
@given(st.dictionaries(TEXTS, DATA, min_size=1, max_size=4))
def test_what_is_written_is_read_back_the_same(data: dict[str, Any]) -> None:
    again = read(document.dump(data))

    assert repr(data) == repr(again)
    assert document.dump(data) == document.dump(again)


@QUICK
@given(st.dictionaries(TEXTS, DATA, min_size=1, max_size=4))
def test_every_place_points_at_text_that_begins_with_the_value(data: dict[str, Any]) -> None:
    text = document.dump(data)
    found = Document("file.yaml", text)
    for route, value in leaves(data):
        rest = after(text, found.place(route))
        assert repr(value) == repr(alone(rest)), rest
        if isinstance(route[-1], str):
            key = after(text, found.key_place(route))
            assert route[-1] == alone(key.removeprefix("? "), key=True), key


def leaves(data: Any, route: Route = ()) -> Iterator[tuple[Route, Any]]:
    """Every value that holds no other, with its route."""
    if isinstance(data, dict | list) and data:
        for name, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield from leaves(value, (*route, name))
    else:
        yield route, data


def after(text: str, place: Place) -> str:
    lines = text.splitlines(keepends=True) if place.line else []
    return "".join([lines[place.line - 1][place.col - 1 :], *lines[place.line :]])


def alone(text: str, *, key: bool = False) -> Any:
    """What the first value of a text is, read by itself."""
    if text[:1] not in {'"', "'", "|", ">"}:
        text = text.partition("\n")[0]  # texts this short are not broken over lines
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.ScalarEvent):
            return event.value if key or event.style else read(event.value)
        if isinstance(event, yaml.SequenceStartEvent) and event.flow_style:
            return []
        if isinstance(event, yaml.MappingStartEvent) and event.flow_style:
            return {}
    return None


def found_or_told(raw: bytes) -> Document | tuple[Problem, ...]:
    try:
        return document.parse(raw, "file.yaml")
    except StoryError as error:
        return error.problems


@QUICK
@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_any_bytes_are_read_or_refused_in_words(raw: bytes) -> None:
    found = found_or_told(raw)

    if isinstance(found, Document):
        assert all(found.place(route).line >= 1 for route, _ in leaves(found.data))
    else:
        assert all(problem.fact and problem.place for problem in found)


YAMLISH = st.lists(
    st.sampled_from(
        "a: |- |> |\n|  |    |&x |*x|<<: |[|]|{|}|, |'|\"|!!str |!t |# |? |---|...|0010|\t|x|%|@|: |\\".split("|")
    )
    | st.text(max_size=2),
    max_size=30,
).map("".join)


@QUICK
@given(YAMLISH)
def test_anything_like_yaml_is_read_or_refused_at_a_place_in_the_file(text: str) -> None:
    found = found_or_told(text.encode())
    lines = re.split(r"\r\n|[\n\r\x85\u2028\u2029]", text)

    for problem in () if isinstance(found, Document) else found:
        assert problem.place is not None
        assert 1 <= problem.place.line <= len(lines)
        assert 1 <= problem.place.col <= len(lines[problem.place.line - 1]) + 1
