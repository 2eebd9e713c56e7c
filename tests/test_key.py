"""The key of a take: what counts and what doesn't, held by golden vectors, and an explanation that can't lie.

The vectors are a promise: if one changes, every take that was ever paid for is stale.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner import card, key
from runner.errors import StoryError
from runner.key import Change

VECTORS = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (Path(__file__).parent / "keys").glob("*.json")
}
DELIVERY = card.load("klingai:5@3").delivery


def made(**changes: Any) -> key.Key:
    """The key of a small request, with some of it changed."""
    asked: dict[str, Any] = {"provider": "runware", "first": None, "last": None, "delivery": DELIVERY}
    request = {"taskType": "videoInference", "model": "klingai:5@3", "positivePrompt": "Rain.", "duration": 5}
    rest = {name: value for name, value in changes.items() if name in {*asked, "slate"}}
    return key.make(**{**asked, **rest}, request={**request, **{k: v for k, v in changes.items() if k not in rest}})


@pytest.mark.parametrize("name", sorted(VECTORS))
def test_a_golden_vector_keeps_its_key(name: str) -> None:
    vector = VECTORS[name]
    delivery = card.load(vector["asked"]["request"]["model"]).delivery
    found = key.make(**vector["asked"], delivery=delivery)

    assert vector["parts"] == found.parts
    assert vector["digest"] == found.digest
    assert vector["digest"] == key.digest(vector["parts"])


@pytest.mark.parametrize("name", sorted(set(VECTORS) - {"float-small"}))
def test_the_digest_can_be_had_with_nothing_but_the_standard_library(name: str) -> None:
    text = json.dumps(VECTORS[name]["parts"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    assert VECTORS[name]["digest"] == hashlib.sha256(text.encode()).hexdigest()


def test_there_are_vectors_enough_and_only_what_does_not_count_shares_a_key() -> None:
    by_digest: dict[str, set[str]] = {}
    for name, vector in VECTORS.items():
        by_digest.setdefault(vector["digest"], set()).add(name)

    assert len(VECTORS) >= 20
    assert [{"delivery", "text-to-video"}] == [names for names in by_digest.values() if len(names) > 1]


@pytest.mark.parametrize("name", sorted(DELIVERY))
def test_a_delivery_field_does_not_count(name: str) -> None:
    assert made() == made(**{name: "anything"})


@pytest.mark.parametrize(
    "change",
    [
        {"provider": "animatic@1"},
        {"model": "klingai:4@3"},
        {"positivePrompt": "Rain. "},
        {"positivePrompt": "rain."},
        {"negativePrompt": "snow"},
        {"duration": 10},
        {"duration": "5"},
        {"duration": True},
        {"CFGScale": 0.5},
        {"first": {"pixels": "a"}},
        {"first": {"ref": "a"}},
        {"last": {"pixels": "a"}},
        {"slate": {}},
        {"slate": {"shot": "0010"}},
        {"inputs": {"more": []}},
        {"extra": None},
    ],
)
def test_what_is_asked_counts(change: dict[str, Any]) -> None:
    assert made().digest != made(**change).digest
    assert [] != key.explain(made().parts, made(**change).parts)


def test_composed_and_decomposed_text_are_two_texts() -> None:
    assert made(positivePrompt="\u00e9").digest != made(positivePrompt="e\u0301").digest


def test_an_explanation_names_what_changed_as_people_call_it() -> None:
    old = made(positivePrompt="Rain.", first={"pixels": "a"}, last={"ref": "x"}, CFGScale=0.5)
    new = made(positivePrompt="Snow.", first={"pixels": "b"}, negativePrompt="fog", safety={}, CFGScale=0.5)

    assert [
        Change("prompt", "Rain.", "Snow."),
        Change("negative prompt", None, "fog"),
        Change("first frame", "a", "b"),
        Change("last frame", {"ref": "x"}, None),
    ] == key.explain(old.parts, new.parts)


def test_an_explanation_that_was_read_from_a_file_is_the_same() -> None:
    old = json.loads(json.dumps(made(CFGScale=1.0).parts))

    assert [] == key.explain(old, made(CFGScale=1).parts)
    assert [Change("CFGScale", 1, 0.5)] == key.explain(old, made(CFGScale=0.5).parts)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53, "\ud800"])
def test_what_json_cannot_hold_is_told(value: Any) -> None:
    with pytest.raises(StoryError, match="cannot be written as JSON"):
        made(CFGScale=value)


QUICK = settings(max_examples=150, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
SAFE = 2**53 - 1
LEAVES = (
    st.none() | st.booleans() | st.integers(-SAFE, SAFE) | st.floats(-1e15, 1e15) | st.sampled_from([1, 1.0, True, "1", 0, False])
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
)  # fmt: skip
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=5,
)
REQUESTS = st.dictionaries(
    st.sampled_from(["a", "b", "c", "webhookURL", "CFGScale", "positivePrompt"]), VALUES, max_size=4
)


def shuffled(value: Any) -> Any:
    """The same value with its fields in another order, and whole numbers spelt the other way."""
    if isinstance(value, dict):
        return {name: shuffled(value[name]) for name in reversed(value)}
    if isinstance(value, list):
        return [shuffled(item) for item in value]
    if isinstance(value, bool) or not isinstance(value, int | float) or not float(value).is_integer():
        return value
    return float(value) if isinstance(value, int) else int(value)


@QUICK
@given(REQUESTS)
def test_a_key_depends_neither_on_the_order_of_fields_nor_on_how_a_number_is_spelt(request: dict[str, Any]) -> None:
    assert made(**request).digest == made(**shuffled(request)).digest
    assert [] == key.explain(made(**request).parts, shuffled(dict(made(**request).parts)))


@QUICK
@given(REQUESTS, REQUESTS)
def test_there_is_an_explanation_where_the_keys_differ_and_only_there(old: dict[str, Any], new: dict[str, Any]) -> None:
    before, after = made(**old), made(**new)

    assert (before.digest == after.digest) == (key.explain(before.parts, after.parts) == [])
