"""Includes: a storyboard in several files is the same storyboard."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner import bill, document, include
from runner.document import dump
from runner.errors import StoryError
from runner.include import DEPTH_MAX, FILES_MAX
from runner.plan import Plan

from .world import World, board, world

SCENE = {"scene": "900", "shots": [{"shot": "9000", "action": "A door of {{ wood }}."}]}
SHOT = {"action": "A lamp of {{ wood }}."}


def prompts(plan: Plan) -> dict[str, str]:
    return {name: brief.words.prompt for name, brief in plan.briefs.items()}


def test_the_storyboard_goes_before_its_includes_and_a_later_include_before_an_earlier(tmp_path: Path) -> None:
    values = {"a.yaml": {"one": "a", "two": "a", "three": "a"}, "b.yaml": {"two": "b", "three": "b"}}
    files = {name: dump({"values": {"deep": said}}) for name, said in values.items()}
    made = world(
        tmp_path, {"action": "{{ deep.one }} {{ deep.two }} {{ deep.three }}"}, files=files,
        include=["a.yaml", "b.yaml"], values={"deep": {"three": "own"}},
    )  # fmt: skip
    assert {"0010": "a b own"} == prompts(made.plan())


def test_prompt_negative_and_defaults_come_from_an_include_as_well(tmp_path: Path) -> None:
    shared = {"prompt": "{{ shot.action }} Slowly.", "negative": ["text"], "defaults": {"duration": 2, "mood": "calm"}}
    made = world(
        tmp_path, {}, {"duration": 3}, files={"look.yaml": dump(shared)}, include="look.yaml", defaults={"takes": 2}
    )
    plan = made.plan()
    assert ["A lantern swings in the rain. Slowly."] * 2 == list(prompts(plan).values())
    assert [(2.0, 2, "text"), (3.0, 2, "text")] == [
        (brief.seconds, brief.shot.takes, brief.words.negative) for brief in plan.briefs.values()
    ]


def test_scenes_of_includes_come_first_unless_they_are_placed(tmp_path: Path) -> None:
    def part(name: str) -> str:
        return dump({"scenes": [{"scene": name, "shots": [{"shot": name, "action": "A door."}]}]})

    files = {f"{name}.yaml": part(name) for name in ("one", "two", "three", "four")}
    files["three.yaml"] = dump({"include": "four.yaml"}) + files["three.yaml"]
    made = world(tmp_path, files=files, include=["one.yaml", "two.yaml", "three.yaml"])
    own = made.document.data
    made.file.write_text(dump({**own, "scenes": [*own["scenes"], {"include": "one.yaml"}]}), encoding="utf-8")
    assert ["two", "four", "three", "0010", "one"] == [shot.id for shot in made.plan().board.shots]


def test_a_storyboard_may_have_no_scenes_of_its_own(tmp_path: Path) -> None:
    made = world(tmp_path, files={"all.yaml": dump({"scenes": [SCENE], "values": {"wood": "oak"}})})
    made.file.write_text("storyboard: x\npipeline: animatic\ninclude: all.yaml\n", encoding="utf-8")
    assert {"9000": "A door of oak."} == prompts(made.plan())


def test_a_file_that_two_files_name_is_taken_in_once(tmp_path: Path) -> None:
    files = {
        "wood.yaml": dump({"values": {"wood": "oak"}, "scenes": [SCENE]}),
        "a.yaml": "include: wood.yaml\nvalues: {wood: beech}\n",
        "b.yaml": "include: sub/../wood.yaml\n",
    }
    made = world(tmp_path, SHOT, files=files, include=["a.yaml", "b.yaml"])
    assert {"9000": "A door of beech.", "0010": "A lamp of beech."} == prompts(made.plan())


def test_paths_go_from_the_file_that_names_another_and_pictures_from_the_storyboard(tmp_path: Path) -> None:
    files = {
        "parts/scenes.yaml": dump({"include": "looks/wood.yaml", "scenes": [SCENE]}),
        "parts/looks/wood.yaml": dump({"values": {"wood": "oak"}}),
    }
    made = world(tmp_path, {}, files=files, include="parts/scenes.yaml", pictures={"stills/a.png": (1280, 720)})
    text = (made.folder / "parts/scenes.yaml").read_text(encoding="utf-8")
    (made.folder / "parts/scenes.yaml").write_text(text.replace("action:", "from: stills/a.png\n    action:"))
    plan = made.plan()
    assert "stills/a.png" == str(plan.board.shot("9000").begins)
    assert ["parts/looks/wood.yaml", "parts/scenes.yaml"] == sorted(name for name, _ in plan.board.document.parts)


def test_an_include_outside_the_project_needs_a_word(tmp_path: Path) -> None:
    (tmp_path / "wood.yaml").write_text("values: {wood: oak}\n", encoding="utf-8")
    made = world(tmp_path / "film", SHOT, include="../wood.yaml")
    assert "../wood.yaml is outside the project" in made.told()[0]
    assert {"0010": "A lamp of oak."} == prompts(made.plan(allow_outside=True))


def test_a_link_that_leads_out_of_the_project_is_outside(tmp_path: Path) -> None:
    (tmp_path / "wood.yaml").write_text("values: {wood: oak}\n", encoding="utf-8")
    made = world(tmp_path / "film", SHOT, include="wood.yaml")
    (made.folder / "wood.yaml").symlink_to(tmp_path / "wood.yaml")
    assert "wood.yaml is outside the project" in made.told()[0]


def test_limits_are_told_by_name(tmp_path: Path) -> None:
    chain = {f"{n}.yaml": f"include: {n + 1}.yaml\n" for n in range(DEPTH_MAX + 1)}
    deep = world(tmp_path / "deep", files=chain, include="0.yaml")
    assert f"{DEPTH_MAX - 1}.yaml:1:10: files are taken in more than {DEPTH_MAX} deep (depth_max)" in deep.told()[0]
    many = {f"{n}.yaml": "notes: x\n" for n in range(FILES_MAX + 1)}
    wide = world(tmp_path / "wide", files=many, include=sorted(many))
    (told,) = wide.told()
    assert f"more than {FILES_MAX} files are taken in (files_max)" in told


def test_a_fault_in_an_included_file_hides_no_other(tmp_path: Path) -> None:
    files = {"a.yaml": "values: [\n", "b.yaml": dump({"scenes": [SCENE], "valus": 1})}
    told = world(tmp_path, "{{ nothing }}", files=files, include=["a.yaml", "b.yaml"]).told()
    assert ["a.yaml:2:1", "b.yaml:", "b.yaml:", "storyboard.yaml:"] == [
        line[: len(start)]
        for line, start in zip(told, ("a.yaml:2:1", "b.yaml:", "b.yaml:", "storyboard.yaml:"), strict=True)
    ]


def test_an_included_file_is_named_by_its_path_from_where_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world(tmp_path / "film", files={"parts/a.yaml": "valus: 1\n"}, include="parts/a.yaml")
    monkeypatch.chdir(tmp_path)
    assert "film/parts/a.yaml:1:1" == str(World(Path("film/storyboard.yaml")).problems(name=None)[0].place)


def test_a_part_alone_is_told_as_one_with_the_storyboard_that_takes_it_in(tmp_path: Path) -> None:
    made = world(tmp_path, SHOT, files={"parts/wood.yaml": "values: {wood: oak}\n"}, include="parts/wood.yaml")
    (told,) = World(made.folder / "parts" / "wood.yaml").told(name=None)
    assert "this is a part of a storyboard, and none itself" in told
    assert f"matchcut check {made.file}, which takes it in" in told


def test_a_plain_storyboard_is_left_as_it_was_read(tmp_path: Path) -> None:
    made = world(tmp_path, {})
    read = made.document
    source = include.read(read, made.file)
    assert source.woven()[0] is read


def test_weaving_changes_no_files_data(tmp_path: Path) -> None:
    files = {"a.yaml": dump({"values": {"deep": {"one": 1, "two": {"x": 1}}}})}
    made = world(tmp_path, {}, files=files, include="a.yaml", values={"deep": {"two": {"y": 2}, "three": 3}})
    source = include.read(made.document, made.file)
    woven, data = source.woven()
    assert {"deep": {"one": 1, "two": {"x": 1, "y": 2}, "three": 3}} == data["values"] == woven.data["values"]
    assert {"deep": {"two": {"y": 2}, "three": 3}} == source.document.data["values"]
    assert {"deep": {"one": 1, "two": {"x": 1}}} == dict(woven.parts)["a.yaml"].data["values"]
    places = {path: str(woven.place(("values", "deep", *path))) for path in [("one",), ("two", "x"), ("two", "y")]}
    assert ["a.yaml", "a.yaml", "storyboard.yaml"] == [place.partition(":")[0] for place in places.values()]


# A property: split at random, the same film

NAMES = ["0010", "0020", "0030", "0040", "0050", "0060"]
WHOLE: dict[str, Any] = board(
    scenes=[
        {"scene": f"s{n}", "weather": "{{ sky }}", "shots": [
            {"shot": name, "action": f"{{{{ cast.mira }}}} {n} in {{{{ scene.weather }}}}."},
            {"shot": f"{name}b", "action": "{{ look }} {{ shot.mood }}", **({"from": "0010"} if n else {})},
        ]}
        for n, name in enumerate(NAMES)
    ],
    values={"look": "amber", "sky": "rain", "cast": {"mira": "a girl", "tom": "a boy of {{ cast.age }}", "age": "nine"}},
    defaults={"duration": 2, "mood": "calm", "with": {"clip": {"outputQuality": 60}}},
    negative=["text"],
    prompt="{{ shot.action }} {{ cast.tom }}",
)  # fmt: skip


@settings(max_examples=20, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_storyboard_split_into_includes_at_random_asks_for_the_very_same(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    files: dict[str, dict[str, Any]] = {}
    main = _split(WHOLE, files, data, depth=0, name="storyboard.yaml")
    made = world(
        tmp_path_factory.mktemp("split"), text=dump(main), files={name: dump(said) for name, said in files.items()}
    )
    whole = world(tmp_path_factory.mktemp("whole"), text=dump(WHOLE))

    plan, same = made.plan(), whole.plan()

    assert [shot.id for shot in same.board.shots] == [shot.id for shot in plan.board.shots]
    assert bill.intents(same) == bill.intents(plan)
    assert same.warnings == plan.warnings


def _split(
    whole: Mapping[str, Any], files: dict[str, dict[str, Any]], data: st.DataObject, *, depth: int, name: str
) -> dict[str, Any]:
    """The same with some of it in files of its own: runs of scenes, and any of the words."""
    kept = dict(whole)
    before: list[str] = []
    if depth < 3:
        parts = [_torn(kept, word, data) for word in ("values", "defaults", "negative", "prompt") if word in kept]
        words = {word: said for found in parts for word, said in found.items()}
        if words:
            before.append(_written(words, files, data, depth, "looks"))
        scenes = list(kept.get("scenes", []))
        start = data.draw(st.integers(0, len(scenes)))
        stop = data.draw(st.integers(start, len(scenes)))
        if 0 < stop - start < len(WHOLE["scenes"]) or (stop > start and depth == 0):
            part = _written({"scenes": scenes[start:stop]}, files, data, depth, "scenes")
            if start == 0 and data.draw(st.booleans()):
                before.append(part)
                kept["scenes"] = scenes[stop:]
            else:
                kept["scenes"] = [*scenes[:start], {"include": part}, *scenes[stop:]]
            if not kept["scenes"]:
                del kept["scenes"]
    if before:
        kept["include"] = before if len(before) > 1 or data.draw(st.booleans()) else before[0]
    return kept


def _torn(kept: dict[str, Any], word: str, data: st.DataObject) -> dict[str, Any]:
    """What of a word goes elsewhere; it is taken out of what is kept."""
    said = kept[word]
    if not isinstance(said, dict):
        return {word: kept.pop(word)} if data.draw(st.booleans()) else {}
    gone = {key: value for key, value in said.items() if data.draw(st.booleans())}
    inner = {
        key: {name: value for name, value in said[key].items() if data.draw(st.booleans())}
        for key in said
        if key not in gone and isinstance(said[key], dict)
    }
    left = {
        key: {k: v for k, v in value.items() if k not in inner.get(key, {})} if isinstance(value, dict) else value
        for key, value in said.items()
        if key not in gone
    }
    kept[word] = left
    torn = {**gone, **{key: value for key, value in inner.items() if value}}
    return {word: torn} if torn else {}


def _written(said: dict[str, Any], files: dict[str, dict[str, Any]], data: st.DataObject, depth: int, stem: str) -> str:
    """A file beside the one that names it, which may be split again."""
    name = f"{stem}{len(files)}.yaml"
    files[name] = {}
    files[name] = _split(said, files, data, depth=depth + 1, name=name)
    return name


def test_a_text_that_is_no_mapping_is_told_and_not_taken_in(tmp_path: Path) -> None:
    made = world(tmp_path, {}, files={"a.yaml": "just words\n"}, include="a.yaml")
    with pytest.raises(StoryError, match=r"a\.yaml:1:1: an included file must be a mapping, not text"):
        made.plan()


def test_is_part_knows_an_included_file_from_a_storyboard_that_lacks_something() -> None:
    assert include.is_part(document.parse(b"values: {a: b}", "x").data)
    assert not include.is_part(document.parse(b"storyboard: x\nscenes: []", "x").data)
    assert not include.is_part(document.parse(b"vales: {a: b}", "x").data)
