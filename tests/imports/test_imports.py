"""Lists in: a folder of good ones, each with its storyboard and with what is told, and one of bad ones.

To add one: put ``good/NAME.csv`` (or ``.fountain``) there, run this with MATCHCUT_PIN=1, and read what it wrote.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import chdir
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import runner
from runner import imports, sheet
from runner.cli.app import start
from runner.document import parse
from runner.errors import StoryError
from runner.imports import page, seconds, target

HERE = Path(__file__).parent
LISTS = (".csv", ".fountain")
GOOD = sorted(path.name for path in (HERE / "good").iterdir() if path.suffix in LISTS)
BAD = sorted(path.name for path in (HERE / "bad").iterdir() if not path.name.endswith(".told"))
PIPELINES = {"kling": "kling-2.1-master", "ends": "kling-2.0-master"}
"""What a list is imported for, by the first word of its name; else the animatic."""
ALL = ["animatic", *PIPELINES.values()]
TARGETS = {name: target.find(name, Path()) for name in ALL}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of both folders, in the current one."""
    folder = tmp_path_factory.mktemp("lists")
    for name in ("good", "bad"):
        shutil.copytree(HERE / name, folder / name)
    with chdir(folder):
        yield folder


def pinned(path: Path, said: str) -> str:
    """What a golden file says; with MATCHCUT_PIN it is written."""
    if os.environ.get("MATCHCUT_PIN"):
        path.write_text(said, encoding="utf-8", newline="\n")
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", GOOD)
def test_a_list_becomes_this_storyboard_and_this_is_told(
    name: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline = PIPELINES.get(name.partition("-")[0], "animatic")
    with chdir(here / "good"):
        assert 0 == start(["import", name, "--pipeline", pipeline])
    said = capsys.readouterr()
    assert pinned(HERE / "good" / f"{name}.yaml", said.out) == said.out
    assert pinned(HERE / "good" / f"{name}.told", said.err) == said.err


@pytest.mark.parametrize("pipeline", ALL)
@pytest.mark.parametrize("name", GOOD)
def test_every_imported_storyboard_checks_and_plans(
    name: str, pipeline: str, here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = tmp_path / "storyboard.yaml"
    assert 0 == start(["import", str(here / "good" / name), "--pipeline", pipeline, "-o", str(board)])
    capsys.readouterr()
    assert 0 == start(["check", str(board)])
    assert "" == capsys.readouterr().err
    assert runner.plan(board).work


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_list_is_told_with_exactly_these_words(
    name: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with chdir(here / "bad"):
        assert 2 == start(["import", name])
    said = capsys.readouterr()
    assert "" == said.out
    assert pinned(HERE / "bad" / f"{name}.told", said.err) == said.err


def test_warnings_have_a_place_and_come_in_file_order() -> None:
    for name in GOOD:
        raw = (HERE / "good" / name).read_bytes()
        told = imports.read(raw, name, imports.kind_of(Path(name)), TARGETS["kling-2.1-master"]).problems
        places = [problem.place for problem in told if problem.place is not None and problem.place.line > 0]
        assert len(told) == len(places)
        assert sorted(places) == places
        assert {"warning"} <= {"warning", *(problem.severity for problem in told)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5", 5), ("5s", 5), ("5 sec.", 5), ("5,0", 5), (".5", "0.5"), ("0:05", 5), ("00:00:05", 5), ("1:02:03", 3723),
        ("00:00:05:12", "5.5"), ("00:01:00;06", "60.25"), ("1m30", 90), ("1 min 30 s", 90), ("1'30\"", 90), ("250 ms", "0.25"),
        ("48 frames", 2), ("~ 6", 6), ("5-7", None), ("five", None), ("", None), ("0", None), ("5 bananas", None), ("-5", None),
    ],
)  # fmt: skip
def test_a_length_is_read_in_every_form(text: str, expected: float | str | None) -> None:
    assert (None if expected is None else Decimal(str(expected))) == seconds.read(text, 24)[0]


@pytest.mark.parametrize(
    ("asked", "animatic", "kling"), [(3, 3, 5), ("7.5", "7.5", 5), ("7.51", "7.5", 10), (90, 60, 10), ("0.1", 1, 5)]
)
def test_the_nearest_length_that_is_offered_is_taken(
    asked: float | str, animatic: float | str, kling: float | str
) -> None:
    given_ = [TARGETS[name].nearest(Decimal(str(asked))) for name in ("animatic", "kling-2.1-master")]
    assert [Decimal(str(animatic)), Decimal(str(kling))] == given_


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("Shot #", "shot"), ("SHOT NO.", "shot"), ("Shot_Number", "shot"), ("Sc.", "scene"), ("Duration (sec)", "seconds"),
        ("Est. Time", "seconds"), ("Camera Movement", "camera"), ("Focal length [mm]", "lens"), ("ACTION", "action"),
        ("Beschreibung", "action"), ("Wardrobe", None), ("", None),
    ],
)  # fmt: skip
def test_a_column_is_known_by_its_usual_names(header: str, field: str | None) -> None:
    assert field == sheet.meaning(header)[0]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_any_separator_gives_the_same_storyboard(separator: str) -> None:
    rows = [["shot", "description", "notes"], ["0010", "A sea, grey; calm", 'he said "no"'], ["0020", "A|B", "a\tb"]]
    quoted = [[cell if cell.isalnum() else f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row] for row in rows]
    text = "\n".join(separator.join(row) for row in quoted)
    made = imports.read(text.encode(), "l.csv", "csv", TARGETS["animatic"])
    assert () == made.problems
    assert [{"shot": "0010", "action": "A sea, grey; calm", "notes": 'he said "no"'},
            {"shot": "0020", "action": "A|B", "notes": "a\tb"}] == made.data["scenes"][0]["shots"]  # fmt: skip


