"""The command: every help text, one test in and out for each command, errors without tracebacks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner import shipped
from runner.cli.app import COMMANDS, start
from runner.schema import check

from .stage import Stage

HELP = Path(__file__).parent / "cli"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    stage = Stage(tmp_path_factory.mktemp("cli"), '- {shot: "0010", action: A lamp.}\n- {shot: "0020", action: Rain.}')
    stage.run()
    return stage


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_texts_are_these(name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a text is meant to change: MATCHCUT_PIN=1 writes it down."""
    import os

    monkeypatch.setenv("COLUMNS", "100")
    assert start([*([name] if name else []), "--help"]) == 0
    said = capsys.readouterr().out
    pinned = HELP / f"{name or 'matchcut'}.txt"
    if os.environ.get("MATCHCUT_PIN"):
        pinned.parent.mkdir(exist_ok=True)
        pinned.write_text(said, encoding="utf-8")
    assert pinned.read_text(encoding="utf-8") == said


def test_every_command_says_in_its_help_what_the_list_says() -> None:
    from importlib import import_module

    for name in COMMANDS:
        assert import_module(f"runner.cli.{name}").command is not None


def test_no_words_show_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert start([]) == 0
    assert "Turns a storyboard written in YAML into a film." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "fact"),
    [(["pln"], "Did you mean plan?"), (["plan", "--jsn"], "--json"), (["nonsense"], "No such command")],
)
def test_a_slip_is_told_in_a_line(words: list[str], fact: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert start(words) == 2
    assert fact in capsys.readouterr().err


def test_init_writes_a_storyboard_that_checks_clean_and_never_touches_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(["init", str(tmp_path / "new")]) == 0
    board = tmp_path / "new" / "storyboard.yaml"
    assert start(["check", str(board)]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    before = board.read_bytes()
    assert start(["init", str(tmp_path / "new")]) == 2
    assert board.read_bytes() == before
    ignore = tmp_path / "new" / ".gitignore"
    assert ["out/"] == ignore.read_text(encoding="utf-8").splitlines()[1:]
    board.unlink()
    ignore.write_text("mine\n", encoding="utf-8")
    assert 0 == start(["init", str(tmp_path / "new")])
    assert "mine\n" == ignore.read_text(encoding="utf-8")


def test_plan_tells_state_price_and_reason(finished: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert start(["plan", str(finished.file)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[2].split() == ["shot", "begins", "on", "state", "s", "takes", "USD", "why"]
    assert said[3].split()[:5] == ["0010", "cut", "current", "1", "1/1"]
    assert said[-1] == "2 shots, 2 s. Nothing to make. Free: drawn on this machine."
    assert start(["plan", str(finished.file), "--check"]) == 0


def test_plan_check_ends_with_3_where_there_is_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert start(["plan", str(Stage(tmp_path).file), "--check"]) == 3
    capsys.readouterr()


def test_plan_of_a_paid_pipeline_prices_every_shot_and_says_what_is_unknown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = Stage(tmp_path)
    stage.change(
        "pipeline: small.yaml\ndefaults: {duration: 1}",
        "pipeline: kling-2.1-master\nbudget: 12\ndefaults: {duration: 10, takes: 2}",
    )
    assert start(["plan", str(stage.file), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [shot["usd"] for shot in told["shots"]] == [3.696, 3.696, 3.696]
    assert told["shots"][1]["unknown"] == ["the last frame of 0010 is not made yet"]
    assert told["shots"][0]["follows"] == ["0020", "0030"]
    assert told["totals"] == {
        "shots": 3, "seconds": 30.0, "to_make": 6, "to_take_in": 0, "spent": 0.0, "run": 11.088, "worst": 11.088, "later": 0.0, "inherited": 0.0, "if_bought": None, "budget": 12.0,
    }  # fmt: skip
    assert {task["id"] for task in told["tasks"]} >= {"0010.clip", "0010.tail", "0010.check", "film.cut"}


def test_run_says_what_it_made_and_then_that_nothing_is_to_be_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = Stage(tmp_path, '- {shot: "0010", action: A lamp.}')
    assert start(["run", str(stage.file)]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[0] == "1 shot: 1 current; 1 take made"
    assert said.err.startswith("[1/1] 0010 made in ")
    assert start(["run", str(stage.file)]) == 0
    assert capsys.readouterr().out == f"nothing to do: 1 shot is current ({stage.out / 'film.mp4'})\n"
    assert start(["run", str(stage.file), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["made"], told["changed"], told["shots"][0]["state"]) == (0, 0, "current")


def test_why_names_the_words_that_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stage = Stage(
        tmp_path, '- {shot: "0010", action: "{{ light }} in a window."}', more="values: {light: A lamp burns}"
    )
    stage.run()
    stage.change("A lamp burns", "A candle burns")
    assert start(["why", "0010", str(stage.file)]) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[0] == "0010 is stale: prompt, slate.line changed"
    assert "A [-lamp-] {+candle+} burns in a window." in said
    assert "values.light" in said
    assert start(["why", "0011", str(stage.file)]) == 2
    assert "did you mean 0010?" in capsys.readouterr().err


@pytest.mark.parametrize(("form", "begins"), [("mermaid", "flowchart"), ("dot", "digraph"), ("svg", "<svg")])
def test_graph_draws(finished: Stage, form: str, begins: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert start(["graph", str(finished.file), "--format", form]) == 0
    assert begins in capsys.readouterr().out
    file = finished.folder / f"graph.{form}"
    for _ in range(2):  # what it drew itself, it may draw anew
        assert start(["graph", str(finished.file), "--format", form, "-o", str(file)]) == 0
    assert begins in file.read_text(encoding="utf-8")


@pytest.mark.parametrize("words", [["plan", "STORYBOARD"], ["graph", "STORYBOARD"], ["frame", "FILM"]])
def test_a_file_that_is_there_is_written_over_only_if_that_is_said(
    words: list[str], finished: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {"STORYBOARD": str(finished.file), "FILM": str(finished.out / "film.mp4")}
    file = tmp_path / "mine.png"
    file.write_bytes(b"storyboard: mine")
    said = [*(places.get(word, word) for word in words), "-o", str(file)]
    assert 2 == start(said)
    assert f"{file} is there already\n  try: another name, or --force" in capsys.readouterr().err
    assert b"storyboard: mine" == file.read_bytes()
    assert 0 == start([*said, "--force"])
    assert b"storyboard: mine" != file.read_bytes()


def test_status_circle_retake_and_report_go_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stage = Stage(tmp_path, '- {shot: "0010", action: A lamp., review: true}\n- {shot: "0020", action: Rain.}')
    assert start(["run", str(stage.file)]) == 5
    capsys.readouterr()
    assert start(["status", str(stage.file)]) == 0
    assert "0010  waiting: 1 take made; one must be circled" in capsys.readouterr().out
    assert start(["circle", "0010", "7", str(stage.file)]) == 2
    assert "shot 0010 has no take 7" in capsys.readouterr().err
    assert start(["circle", "0010", "1", str(stage.file)]) == 0
    assert "take 1 is circled" in capsys.readouterr().out
    assert start(["retake", "0010", str(stage.file)]) == 0
    assert "2 takes wanted, 1 there; the next run makes 1" in capsys.readouterr().out
    assert start(["run", str(stage.file)]) == 0
    (stage.out / "report.html").unlink()
    assert start(["report", str(stage.file)]) == 0
    assert (stage.out / "report.html").is_file()
    assert start(["circle", "0010", str(stage.file), "--none"]) == 0
    assert "no take is circled" in capsys.readouterr().out
    assert start(["circle", "0010"]) == 2
    assert "say which take, or --none" in capsys.readouterr().err


def test_frame_and_inspect_take_any_clip(finished: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = str(finished.out / "film.mp4")
    for at in ("first", "last", "sharpest", "0.5"):
        assert start(["frame", clip, "--at", at, "-o", str(tmp_path / f"{at}.png")]) == 0
    assert "640x360" in capsys.readouterr().out
    assert start(["inspect", clip, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["probe"]["width"] == 640
    assert start(["frame", clip, "--at", "never", "-o", "f.png"]) == 2
    assert "never names no frame" in capsys.readouterr().err
    assert start(["inspect", str(tmp_path / "none.mp4")]) == 2
    assert "none.mp4" in capsys.readouterr().err


def test_models_schema_store_and_doctor_answer(finished: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert start(["models"]) == 0
    assert "klingai:5@3" in capsys.readouterr().out
    assert start(["models", "klingai:4@3"]) == 0
    assert "note on" in capsys.readouterr().out
    assert start(["models", "klingai:4@4"]) == 2
    assert "try: klingai:4@3" in capsys.readouterr().err
    assert start(["schema", "storyboard"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Storyboard"
    assert start(["schema", "storybord"]) == 2
    assert "did you mean storyboard?" in capsys.readouterr().err
    assert start(["store", "verify", str(finished.folder)]) == 0
    assert "2 objects, all whole" in capsys.readouterr().out
    assert start(["doctor", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True


def test_problems_are_data_with_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stage = Stage(tmp_path, '- {shot: "0010", action: "{{ lok }}"}', more="values: {look: amber}")
    assert start(["check", str(stage.file), "--json"]) == 2
    problem = json.loads(capsys.readouterr().out)["problems"][0]
    assert (problem["fact"], problem["remedy"], problem["line"]) == ('"lok" is not defined', "did you mean look?", 8)


def test_every_property_of_every_schema_has_a_title_and_a_description() -> None:
    def walk(node: object, where: str) -> list[str]:
        found: list[str] = []
        if isinstance(node, dict):
            for name, value in node.get("properties", {}).items():
                if "$ref" not in value and not {"title", "description"} <= set(value):
                    found.append(f"{where}.{name}")
            for name, value in node.items():
                found += walk(value, f"{where}.{name}")
        elif isinstance(node, list):
            for value in node:
                found += walk(value, where)
        return found

    folder = shipped.folder("schemas")
    for file in [folder / "storyboard.schema.json", folder / "pipeline.schema.json", *folder.glob("kinds/*.json")]:
        assert walk(json.loads(file.read_text(encoding="utf-8")), file.name) == []


def test_shipped_pipelines_check_and_rehearse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for pipeline in sorted(shipped.folder("pipelines").glob("*.yaml")):
        stage = Stage(tmp_path)
        stage.change("small.yaml\ndefaults: {duration: 1}", pipeline.stem)
        assert start(["plan", str(stage.file), "--provider", "animatic"]) == 0
        assert capsys.readouterr().err == ""
    assert check({}, "manifest.schema.json") != []


@pytest.mark.parametrize("command", ["check", "plan", "run", "status", "costs"])
def test_what_is_wrong_with_the_settings_is_told_with_the_storyboard(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = Stage(tmp_path, '- {shot: "0010", action: A lamp., from: "0020"}')
    (tmp_path / "matchcut.toml").write_text("store = 5\njob = 2\n", encoding="utf-8")
    assert 2 == start([command, str(stage.file)])
    said = capsys.readouterr().err
    assert "matchcut.toml:1:1: store is 5, but it must be an address" in said
    assert 'matchcut.toml:2:1: "job" is no setting' in said
    assert 'shot "0020" does not exist' in said, "all at once"


def test_a_storyboard_that_is_elsewhere_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "film" / "notes").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert 2 == start(["plan"])
    assert "storyboard.yaml does not exist\n  try: matchcut init" in capsys.readouterr().err
    Stage(tmp_path / "film")
    assert 2 == start(["plan"])
    assert "storyboard.yaml does not exist\n  try: film/storyboard.yaml\n" == capsys.readouterr().err
    monkeypatch.chdir(tmp_path / "film" / "notes")
    assert 2 == start(["plan"])
    assert "try: ../storyboard.yaml\n" in capsys.readouterr().err


def test_a_list_that_is_not_there_is_told_with_the_one_that_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 2 == start(["import", str(tmp_path / "nofile.csv")])
    assert "try: the path of a shot list (CSV)" in capsys.readouterr().err
    (tmp_path / "shots.csv").write_text("shot\n", encoding="utf-8")
    assert 2 == start(["import", str(tmp_path / "nofile.csv")])
    assert f"try: {tmp_path / 'shots.csv'}\n" in capsys.readouterr().err


def test_the_troubles_are_listed_without_serving(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == start(["serve", "--trouble-kinds", "help"])
    assert "cut-connection" in capsys.readouterr().out
