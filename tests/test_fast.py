"""Nothing to do, found from stamps: quick, and never wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runner import __version__, fast

from .stage import Stage

MAIN = "from runner.cli import main; sys.exit(main())"
COMMAND = [sys.executable, "-c", f"import sys; {MAIN}"]
ROOT = Path(__file__).parent.parent
HEAVY = ("click", "yaml", "json", "numpy", "typing", "re")


def command(stage: Stage, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "run", "storyboard.yaml", *words], cwd=stage.folder, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    stage = Stage(tmp_path_factory.mktemp("fast"), '- {shot: "0010", action: A lamp.}\n- {shot: "0020", action: Rain.}')
    assert command(stage).returncode == 0
    return stage


def settled(stage: Stage) -> None:
    """Run until a run is answered from stamps alone."""
    for _ in range(3):
        command(stage)
        if is_fast(stage):
            return
    raise AssertionError("never answered from stamps")


def is_fast(stage: Stage) -> bool:
    """Whether a run is answered without any of the heavy imports."""
    argv = [sys.executable, "-I", "-X", "importtime", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {MAIN}"]
    done = subprocess.run([*argv, "run", "storyboard.yaml"], cwd=stage.folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    return not imported & {*HEAVY}


def test_nothing_to_do_is_answered_without_importing_anything_heavy(finished: Stage) -> None:
    settled(finished)
    assert is_fast(finished)
    assert command(finished).stdout == "nothing to do: 2 shots are current (out/film.mp4)\n"


def rewritten(path: Path) -> None:
    path.write_bytes(path.read_bytes())


def put_back_with_its_time(path: Path) -> None:
    kept, times = path.read_bytes(), (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    path.write_bytes(kept)
    os.utime(path, ns=times)


def replaced(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    other.replace(path)


def removed(path: Path) -> None:
    path.unlink()


CHANGES: list[Callable[[Path], None]] = [rewritten, put_back_with_its_time, replaced, removed]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: str(change.__name__))
@pytest.mark.parametrize(
    "name", ["storyboard.yaml", "small.yaml", "out/film.mp4", "out/manifest.json", "out/clips/001_010_0010_tk01.mp4"]
)
def test_any_change_to_a_file_is_looked_into(
    finished: Stage, name: str, change: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = finished.folder / name
    if change is removed and not name.startswith("out/"):
        return
    settled(finished)
    change(path)

    place = fast.place(["run", str(finished.file)])
    assert place is not None
    monkeypatch.chdir(finished.folder)
    assert fast.answer(["run", "storyboard.yaml"], __version__) is None
    done = command(finished)
    assert done.returncode == 0
    assert path.is_file()


def test_a_file_that_appears_is_looked_into(finished: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    settled(finished)
    (finished.folder / "matchcut.toml").write_text("jobs = 1\n", encoding="utf-8")
    monkeypatch.chdir(finished.folder)
    assert fast.answer(["run", "storyboard.yaml"], __version__) is None
    (finished.folder / "matchcut.toml").unlink()


def test_another_program_words_or_folder_are_another_question(finished: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    settled(finished)
    monkeypatch.chdir(finished.folder)
    assert fast.answer(["run", "storyboard.yaml"], __version__) is not None
    assert fast.answer(["run", "storyboard.yaml"], "another version") is None
    assert fast.answer(["run", "storyboard.yaml", "--partial"], __version__) is None
    assert fast.answer(["plan", "storyboard.yaml"], __version__) is None


def test_a_stamp_that_is_not_older_than_the_run_is_not_written_down(finished: Stage) -> None:
    argv = ["run", str(finished.file)]
    begun = fast.begin(argv)
    assert begun is not None
    name = str(finished.file)
    assert fast.record(argv, "1", "said", [name], [], begun) is not None
    rewritten(finished.file)
    assert fast.record(argv, "1", "said", [name], [], begun) is None
    assert fast.record(argv, "1", "said", [name], [], finished.file.stat().st_ctime_ns) is None


def test_a_damaged_record_is_passed_over(finished: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    settled(finished)
    monkeypatch.chdir(finished.folder)
    place = fast.place(["run", "storyboard.yaml"])
    assert place is not None
    whole = Path(place).read_bytes()
    for damaged in (b"", whole[:-4], whole[: len(whole) // 2], b"\xff" * 40):
        Path(place).write_bytes(damaged)
        assert fast.answer(["run", "storyboard.yaml"], __version__) is None
