"""Lists out and in again: what a storyboard says comes back, whatever its words look like to a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import os
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import runner
from runner import imports, sheet
from runner.cli.app import start
from runner.exports.csv import left_out, write
from runner.imports import page, target
from runner.imports.board import literal
from runner.plan import Plan

EXAMPLES = Path(__file__).parents[2] / "examples"
ANIMATIC = target.find("animatic", Path())
EXAMPLES_MAX = int(os.environ.get("MATCHCUT_LISTS", "60"))
"""How many storyboards are drawn; more in the long form."""
NEWLINES = str.maketrans({"\r": "\n"})

CHARS = st.characters(exclude_categories=["Cs"])
NASTY = st.one_of(
    st.text(CHARS, max_size=12),
    st.sampled_from(["=SUM(A1)", "+1", "-1", "@x", "'=x", "''@", "'", "\tx", "＝1", '"', '""', 'a"b,c;d', "a\nb\r\nc"]),
    st.sampled_from(
        ["{{ x }}", "{% if %}", "5", "0010", "1,5", "TRUE", "sep=;", "null", "\0", "\x85", "\u2028", " x "]
    ),
    st.sampled_from(["🎬🏽 é", "e\u0301 \u202e", "－", "日本"]),
)
WORDS = NASTY.map(lambda text: text + "ab")
NAMES = st.sampled_from(
    "mood description Move seconds größe my_field shot.x =x wardrobe planned_seconds length".split()
)
IDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,5}", fullmatch=True) | st.sampled_from(
    ["10", "20", "0010", "007", "1e5"]
)


DEVICES = ("con", "prn", "aux", "nul")


def ids(least: int, most: int) -> st.SearchStrategy[list[str]]:
    return st.lists(
        IDS.filter(lambda name: name.lower() not in DEVICES), min_size=least, max_size=most, unique_by=str.casefold
    )


@st.composite
def boards(draw: st.DrawFn) -> dict[str, Any]:
    """A storyboard as data, of one to three scenes."""
    scenes = draw(ids(1, 3))
    shots = draw(ids(len(scenes), 5))
    made: list[dict[str, Any]] = [{"scene": name, "shots": []} for name in scenes]
    for n, name in enumerate(shots):
        words = draw(st.dictionaries(NAMES | st.sampled_from(["size", "lens", "camera"]), NASTY, max_size=3))
        shot: dict[str, Any] = {"shot": name, **{key: literal(text) for key, text in words.items()}}
        shot["action"] = literal(draw(WORDS))
        shot |= {"duration": draw(st.sampled_from([1, 2.5, 5, 60])), "takes": draw(st.integers(1, 99))}
        begins = st.sampled_from(["cut", *shots[:n], *(f"{one}@0.5s" for one in shots[:n])])
        may: dict[str, Any] = {"notes": NASTY, "title": NASTY, "review": st.booleans(), "from": begins}
        shot |= draw(st.fixed_dictionaries({}, optional=may))
        made[min(n, len(scenes) - 1)]["shots"].append(shot)
    head = {"storyboard": "x", "pipeline": "animatic", "prompt": "{{ shot.action }}", "defaults": {"duration": 5}}
    return {**head, "scenes": made}


def plan_of(data: dict[str, Any], file: Path) -> Plan:
    file.write_text(page.written(data, "x"), encoding="utf-8", newline="\n")
    return runner.plan(file)


def listed(plan: Plan) -> str:
    words = {name: brief.words for name, brief in plan.briefs.items()}
    return write(plan.board, words, {name: brief.seconds for name, brief in plan.briefs.items()})


def told(plan: Plan) -> list[dict[str, Any]]:
    """What a list must keep of a storyboard: white space around words doesn't count, nor what kind of line end it was."""

    def plain(value: object) -> str:
        return str(value or "").replace("\r\n", "\n").translate(NEWLINES).strip()

    return [
        {
            "shot": shot.id, "scene": shot.scene, "begins": shot.begins, "ends": shot.ends, "takes": shot.takes,
            "seconds": plan.briefs[shot.id].seconds, "notes": plain(shot.notes), "title": plain(shot.title), "review": shot.review,
            "words": {name: plain(text) for name, text in plan.briefs[shot.id].words.fields.items() if plain(text)},
        }
        for shot in plan.board.shots
    ]  # fmt: skip


