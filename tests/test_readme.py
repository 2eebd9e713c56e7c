"""README says what is so: its storyboard, its code, its commands."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import runner
from runner.cli.app import COMMANDS, start

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_its_storyboard_checks_without_a_word(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (board,) = blocks("yaml")
    (tmp_path / "storyboard.yaml").write_text(board, encoding="utf-8")
    assert start(["check", str(tmp_path / "storyboard.yaml")]) == 0
    assert capsys.readouterr().err == ""


def test_its_wrong_storyboard_is_told_as_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (board,) = blocks("yaml")
    (tmp_path / "storyboard.yaml").write_text(board.replace('"0010@2.5s"', '"0011"'), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert start(["check"]) == 2
    said = next(text for text in blocks("text") if "does not exist" in text)
    told, shown = capsys.readouterr().err, said.splitlines()
    assert told.splitlines()[0].partition(": ")[2] == shown[0].partition(": ")[2]
    assert re.match(r"storyboard\.yaml:\d+:\d+$", shown[0].partition(": ")[0])
    assert told.splitlines()[0] == shown[0]
    assert told.splitlines()[1] == shown[1]


def test_its_variants_and_includes_are_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (board,), (more,) = blocks("yaml"), [block for block in blocks("yml") if "variants:" in block]
    (tmp_path / "looks").mkdir()
    (tmp_path / "scenes").mkdir()
    (tmp_path / "looks" / "night.yaml").write_text("values: {stall: a stall at night}\n", encoding="utf-8")
    shots = '{shot: "0090", action: "{{ stall }}: {{ sign }}"}'
    (tmp_path / "scenes" / "market.yaml").write_text(f'scenes: [{{scene: "090", shots: [{shots}]}}]', encoding="utf-8")
    (tmp_path / "storyboard.yaml").write_text(board + more, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert start(["check"]) == 0
    told = capsys.readouterr()
    assert (told.out, told.err) == ("storyboard.yaml: 4 variants, 16 shots, 100 s, no problems\n", "")
    assert all(f"`{name}`" in README for name in runner.variants("storyboard.yaml"))


def test_its_code_runs() -> None:
    (code,) = blocks("python")
    done = subprocess.run([sys.executable, "-P", "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    plan = runner.plan(ROOT / "examples" / "bridge" / "storyboard.yaml", provider="animatic")
    assert [line.split()[0] for line in done.stdout.splitlines()] == [shot.id for shot in plan.board.shots]


def test_its_commands_are_the_commands() -> None:
    table = README[README.index("## The commands") : README.index("## States")]
    named = {word for cell in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for word in re.findall(r"`(\w+)", cell)}
    assert named == set(COMMANDS)


def test_its_workflow_calls_commands_that_there_are() -> None:
    (workflow,) = [block for block in blocks("yml") if "- run:" in block]
    runs = [words.split() for words in re.findall(r"- run: matchcut (.*)", workflow)]
    assert [words[0] for words in runs] == ["check", "diff", "plan", "run"]
    for name, *words in runs:
        command = import_module(f"runner.cli.{name}").command
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options


def test_its_first_screen_has_the_two_commands() -> None:
    first = README[: README.index("## Why")]
    assert re.findall(r"<!-- (\w+) -->", first) == ["run", "test"]
    assert "matchcut run examples/lantern-market/storyboard.yaml --provider animatic" in first


def test_its_links_lead_somewhere() -> None:
    for name in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / name).exists(), name


def test_the_changelog_has_this_version() -> None:
    assert f"## {runner.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
