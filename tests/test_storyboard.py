"""A storyboard: what each shot begins on, what it inherits, and ids that can be file names anywhere."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from runner import document, storyboard
from runner.storyboard import CUT, Point

from .world import board, world


def point(said: str, *, files: frozenset[str] = frozenset()) -> Point:
    """What a shot begins on that says ``from:`` so, with shots called ``lane`` and ``0010`` beside it."""
    data = board({"shot": "lane"}, {"shot": "0010", "from": "cut"}, {"from": said})
    found, problems = storyboard.read(
        document.parse(document.dump(data).encode(), "s.yaml"), is_file=files.__contains__
    )
    assert found is not None
    assert [] == problems
    return found.shots[-1].begins


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("cut", CUT),
        ("0010", Point("shot", "0010")),
        ("0010@first", Point("shot", "0010", "first")),
        ("lane@2.5s", Point("shot", "lane", "2.5s")),
        ("lane@sharpest", Point("shot", "lane", "sharpest")),
        ("lane.png", Point("image", image="lane.png")),
        ("stills/lane.png", Point("image", image="stills/lane.png")),
        ("./lane", Point("image", image="./lane")),
        ("https://example.org/a.png?b=1", Point("url", image="https://example.org/a.png?b=1")),
        ("HTTP://example.org/a.png", Point("url", image="HTTP://example.org/a.png")),
        ("3F2504E0-4F89-41D3-9A0C-0305E82C3301", Point("uuid", image="3f2504e0-4f89-41d3-9a0c-0305e82c3301")),
    ],
)
def test_from_is_read_as_cut_url_uuid_shot_or_path_in_this_order(said: str, expected: Point) -> None:
    assert expected == point(said)


def test_a_name_that_is_no_shot_but_a_file_is_a_picture() -> None:
    assert Point("image", image="still") == point("still", files=frozenset({"still"}))


def test_the_long_form_settles_what_is_both_a_shot_and_a_file(tmp_path: Path) -> None:
    long = world(tmp_path, {"shot": "lane"}, {"from": {"shot": "lane"}}, {"from": {"image": "lane"}}).board

    assert Point("shot", "lane") == long.shots[1].begins
    assert Point("image", image="lane") == long.shots[2].begins


def test_a_shot_begins_on_the_one_before_it_in_its_scene_and_the_first_of_a_scene_with_a_cut(tmp_path: Path) -> None:
    found = world(tmp_path, scenes=[{"scene": "a", "shots": [{}, {}]}, {"scene": "b", "shots": [{}, {}]}]).board

    assert ["cut", "0010", "cut", "0030"] == [str(shot.begins) for shot in found.shots]
    assert [(), ("0010",), (), ("0030",)] == [shot.parents for shot in found.shots]
    assert ["a", "a", "b", "b"] == [shot.scene for shot in found.shots]


def test_a_shot_waits_once_for_a_parent_at_both_ends(tmp_path: Path) -> None:
    found = world(tmp_path, {}, {"to": "0010@first"}, {"from": "0010", "to": {"shot": "0020", "frame": 2}}).board

    assert ("0010",) == found.shot("0020").parents
    assert ("0010", "0020") == found.shot("0030").parents
    assert "0020@2s" == str(found.shot("0030").ends)


def test_to_cut_is_no_end_at_all(tmp_path: Path) -> None:
    assert world(tmp_path, {"to": "cut"}).board.shots[0].ends is None


def test_defaults_are_weaker_than_the_shot_and_settings_are_merged_by_step(tmp_path: Path) -> None:
    defaults = {"duration": 5, "takes": 2, "lens": "35mm", "with": {"clip": {"a": 1, "b": 1}, "tail": {"at": "last"}}}
    found = world(
        tmp_path,
        {},
        {"duration": 10, "takes": 1, "lens": "50mm", "review": True, "with": {"clip": {"b": 2}}},
        defaults=defaults,
    ).board
    first, second = found.shots

    assert (5, 2, False, "35mm") == (first.duration, first.takes, first.review, first.fields["lens"])
    assert {"clip": {"a": 1, "b": 1}, "tail": {"at": "last"}} == first.settings
    assert (10, 1, True, "50mm") == (second.duration, second.takes, second.review, second.fields["lens"])
    assert {"clip": {"a": 1, "b": 2}, "tail": {"at": "last"}} == second.settings


def test_notes_and_titles_are_no_words_for_the_templates(tmp_path: Path) -> None:
    shot = world(tmp_path, {"notes": "buy umbrellas", "title": "Rain", "mood": "calm"}).board.shots[0]

    assert {"action", "mood"} == set(shot.fields)
    assert ("buy umbrellas", "Rain") == (shot.notes, shot.title)


def test_a_film_is_all_shots_but_those_left_out_unless_films_are_named(tmp_path: Path) -> None:
    all_but = world(tmp_path, {}, {"omit": True}, {}, title="Lanterns").board
    named = world(tmp_path, {}, {}, {}, films=[{"film": "b", "shots": ["0030", "0010"]}], title="Lanterns").board

    assert [("film", "Lanterns", ("0010", "0030"))] == [(f.id, f.title, f.shots) for f in all_but.films]
    assert [("b", "Lanterns", ("0030", "0010"))] == [(f.id, f.title, f.shots) for f in named.films]


def test_money_is_exact(tmp_path: Path) -> None:
    assert Decimal("0.1") == world(tmp_path, budget=0.1).board.budget
    assert world(tmp_path).board.budget is None


@pytest.mark.parametrize("name", ["con", "NUL", "Com1", "lpt9", "aux", "prn"])
def test_a_name_of_a_windows_device_is_no_id(name: str, tmp_path: Path) -> None:
    told = world(tmp_path, {"shot": name}).told()

    assert 1 == len(told)
    assert f'storyboard.yaml:6:11: "{name}" is the name of a device on Windows' in told[0]


@pytest.mark.parametrize("name", ["com10", "console", "a", "A-1_b", "0", "x" * 40])
def test_these_are_ids(name: str, tmp_path: Path) -> None:
    assert [] == world(tmp_path, {"shot": name}).told()


def test_one_slip_does_not_hide_another(tmp_path: Path) -> None:
    told = world(tmp_path, {"takes": 0}, {"from": "0100"}, {"shot": "0010"}, pipeline="animatik").told()

    assert 4 == len(told)


def test_a_shot_that_was_refused_is_not_missed_as_well(tmp_path: Path) -> None:
    told = world(tmp_path, {"shot": 10}, {"from": "10"}, {"from": {"shot": "10", "frame": "first"}}).told()

    assert ['storyboard.yaml:6:11: shot must be text, not 10\n  try: "10"'] == told