@settings(max_examples=EXAMPLES_MAX, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(boards())
def test_a_storyboard_comes_back_from_a_list_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, data: dict[str, Any]
) -> None:
    folder = tmp_path_factory.getbasetemp()
    plan = plan_of(data, folder / "there.yaml")
    text = listed(plan)
    made = imports.read(("\ufeff" + text).encode(), "list.csv", "csv", ANIMATIC)
    back = plan_of(made.data, folder / "back.yaml")
    assert told(plan) == told(back)
    assert text == listed(back)
    assert [] == [p for p in made.problems if "is kept as the free word" not in p.fact]


@settings(max_examples=200, derandomize=True, deadline=None)
@given(NASTY)
def test_no_cell_is_taken_for_a_formula_and_every_guard_can_be_taken_away(text: str) -> None:
    text = text.strip()
    assert sheet.guarded(text)[:1] not in {*"=+-@＝＋－＠"}
    assert text == sheet.bare(sheet.guarded(text))


@pytest.mark.parametrize("name", ["lantern-market", "two-endings", "bridge", "vertical"])
def test_every_example_leaves_as_a_list_and_comes_back(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "shots.csv"
    assert 0 == start(["export", str(EXAMPLES / name / "storyboard.yaml"), "--as", "csv", "-o", str(out)])
    assert out.read_bytes().startswith(b"\xef\xbb\xbfscene,shot,size,lens,move,description,seconds,notes,from,to,takes")
    plan = runner.plan(EXAMPLES / name / "storyboard.yaml")
    capsys.readouterr()
    with chdir(EXAMPLES / name):
        assert 0 == start(["import", str(out), "--pipeline", plan.pipeline.id, "--json"])
    back = json.loads(capsys.readouterr().out)["storyboard"]
    assert [shot.id for shot in plan.board.shots] == [
        shot["shot"] for scene in back["scenes"] for shot in scene["shots"]
    ]
    assert [scene.title for scene in plan.board.scenes] == [scene.get("title", "") for scene in back["scenes"]]


def test_a_list_has_these_columns_first_and_rendered_words(tmp_path: Path) -> None:
    plan = runner.plan(EXAMPLES / "lantern-market" / "storyboard.yaml")
    rows = list(csv.reader(io.StringIO(listed(plan))))
    assert "scene shot size lens move description seconds notes from to takes".split() == rows[0][:11]
    assert ["010", "0010", "Wide shot", "", "slow forward glide at a child's height"] == rows[1][:5]
    assert rows[1][5].startswith("a girl of eight in a yellow rain cape spins once")
    assert ["5", "", "stills/lane.png", "", "1"] == rows[1][6:11]


def test_what_a_list_has_no_column_for_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == start(["export", str(EXAMPLES / "lantern-market" / "storyboard.yaml"), "--as", "csv"])
    said = capsys.readouterr()
    facts = [line for line in said.err.splitlines() if "has no column" in line]
    assert ["values", "prompt", "negative"] == [
        f.split("`")[1] for f in facts if "storyboard has" in f and "budget" not in f
    ]
    assert any("`place` of a scene has no column in a list and is left out (and 1 more)" in fact for fact in facts)
    assert any("`with` of a shot" in fact for fact in facts)
    assert said.out.startswith("scene,shot,")
    assert [] != left_out(runner.plan(EXAMPLES / "bridge" / "storyboard.yaml").board)


def test_the_list_in_the_examples_is_what_is_exported() -> None:
    plan = runner.plan(EXAMPLES / "lantern-market" / "storyboard.yaml")
    assert listed(plan) == (EXAMPLES / "lantern-market" / "shots.csv").read_bytes().decode("utf-8-sig")


def test_the_screenplay_in_the_examples_comes_in_without_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == start(["import", str(EXAMPLES / "two-endings" / "pier.fountain")])
    assert "" == capsys.readouterr().err


def test_an_export_is_only_written_over_with_force(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "shots.csv"
    words = ["export", str(EXAMPLES / "bridge" / "storyboard.yaml"), "--as", "csv", "-o", str(out)]
    assert 0 == start(words)
    out.write_text("mine")
    assert 2 == start(words)
    assert "--force" in capsys.readouterr().err
    assert "mine" == out.read_text()
    assert 0 == start([*words, "--force"])
    assert "mine" != out.read_text()
