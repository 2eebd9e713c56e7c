"""A shot's words: rendered once each, in order of need, with what was used of them, and nothing out of reach."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from runner import prompt
from runner.prompt import Words
from runner.sandbox import compiled
from runner.template import Refused, filled

from .world import world


def words(folder: Path, *shots: Any, **top: Any) -> dict[str, Words]:
    found, problems = prompt.render(world(folder, *shots, **top).board)
    assert [] == [problem for problem in problems if problem.severity == "error"]
    return found


def said(folder: Path, template: str, **top: Any) -> str:
    """What a template says in the one shot of a storyboard."""
    return words(folder, {"prompt": template}, **top)["0010"].prompt


def test_the_prompt_is_the_action_unless_a_template_says_otherwise(tmp_path: Path) -> None:
    plain = words(tmp_path, "Rain.", "Snow.")
    shaped = words(
        tmp_path,
        "Rain.",
        {"prompt": "{{ shot.action|upper }}"},
        prompt="{{ look }}: {{ shot.action }}",
        values={"look": "amber"},
    )

    assert ["Rain.", "Snow."] == [found.prompt for found in plain.values()]
    assert ["amber: Rain.", "A LANTERN SWINGS IN THE RAIN."] == [found.prompt for found in shaped.values()]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ look }}", "amber light"),
        ("{{ values.look }}", "amber light"),
        ("{{ cast.mira }}", "a girl in amber light"),
        ("{{ names }}", "Mira, Oto"),
        ("{{ names|join(' and ') }}", "Mira and Oto"),
        ("{{ names[1] }}", "Oto"),
        ("{% for one in crew %}{{ one.name }}{{ ', ' if not loop.last }}{% endfor %}", "Ada, Bo"),
        ("{{ number }} {{ whole }} {{ half }}", "7 2 0.5"),
        ("{{ on }} {{ off }} [{{ none }}]", "true false []"),
        ("{{ shot.id }} {{ shot.number }} {{ scene.id }} {{ scene.title }}", "0010 1 010"),
        ("{{ storyboard.id }} {{ storyboard.title }} {{ storyboard.aspect }}", "lanterns The Lanterns 16:9"),
        ("{{ shot.lens|default('35mm') }}", "35mm"),
        ("{{ 'yes' if shot.lens is defined else 'no' }}", "no"),
        ("{{ 'yes' if previous else 'no' }}", "no"),
        ("{% set a = 2 %}{{ a * 3 }} {{ 'x' * 3 }} {{ 2 ** 8 }}", "6 xxx 256"),
        ("{{ range(3)|list }}", "0, 1, 2"),
        ("  {{ look|trim }}  ", "amber light"),
        ("a\r\nb", "a\nb"),
        ("{% raw %}{{ look }}{% endraw %}{# left out #}", "{{ look }}"),
        ("{{ items }}", "a value called items"),
        ("{{ look ~ number ~ on }}", "amber light7true"),
    ],
)
def test_a_template_says(template: str, expected: str, tmp_path: Path) -> None:
    values = {
        "look": "amber light", "cast": {"mira": "a girl in {{ look }}"}, "names": ["Mira", "Oto"], "number": 7, "half": 0.5,
        "crew": [{"name": "Ada"}, {"name": "Bo"}], "whole": 2.0, "on": True, "off": False, "none": None,
        "items": "a value called items",
    }  # fmt: skip
    assert expected == said(tmp_path, template, values=values, title="The Lanterns")


def test_what_was_rendered_is_not_rendered_again(tmp_path: Path) -> None:
    values = {"a": "{{ '{{ b }}' }}", "b": "never"}

    assert "{{ b }}" == said(tmp_path, "{{ a }}", values=values)


def test_neighbours_show_their_fields_and_only_within_the_scene(tmp_path: Path) -> None:
    template = "{{ previous.action if previous }}|{{ next.action if next }}"
    scenes = [{"scene": "a", "shots": ["One.", "Two."]}, {"scene": "b", "shots": ["Three."]}]

    found = words(tmp_path, scenes=scenes, prompt=f"{{{{ shot.action }}}} {template}")

    assert ["One. |Two.", "Two. One.|", "Three. |"] == [one.prompt for one in found.values()]


def test_fields_may_ask_for_each_other_in_any_order(tmp_path: Path) -> None:
    shot = {"camera": "slow {{ shot.move }}", "move": "push {{ scene.way }}", "prompt": "{{ shot.camera }}"}
    scenes = [{"scene": "a", "way": "in {{ look }}", "shots": [shot]}]

    assert "slow push in rain" == words(tmp_path, scenes=scenes, values={"look": "rain"})["0010"].prompt


@pytest.mark.parametrize(
    ("negative", "expected"),
    [
        ("low detail", "low detail"),
        (["low detail", "{{ look }}", " ", ""], "low detail, amber"),
        ([], ""),
        ("", ""),
        (None, ""),
    ],
)
def test_a_negative_list_is_joined_and_an_empty_one_left_out(negative: Any, expected: str, tmp_path: Path) -> None:
    top = {} if negative is None else {"negative": negative}

    assert expected == words(tmp_path, {}, values={"look": "amber"}, **top)["0010"].negative
    assert (
        expected
        == words(tmp_path, {**top}, negative=top.get("negative", ""), values={"look": "amber"})["0010"].negative
    )


def test_a_shots_own_negative_takes_the_place_of_the_storyboards(tmp_path: Path) -> None:
    assert "" == words(tmp_path, {"negative": ""}, negative="rain")["0010"].negative


def test_the_words_used_are_recorded_and_no_others(tmp_path: Path) -> None:
    values = {"look": "amber {{ light }}", "light": "jade", "other": "none", "cast": [{"name": "Mira {{ light }}"}]}
    shot = {"camera": "static", "mood": "calm", "action": "{{ cast[0].name }} in {{ look }}"}
    found = words(tmp_path, shot, values=values, prompt="{{ shot.action }}{% if false %}{{ values.other }}{% endif %}")[
        "0010"
    ]

    assert {
        "shot.action": "Mira jade in amber jade",
        "values.cast.0.name": "Mira jade",
        "values.light": "jade",
        "values.look": "amber jade",
    } == found.used
    assert {"camera": "static", "mood": "calm", "action": "Mira jade in amber jade"} == found.fields


def test_the_words_that_a_default_asks_for_are_those_of_each_shot(tmp_path: Path) -> None:
    found = words(
        tmp_path,
        {"lens": "35mm"},
        {"lens": "50mm", "camera": "static"},
        {"lens": "85mm"},
        defaults={"camera": "slow, {{ shot.lens }}"},
        prompt="{{ shot.camera }}",
    )

    assert ["slow, 35mm", "static", "slow, 85mm"] == [one.prompt for one in found.values()]
    assert {"shot.camera": "static"} == found["0020"].used
    assert {"shot.camera": "slow, 85mm", "shot.lens": "85mm"} == found["0030"].used


def test_values_that_nothing_uses_are_told_once_and_only_where_all_else_is_right(tmp_path: Path) -> None:
    values = {"look": "amber", "cast": {"mira": "a girl", "oto": "a vendor"}}
    unused = world(
        tmp_path, {"action": "{{ cast.mira }} runs"}, {"action": "{{ cast.mira }} rests"}, values=values
    ).told()
    broken = world(tmp_path, {"action": "{{ cast.mirra }} runs"}, values=values).told()

    assert [
        "storyboard.yaml:4:3: warning: values.look is used by no shot\n  try: delete it, or use it in a template",
        "storyboard.yaml:7:5: warning: values.cast.oto is used by no shot\n  try: delete it, or use it in a template",
    ] == unused
    assert 1 == len(broken)


def test_every_mistake_of_a_text_is_told_and_what_comes_of_it_is_not(tmp_path: Path) -> None:
    values = {"look": "{{ nothing }} light", "deep": "{{ look|upper }} {{ look[0] }}"}
    told = world(
        tmp_path,
        {"action": "{{ deep }} {{ a }} and {{ b|upper }} and {{ look|first }}"},
        {"action": "{{ look }}"},
        values=values,
    ).told()

    assert [4, 10, 10] == [int(line.split(":")[1]) for line in told]
    assert ["nothing", "a", "b"] == [line.split('"')[1] for line in told]


def test_a_text_that_grows_without_bound_is_stopped(tmp_path: Path) -> None:
    values = {"a": "x" * 1000, **{chr(98 + n): f"{{{{ {chr(97 + n)} }}}}" * 10 for n in range(12)}}
    started = time.perf_counter()
    told = world(tmp_path, {"action": "{{ m }}"}, values=values).told()

    assert ["the text is longer than 100,000 characters (text_max)"] == [
        line.split(": ", 1)[1].split("\n")[0] for line in told
    ]
    assert time.perf_counter() - started < 20


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__ }}",
        "{{ shot.__init__ }}",
        "{{ shot._room }}",
        "{{ values.document }}",
        "{{ look.upper() }}",
        "{{ look.format }}",
        "{{ self }}",
        "{{ lipsum() }}",
        "{{ cycler }}",
        "{{ namespace() }}",
        "{{ dict(a=1) }}",
        "{{ range(100000000) }}",
        "{{ 'x' * 100000000 }}",
        "{{ [1] * 100000000 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ 9 ** 999999999 }}",
        "{{ (10 ** 60) ** 60 }}",
        "{{ look|attr('upper') }}",
        "{{ look|format(1) }}",
        "{{ look|center(100000000) }}",
        "{{ look|indent(100000000) }}",
        "{{ look|replace('', 'x' * 90000) }}",
        "{{ look|pprint }}",
        "{{ look|map('upper')|list|tojson }}",
        "{% include 'a' %}",
        "{% import 'a' as b %}",
        "{% extends 'a' %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% call range(3) %}{% endcall %}",
        "{% filter upper %}x{% endfilter %}",
        "{% for a in range(900) recursive %}{{ loop(range(900)) }}{% endfor %}",
        "{% for a in range(1000) %}{% for b in range(1000) %}xxxxxxxxxx{% endfor %}{% endfor %}",
        "{% set look.x = 1 %}",
        "{{ loop }}",
        "{{ [look, look]|batch(2) }}",
        "{{ " + "(" * 300 + "1" + ")" * 300 + " }}",
        "{{ " + "-" * 3000 + "1 }}",
    ],
)
def test_a_template_reaches_nothing_and_ends_soon(template: str) -> None:
    started = time.perf_counter()
    with pytest.raises(Refused):
        compiled(template).render({"look": "amber", "shot": {"action": "x"}, "values": {}})
    assert time.perf_counter() - started < 5


# --- the fast path ---------------------------------------------------------------------------------------------------

QUICK = settings(max_examples=200, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
NAMES = st.sampled_from("a b look if none true items loop range 傘 _x not".split())
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text("ab{}% \r\n\"'é", max_size=8)
SCOPES = st.dictionaries(
    NAMES,
    st.recursive(
        LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=6
    ),
    max_size=5,
)
EXPRESSIONS = st.lists(NAMES, min_size=1, max_size=3).map(".".join)
PARTS = st.one_of(
    st.builds(
        "{{{{{}{}{}}}}}".format,
        st.sampled_from(["", " ", "  ", "\n", "-"]),
        EXPRESSIONS,
        st.sampled_from(["", " ", " -"]),
    ),
    st.text("ab {}%#-\r\n\u2028é", max_size=6),
)


@QUICK
@example("{{{a}}", {"a": "x"})
@given(st.lists(PARTS, max_size=6).map("".join), SCOPES)
def test_plain_text_and_bare_words_say_the_same_without_a_compiled_template(raw: str, scope: dict[str, Any]) -> None:
    fast = filled(raw, scope)
    if fast is not None:
        assert compiled(raw).render(scope) == fast