def test_a_file_that_is_there_is_only_written_over_with_force(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "storyboard.yaml"
    words = ["import", str(here / "good" / "plain.csv"), "-o", str(out)]
    assert 0 == start(words)
    assert "3 shots in 2 scenes" in capsys.readouterr().out
    before = out.read_bytes()
    assert 2 == start([*words[:1], str(here / "good" / "bom.csv"), *words[2:]])
    assert "--force" in capsys.readouterr().err
    assert before == out.read_bytes()
    assert 0 == start([*words[:1], str(here / "good" / "bom.csv"), *words[2:], "--force"])
    assert before != out.read_bytes()


def test_json_has_storyboard_and_warnings(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == start(["import", str(here / "good" / "doubles.csv"), "--json"])
    said = capsys.readouterr()
    told = json.loads(said.out)
    assert "" == said.err
    assert told["storyboard"] == parse(told["text"].encode(), "text").data
    assert {"warning"} == {problem["severity"] for problem in told["problems"]}


def test_a_list_that_is_not_there_and_a_pipeline_that_is_none_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 2 == start(["import", str(tmp_path / "none.csv")])
    assert "none.csv does not exist" in capsys.readouterr().err
    (tmp_path / "one.csv").write_text("shot,description\n1,Rain falls.\n")
    assert 2 == start(["import", str(tmp_path / "one.csv"), "--pipeline", "animatc"])
    assert "did you mean animatic?" in capsys.readouterr().err
    assert 2 == start(["import", str(tmp_path)])
    assert "is a folder" in capsys.readouterr().err


def test_a_picture_in_the_project_is_begun_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "stills").mkdir()
    (tmp_path / "stills" / "lane.png").write_bytes(b"")
    (tmp_path / "l.csv").write_text(
        "shot,description,from\n0010,Rain falls.,stills/lane.png\n0020,It stops.,../x.png\n"
    )
    with chdir(tmp_path):
        assert 0 == start(["import", "l.csv"])
    said = capsys.readouterr()
    assert "from: stills/lane.png" in said.out
    assert '"../x.png" is neither a frame of a shot in the list nor a picture here' in said.err


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NASTY = st.one_of(
    TEXT, st.sampled_from(["null", "0010", "5:3", "- a", "a: b", "a #b", "{{ x }}", "yes", "  ", "a\n b", "x " * 80])
)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.lists(st.tuples(NASTY, NASTY, NASTY), min_size=1, max_size=3), NASTY)
def test_what_is_written_is_read_back_as_the_same_data(shots: list[tuple[str, str, str]], title: str) -> None:
    data = {
        "storyboard": "x", "title": title, "pipeline": "animatic", "prompt": "{{ shot.action }}", "defaults": {"duration": 5},
        "scenes": [{"scene": "010", "title": title, "shots": [
            {"shot": f"00{n}0", "action": a, "mood": b, "duration": 2.5, "notes": c} for n, (a, b, c) in enumerate(shots, 1)]}],
    }  # fmt: skip
    text = page.written(data, f"{title}.csv")
    assert data == parse(text.encode(), "x.yaml").data


PIECES = ["scene", "shot", "description", ",", ";", "\t", '"', "\n", "0010", "10", "'=1", "5", "0:05", "{{", "\0", "é",
          "INT. A - DAY", "\n\n", "ANNA\n", "(x)", "[[", "]]", "/*", "*/", "#1#", "> ", " <", "~", "=", "===", "Title: ", "*", "_"]  # fmt: skip


@settings(max_examples=300, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(["csv", "fountain"]),
    st.lists(st.one_of(st.sampled_from(PIECES), TEXT), max_size=30).map("".join),
    st.sampled_from(ALL),
    st.sampled_from(["", "scene,shot,description,seconds,from,to\n"]),
)
def test_any_text_is_refused_or_becomes_a_storyboard_that_checks(
    tmp_path_factory: pytest.TempPathFactory, kind: str, text: str, pipeline: str, head: str
) -> None:
    try:
        made = imports.read((head + text).encode(), "any", kind, TARGETS[pipeline])
    except StoryError:
        return
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    file.write_text(page.written(made.data, "any"), encoding="utf-8", newline="\n")
    runner.plan(file)
