"""The checker: every fault, in the order of the data, in sentences; and nothing that jsonschema would not have said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from runner.card import load
from runner.errors import Place, StoryError
from runner.schema import Fault, check, exact, read
from runner.shipped import folder

TRY = "\n  try: "

SHOT: dict[str, Any] = {
    "title": "Shot",
    "type": "object",
    "required": ["shot"],
    "additionalProperties": False,
    "properties": {
        "shot": {
            "type": "string",
            "pattern": "^[A-Za-z0-9]+$",
            "x-message": "shot {value} is not an id",
            "x-remedy": {"type": 'put it in quotes: "0010"', "pattern": "letters and digits"},
        },
        "duration": {"type": "number", "enum": [5, 10]},
        "guidance": {"type": "number", "minimum": 0, "maximum": 1, "multipleOf": 0.01},
        "speed": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 2},
        "format": {"type": "string", "enum": ["MP4", "WEBM", "MOV"]},
        "model": {"const": "klingai:5@3"},
        "aspect": {"type": "string", "pattern": "^[0-9]+:[0-9]+$"},
        "lens": {"type": "string", "pattern": "mm$", "x-remedy": "a length such as 35mm"},
        "action": {"type": "string", "minLength": 2, "maxLength": 3},
        "takes": {"type": "integer", "minimum": 1},
        "review": {"type": "boolean"},
        "hold": {"type": ["boolean", "null"]},
        "negative": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2, "uniqueItems": True},
        "look": {"type": ["string", "array"]},
        "other": {"not": {"const": "same"}},
        "width": {"type": "integer"},
        "height": {"type": "integer"},
        "names": {"type": "object", "propertyNames": {"pattern": "^[a-z]+$"}, "minProperties": 1, "maxProperties": 2},
        "kinds": {
            "type": "object",
            "propertyNames": {"enum": ["clip", "tail"], "x-message": "{value} is no step", "x-remedy": "clip or tail"},
        },
        "from": {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {
                    "type": "object",
                    "required": ["shot"],
                    "additionalProperties": False,
                    "properties": {"shot": {"type": "string"}, "frame": {"enum": ["first", "last"]}},
                },
                {
                    "type": "object",
                    "required": ["image"],
                    "additionalProperties": False,
                    "properties": {"image": {"type": "string"}},
                },
            ]
        },
        "step": {
            "oneOf": [
                {
                    "required": ["uses"],
                    "properties": {"uses": {"const": "generate"}, "with": {"type": "object"}},
                },
                {
                    "required": ["uses"],
                    "properties": {"uses": {"const": "frame"}, "at": {"type": "number"}},
                },
            ]
        },
        "both": {"oneOf": [{"type": "integer"}, {"type": "number"}]},
        "tone": {"anyOf": [{"type": "string"}, {"type": "number"}], "x-remedy": "a word, or a number of kelvins"},
        "size": {
            "type": "object",
            "anyOf": [{"properties": {"w": {"const": 16}, "h": {"const": 9}}}],
            "x-message": "{w}x{h} is not a size",
        },
    },
    "dependentRequired": {"width": ["height"], "height": ["width"]},
}


def told(**fields: object) -> list[str]:
    return [str(fault.at(None)) for fault in check({"shot": "a", **fields}, SHOT)]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"shot": 10}, f'shot must be text, not 10{TRY}put it in quotes: "0010"'),
        ({"shot": "a b"}, f'shot "a b" is not an id{TRY}letters and digits'),
        ({"duration": 7}, "duration is 7, but it must be 5 or 10"),
        ({"duration": "5"}, f'duration must be a number, not text "5"{TRY}5, without quotes'),
        ({"guidance": 0.555}, "guidance is 0.555, but it must be a multiple of 0.01"),
        ({"guidance": 1.5}, "guidance is 1.5, but at most 1 is allowed"),
        ({"guidance": -1}, "guidance is -1, but at least 0 is needed"),
        ({"guidance": 1e-320}, "guidance is 1e-320, but it must be a multiple of 0.01"),
        ({"guidance": float("-inf")}, "guidance must be a number, not -infinity"),
        ({"speed": 0}, "speed is 0, but it must be more than 0"),
        ({"speed": 2}, "speed is 2, but it must be less than 2"),
        ({"format": "AVI"}, 'format "AVI" is not one of MP4, WEBM, MOV'),
        ({"format": "WBEM"}, f'format "WBEM" is not one of MP4, WEBM, MOV{TRY}WEBM'),
        ({"model": "klingai:5@2"}, 'model is "klingai:5@2", but it must be klingai:5@3'),
        ({"action": ""}, "action is empty"),
        ({"action": "x"}, "action has 1 character, but at least 2 are needed"),
        ({"action": "🌧🌧🌧🌧"}, "action has 4 characters, but at most 3 are allowed"),
        ({"takes": "three"}, 'takes must be a whole number, not text "three"'),
        ({"takes": True}, "takes must be a whole number, not true"),
        ({"takes": None}, "takes must be a whole number, not empty"),
        ({"takes": 1.5}, "takes must be a whole number, not 1.5"),
        ({"takes": [1]}, "takes must be a whole number, not a list"),
        ({"takes": -(10**4000)}, "takes is a number of more than a thousand digits, but at least 1 is needed"),
        ({"aspect": "wide"}, 'aspect "wide" does not have the form ^[0-9]+:[0-9]+$'),
        ({"lens": "35"}, f'lens "35" does not have the right form{TRY}a length such as 35mm'),
        ({"review": "yes"}, f'review must be true or false, not text "yes"{TRY}true'),
        ({"hold": 1}, "hold must be true or false, not 1"),
        ({"negative": []}, "negative is empty"),
        ({"negative": ["a", "b", "c"]}, "negative has 3 items, but at most 2 are allowed"),
        ({"negative": ["blur", "blur"]}, 'negative has "blur" twice'),
        ({"negative": ["a", False]}, f'item 2 of negative must be text, not false{TRY}"false"'),
        ({"look": {}}, "look must be text or a list, not a mapping"),
        ({"other": "same"}, 'other can\'t be "same" here'),
        ({"width": 3}, f"width is there without height, but the two go together{TRY}add height, or drop width"),
        ({"widht": 3}, f'"widht" is not a field of Shot{TRY}width'),
        ({"qqq": 3}, '"qqq" is not a field of Shot'),
        ({"names": {}}, "names is empty"),
        ({"names": {"a": 1, "B": 2}}, '"B" can\'t be a name here'),
        ({"names": {"a": 1, "b": 2, "c": 3}}, "names has 3 fields, but at most 2 are allowed"),
        ({"kinds": {"clop": {}}}, f'"clop" is no step{TRY}clip or tail'),
        ({"from": 10}, f'from must be text or a mapping, not 10{TRY}"10"'),
        ({"from": ""}, "from is empty"),
        ({"from": {"shto": "a"}}, f'"shto" is not a field of from{TRY}shot'),
        ({"from": {"imgae": "a"}}, f'"imgae" is not a field of from{TRY}image'),
        ({"from": {"image": 5}}, f'image must be text, not 5{TRY}"5"'),
        ({"from": {"shot": "a", "frame": "lst"}}, f'frame "lst" is not one of first, last{TRY}last'),
        ({"step": {"uses": "frame", "at": "end"}}, 'at must be a number, not text "end"'),
        ({"step": {"uses": "generate", "with": 3}}, "with must be a mapping, not 3"),
        ({"step": {"uses": "genrate"}}, f'uses "genrate" is not one of generate, frame{TRY}generate'),
        ({"step": {}}, "uses is missing"),
        ({"both": 3}, "both can be read in more than one way"),
        ({"tone": []}, f"tone must be text or a number, not a list{TRY}a word, or a number of kelvins"),
        ({"size": {"w": 4, "h": 3}}, "4x3 is not a size"),
        ({"action": "x" * 100}, "action has 100 characters, but at most 3 are allowed"),
        ({"format": "y" * 100}, f'format "{"y" * 60}…" is not one of MP4, WEBM, MOV'),
    ],
)
def test_each_fault_is_a_sentence(fields: dict[str, object], message: str) -> None:
    assert [message] == told(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"duration": 5.0, "takes": 2.0, "guidance": 0.07, "hold": None},
        {"guidance": 0.29, "action": "🌧🌧🌧", "from": {"shot": "a", "frame": "last"}},
        {"step": {"uses": "frame", "at": 2.5}, "size": {"w": 16, "h": 9}, "takes": 10**300},
    ],
)
def test_what_fits_has_no_faults(fields: dict[str, object]) -> None:
    assert told(**fields) == []


def test_all_faults_are_told_at_once_in_the_order_of_the_data() -> None:
    board = {"type": "object", "required": ["title"], "properties": {"shots": {"type": "array", "items": SHOT}}}
    data = {
        "shots": [
            {"takes": 0, "shot": "a", "duration": 7},
            {"shot": "b"},
            {"widht": 1, "action": "x", "takes": "two"},
        ]
    }
    faults = check(data, board)
    assert [(fault.path, fault.fact) for fault in faults] == [
        ((), "title is missing"),
        (("shots", 0, "takes"), "takes is 0, but at least 1 is needed"),
        (("shots", 0, "duration"), "duration is 7, but it must be 5 or 10"),
        (("shots", 2), "shot is missing"),
        (("shots", 2, "widht"), '"widht" is not a field of Shot'),
        (("shots", 2, "action"), "action has 1 character, but at least 2 are needed"),
        (("shots", 2, "takes"), 'takes must be a whole number, not text "two"'),
    ]
    assert [fault.key for fault in faults] == [False, False, False, False, True, False, False]


def test_a_misspelt_field_is_told_once_and_not_as_missing_too() -> None:
    assert [Fault(("shto",), '"shto" is not a field of Shot', "shot", key=True)] == check({"shto": "a"}, SHOT)


def test_the_place_of_an_unknown_field_is_that_of_its_key() -> None:
    for fields, path in (
        ({"qqq": 1}, ("qqq",)),
        ({"height": 3}, ("height",)),
        ({"names": {"B": 1}}, ("names", "B")),
    ):
        [fault] = check({"shot": "a", **fields}, SHOT)
        assert (path, True) == (fault.path, fault.key)


def test_a_fault_becomes_a_problem_of_a_file() -> None:
    [fault] = check({"shot": "a", "takes": 0}, SHOT)
    place = Place("storyboard.yaml", 7, 5)
    assert str(fault.at(place)) == "storyboard.yaml:7:5: takes is 0, but at least 1 is needed"


def test_the_whole_of_a_file_has_a_name_in_messages() -> None:
    assert [fault.fact for fault in check([], SHOT)] == ["Shot must be a mapping, not a list"]
    assert [fault.fact for fault in check(3, {"type": "object"})] == ["this file must be a mapping, not 3"]
    noun = {"type": "array", "items": {"x-noun": "a scene", "additionalProperties": False}}
    assert [fault.fact for fault in check([{"b": 1}], noun)] == ['"b" is not a field of a scene']
    assert [f.fact for f in check([3], {"items": {"type": "string"}})] == ["item 1 must be text, not 3"]


def test_fields_that_no_part_of_a_schema_knows_are_told_with_near_ones_of_any_part() -> None:
    schema = {
        "allOf": [{"properties": {"camera": {"type": "string"}}}],
        "properties": {"action": {"type": "string"}},
        "unevaluatedProperties": False,
        "x-noun": "a shot",
    }
    assert [(fault.fact, fault.remedy) for fault in check({"action": "x", "camrea": "slow"}, schema)] == [
        ('"camrea" is not a field of a shot', "camera")
    ]


# --- the shipped folder ----------------------------------------------------------------------------------------------


def test_a_schema_is_found_by_its_file_name_and_so_is_a_part_of_it() -> None:
    card = load("klingai:5@3")
    assert check(dict(card.document), "card.schema.json") == []
    part = "klingai-2.1-master.json#/$defs/request/properties/safety"
    [fault] = check({"mode": "slow"}, part)
    assert fault.fact == 'mode "slow" is not one of none, fast, full'
    assert read("klingai-2.1-master.json") == dict(card.document)


def test_a_reference_is_a_plain_file_name() -> None:
    request = {"$ref": "klingai-2.1-master.json#/$defs/request"}
    schema = {"properties": {"request": request, "card": {"$ref": "card.schema.json"}}}
    faults = check({"request": {"ttl": 1}, "card": {"x-id": "no"}}, schema)
    facts = [fault.fact for fault in faults]
    assert "ttl is 1, but at least 60 is needed" in facts
    assert 'x-id "no" is not a model id' in facts


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("storybord.schema.json", 'there is no schema "storybord.schema.json"'),
        ("card.schema.jsn", 'there is no schema "card.schema.jsn"'),
        ({"$ref": "none.json"}, 'the schema refers to "none.json", which does not exist'),
        (
            {"$ref": "https://x.org/none.json"},
            'the schema refers to "https://x.org/none.json", which does not exist',
        ),
        ({"pattern": "["}, 'the schema has the pattern "[", which is wrong: unterminated character set'),
    ],
)
def test_a_schema_that_is_not_there_is_an_error(schema: str | dict[str, object], message: str) -> None:
    with pytest.raises(StoryError) as error:
        check("text", schema)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize("path", sorted(folder("schemas").rglob("*.json")), ids=lambda path: path.stem)
def test_every_shipped_schema_is_a_schema_and_refers_to_what_is_there(path: Path) -> None:
    schema = json.loads(path.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    assert isinstance(check({}, schema), list)


# --- against jsonschema ----------------------------------------------------------------------------------------------

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 2000),
    st.sampled_from([0.5, 5.0, 10, 0.07, 1.5, "5", "", "MP4", "last", "a"]),
)
NAMES = st.sampled_from([*SHOT["properties"], "uses", "image", "frame", "w", "h", "widht", "at"])
DATA = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5), max_leaves=12
)
STEPLESS = json.loads(json.dumps(SHOT).replace('"multipleOf": 0.01', '"multipleOf": 0.5'))


@settings(max_examples=300, deadline=None)
@given(DATA)
def test_faults_are_found_just_where_jsonschema_finds_errors(data: object) -> None:
    faults = check(data, STEPLESS)
    assert Draft202012Validator(STEPLESS).is_valid(data) == (not faults)
    assert len(set(faults)) == len(faults)
    assert all(fault.fact and "{" not in fault.fact for fault in faults)


@settings(max_examples=200, deadline=None)
@given(st.integers(-(10**12), 10**12), st.integers(0, 6))
def test_a_number_is_as_many_steps_as_its_decimals_say(count: int, places: int) -> None:
    step = float(f"1e-{places}")
    number = float(f"{count}e-{places}")
    assert check(number, {"multipleOf": step}) == []
    assert exact(step) * count == exact(number)
    assert check(float(f"{count}5e-{places + 1}"), {"multipleOf": step})
