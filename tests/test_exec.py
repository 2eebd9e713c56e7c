"""Steps of the user's own: commands with declared inputs and outputs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import runner
from runner.store import hash_file

from .stage import PIPELINE, Stage

COPY = "import shutil, sys; shutil.copyfile(sys.argv[1], sys.argv[2])"
TWO = '- {shot: "0010", action: A lamp.}\n- {shot: "0020", action: Rain.}'


def pipeline(argv: str, more: str = "") -> str:
    step = f"  own: {{uses: exec, in: {{clip: clip}}, with: {{argv: {argv}, gives: {{clip: own.mp4}}{more}}}}}\n"
    return PIPELINE.replace("film:", f"{step}gives: {{clip: own, last: tail}}\nfilm:")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def stage(tmp_path: Path, argv: str, more: str = "", shots: str = TWO) -> Stage:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "copy.py").write_text(COPY, encoding="utf-8")
    return Stage(folder, shots, pipeline(argv, more))


GOOD = '["{python}", "{pipeline}/copy.py", "{in.clip}", "{out.clip}"]'


def test_a_command_is_refused_until_a_person_trusts_it_and_asked_for_again_when_it_changes(tmp_path: Path) -> None:
    made = stage(tmp_path, GOOD, ", files: [copy.py]")
    with pytest.raises(runner.StoryError) as caught:
        made.run()
    assert caught.value.exit_code == 4
    assert "small.yaml:9:" in str(caught.value)
    assert 'step "own" runs a command: {python} {pipeline}/copy.py {in.clip} {out.clip}' in str(caught.value)
    assert "try: --trust" in str(caught.value)

    assert made.run(trust=True).exit_code == 0
    assert made.run().exit_code == 0, "trust is remembered"
    (made.folder / "copy.py").write_text(COPY + "\n# changed", encoding="utf-8")
    with pytest.raises(runner.StoryError):
        made.run()


def test_planning_and_checking_run_no_command(tmp_path: Path) -> None:
    made = stage(tmp_path, '["{python}", "-c", "open(\'ran\', \'w\')"]')
    plan = made.plan()
    assert plan.decisions["0010"].state == "missing"
    assert list(tmp_path.rglob("ran")) == []


def test_what_a_command_writes_is_kept_goes_into_the_film_and_is_not_made_again(tmp_path: Path) -> None:
    made = stage(tmp_path, GOOD)
    outcome = made.run(trust=True)
    assert outcome.exit_code == 0
    manifest = json.loads((made.out / "manifest.json").read_text(encoding="utf-8"))
    taken = [outcome.decisions[name].take for name in ("0010", "0020")]
    assert [shot["clip"]["digest"] for shot in manifest["shots"]] == [take.clip for take in taken if take is not None]
    assert manifest["films"][0]["joins"][0]["shown_once"], "a copy joins as its original does"
    again = made.run()
    assert (again.made, again.changed) == (0, 0)


def test_a_command_runs_again_when_a_file_it_declares_changes(tmp_path: Path) -> None:
    made = stage(tmp_path, GOOD, ", files: [copy.py]")
    made.run(trust=True)
    (made.folder / "copy.py").write_text(COPY + "\nprint('hello')", encoding="utf-8")

    plan = made.plan()

    assert plan.decisions["0010"].due == ("own",)
    assert plan.decisions["0010"].state == "current"
    assert made.run(trust=True).made == 0
    assert made.plan().decisions["0010"].due == ()


@pytest.mark.parametrize(
    ("argv", "more", "fact"),
    [
        ('["{python}", "-c", "print(1/0)"]', "", "ended with 1:\nTraceback"),
        ('["{python}", "-c", "pass"]', "", "did not write clip"),
        ('["no-such-program"]', "", "the command no-such-program does not exist"),
        ('["{python}", "-c", "import signal; signal.pause()"]', ", timeout: 0.2", "took longer than 0.2 s (timeout)"),
    ],
)
def test_a_command_that_fails_says_how_and_keeps_what_it_said(tmp_path: Path, argv: str, more: str, fact: str) -> None:
    made = stage(tmp_path, argv, more, '- {shot: "0010", action: A lamp.}')
    outcome = made.run(trust=True)
    assert outcome.exit_code == 1
    assert fact in str(outcome.problems[0])
    assert (made.folder / ".matchcut" / "logs" / "0010.own.txt").is_file()


def test_a_command_sees_only_the_environment_it_declares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADE", "warm")
    monkeypatch.setenv("SECRET", "x")
    look = "import os, shutil, sys; assert 'SECRET' not in os.environ; assert os.environ['GRADE'] == 'warm'; "
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "look.py").write_text(look + COPY.removeprefix("import shutil, sys; "), encoding="utf-8")
    argv = '["{python}", "{pipeline}/look.py", "{in.clip}", "{out.clip}"]'
    made = Stage(folder, '- {shot: "0010", action: A lamp.}', pipeline(argv, ", env: [GRADE]"))
    assert made.run(trust=True).exit_code == 0
    monkeypatch.setenv("GRADE", "cold")
    assert made.plan().decisions["0010"].due == ("own",), "a declared variable counts for the key"


def test_no_shell_unless_asked_for(tmp_path: Path) -> None:
    plain = stage(tmp_path, '["cp {in.clip} {out.clip}"]', "", '- {shot: "0010", action: A lamp.}')
    assert "does not exist" in str(plain.run(trust=True).problems[0])
    (plain.folder / "small.yaml").write_text(pipeline('["cp {in.clip} {out.clip}"]', ", shell: true"), encoding="utf-8")
    assert plain.run(trust=True).exit_code == 0


def test_a_command_may_work_on_the_film(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "copy.py").write_text(COPY, encoding="utf-8")
    step = f"  own: {{uses: exec, in: {{clip: cut}}, with: {{argv: {GOOD}, gives: {{clip: film.mp4}}}}}}\n"
    made = Stage(folder, TWO, PIPELINE.replace("  manifest:", step + "  manifest:"))
    outcome = made.run(trust=True)
    assert outcome.exit_code == 0
    manifest = json.loads((made.out / "manifest.json").read_text(encoding="utf-8"))
    film = manifest["films"][0]
    assert film["notes"][-1] == "made by step own"
    assert hash_file(made.out / "film.mp4") == film["digest"]
