"""What a run survives: killed processes, two runs at once, disks that refuse."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from runner import lock
from runner.errors import StoryError
from runner.executors import EXECUTORS
from runner.ports import Job, TaskFailed, WorkerLost
from runner.store import LocalStore, copy, hash_file, told, write
from runner.takes import Take

from .stage import Pretend, Stage

RUN = "import sys, runner; sys.exit(runner.run(sys.argv[1]).exit_code)"


def begun(stage: Stage) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", RUN, str(stage.file)], stderr=subprocess.DEVNULL)


def test_a_killed_run_leaves_a_whole_store_and_the_next_one_ends_with_the_same_film(tmp_path: Path) -> None:
    (tmp_path / "calm").mkdir()
    (tmp_path / "wild").mkdir()
    calm, wild = Stage(tmp_path / "calm"), Stage(tmp_path / "wild")
    calm.run()
    store = LocalStore(wild.folder / ".matchcut")
    dice = random.Random(7)
    killed = 0
    for _ in range(4):
        process = begun(wild)
        try:
            process.wait(dice.uniform(0.3, 1.6))
        except subprocess.TimeoutExpired:
            killed += 1
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert store.verify() == []
    assert killed, "a fast machine may end in time, but not each time"

    outcome = wild.run()

    assert outcome.exit_code == 0
    assert store.verify() == []
    assert {name: digest for name, (digest, _) in wild.digests().items()} == {
        name: digest for name, (digest, _) in calm.digests().items()
    }


def test_a_second_run_is_told_who_holds_the_project(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.run()
    with lock.held(tmp_path / ".matchcut", 0.0):
        done = subprocess.run([sys.executable, "-c", RUN, str(stage.file)], capture_output=True, text=True)
        assert "runner.errors.StoryError: another run holds this project" in done.stderr
        assert f"process {os.getpid()} on " in done.stderr
        assert "started 1970-01-01T00:00:00+00:00" in done.stderr
        assert set(stage.states().values()) == {"current"}, "reading goes on working"
    assert stage.run().exit_code == 0


def test_the_lock_goes_with_its_process(tmp_path: Path) -> None:
    code = f"import os, runner.lock as l, pathlib\nwith l.held(pathlib.Path({str(tmp_path)!r}), 0.0): os._exit(9)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 9
    with lock.held(tmp_path, 0.0):
        pass


def executor_runs(*jobs: Job) -> list[object]:
    """What each job gives or raises, one after the other in one process at a time."""

    async def go() -> list[object]:
        executor = EXECUTORS["local"](1)
        try:
            found: list[object] = []
            for job in jobs:
                found += await asyncio.gather(executor.run(job), return_exceptions=True)
            return found
        finally:
            await executor.aclose()

    return asyncio.run(go())


@pytest.fixture
def jobs_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets other processes import this module's jobs."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent.parent))


@pytest.mark.usefixtures("jobs_here")
def test_a_process_that_dies_takes_its_own_job_and_no_other(tmp_path: Path) -> None:
    poison = Job("poison", "tests.test_robust:kill_once", {"mark": str(tmp_path / "mark")})
    double = Job("double", "tests.test_robust:answer", {"x": 2})

    lost, after, again = executor_runs(poison, double, poison)

    assert isinstance(lost, WorkerLost)
    assert "the process that ran poison ended with -9" in str(lost)
    assert after == {"twice": 4}
    assert again == {"done": "yes"}


@pytest.mark.usefixtures("jobs_here")
def test_a_job_that_raises_is_told_from_one_whose_process_died() -> None:
    author, ours, late = executor_runs(
        Job("author", "tests.test_robust:refuse", {}),
        Job("ours", "tests.test_robust:answer", {}),
        Job("late", "tests.test_robust:wait", {}, timeout_s=0.2),
    )
    assert isinstance(author, StoryError)
    assert [p.fact for p in author.problems] == ["no such thing"]
    assert isinstance(ours, TaskFailed)
    assert "KeyError: 'x'" in str(ours)
    assert isinstance(late, TimeoutError)


def refuse(_: dict[str, str]) -> dict[str, str]:
    raise StoryError.of("no such thing")


def wait(_: dict[str, str]) -> dict[str, str]:
    signal.pause()
    return {}


def answer(args: dict[str, int]) -> dict[str, int]:
    return {"twice": args["x"] * 2}


def kill_once(args: dict[str, str]) -> dict[str, str]:
    mark = Path(args["mark"])
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return {"done": "yes"}


def test_a_project_that_cannot_be_written_is_said_plainly_and_nothing_is_lost(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.run()
    before = stage.digests()
    stage.change("A lamp", "A candle")
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000)); " + RUN
    done = subprocess.run([sys.executable, "-c", limit, str(stage.file)], capture_output=True, text=True)

    assert done.returncode != 0
    assert LocalStore(tmp_path / ".matchcut").verify() == []
    assert hash_file(stage.out / "film.mp4") == before["film.mp4"][0]
    assert stage.run().exit_code == 0


@pytest.mark.parametrize(
    ("number", "fact", "remedy"),
    [
        (errno.ENOSPC, "the disk is full", "free some space and run again: nothing that was made is lost"),
        (errno.EROFS, "x is on a read-only disk", "a folder that can be written"),
        (errno.EACCES, "x cannot be written: permission denied", "a folder that can be written, or chmod u+w"),
    ],
)
def test_what_a_disk_refuses_is_told_in_plain_words(number: int, fact: str, remedy: str) -> None:
    with pytest.raises(StoryError) as caught, told(Path("x")):
        raise OSError(number, os.strerror(number))
    assert (caught.value.problems[0].fact, caught.value.problems[0].remedy) == (fact, remedy)
    assert caught.value.exit_code == 1


@pytest.mark.parametrize("act", [lambda place: write(place, b"x"), lambda place: copy(Path(__file__), place)])
def test_what_cannot_be_written_is_told_of_the_file_that_was_meant(act: Callable[[Path], None], tmp_path: Path) -> None:
    place = tmp_path / "0020.yaml"
    (place / "in the way").mkdir(parents=True)
    with pytest.raises(StoryError) as caught, told(tmp_path):
        act(place)
    assert f"{place}: Is a directory" == caught.value.problems[0].fact
    assert [place] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("maker", "remedy"),
    [
        ("animatic@1", "run again: what was drawn is drawn anew"),
        ("own", "run again: own footage is taken in anew"),
        ("runware", "run again: it is put right from its copy in out/, or pulled from the shared store"),
    ],
)
def test_verify_says_what_brings_a_missing_clip_back(maker: str, remedy: str, tmp_path: Path) -> None:
    store = LocalStore(tmp_path / ".matchcut")
    store.make()
    store.record(Take(1, "a" * 64, "b" * 64, maker, "x", usd="1"))
    (problem,) = store.verify()
    assert str(problem.remedy).startswith(remedy)
    assert ("drawn" in str(problem.remedy)) == (maker == "animatic@1")


def test_a_missing_output_folder_is_made_and_a_missing_store_is_made_again(tmp_path: Path) -> None:
    import shutil

    stage = Stage(tmp_path)
    stage.run()
    before = {name: digest for name, (digest, _) in stage.digests().items()}
    shutil.rmtree(stage.out)
    assert stage.run().made == 0
    assert {name: digest for name, (digest, _) in stage.digests().items()} == before
    shutil.rmtree(tmp_path / ".matchcut")
    assert stage.run().made == 3
    assert {name: digest for name, (digest, _) in stage.digests().items()} == before


def test_a_damaged_clip_in_the_output_folder_is_put_right(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.perform(Pretend())
    clip = stage.out / "clips" / "001_010_0010_tk01.mp4"
    right = hash_file(clip)
    clip.write_bytes(b"damaged")
    stage.perform(Pretend())
    assert hash_file(clip) == right


def damaged(folder: Path) -> tuple[Stage, LocalStore, dict[str, str]]:
    """A finished project whose first clip is damaged in the store, and the digests of its output as it was."""
    stage = Stage(folder)
    stage.run()
    right = {name: digest for name, (digest, _) in stage.digests().items()}
    store = LocalStore(folder / ".matchcut")
    object_ = store.path(right["clips/001_010_0010_tk01.mp4"])
    object_.chmod(0o644)
    object_.write_bytes(b"damaged")
    return stage, store, right


def test_a_clip_damaged_in_the_store_is_set_aside_and_never_published(tmp_path: Path) -> None:
    stage, _store, right = damaged(tmp_path)
    clip = right["clips/001_010_0010_tk01.mp4"]
    (stage.out / "clips" / "001_010_0010_tk01.mp4").unlink()

    outcome = stage.run()

    assert outcome.exit_code == 1
    assert "its clip is damaged in the store, and was set aside" in str(outcome.problems[0])
    assert (tmp_path / ".matchcut" / "store" / "damaged" / clip).read_bytes() == b"damaged"
    assert hash_file(stage.out / "film.mp4") == right["film.mp4"]
    assert stage.run().made == 1
    assert {name: digest for name, (digest, _) in stage.digests().items()} == right


def test_a_clip_damaged_in_the_store_is_put_right_from_its_copy(tmp_path: Path) -> None:
    stage, store, right = damaged(tmp_path)
    (stage.out / "film.mp4").unlink()

    assert (stage.run().exit_code, stage.run().made) == (0, 0)
    assert store.verify() == []
    assert {name: digest for name, (digest, _) in stage.digests().items()} == right


def test_verify_names_what_is_damaged(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.perform(Pretend())
    store = LocalStore(tmp_path / ".matchcut")
    victim = next(store.objects.glob("*/*"))
    victim.chmod(0o644)
    victim.write_bytes(b"x")
    assert f"object {victim.name[:12]} does not have the bytes its name says" in [p.fact for p in store.verify()]


def test_a_clip_missing_from_the_store_is_drawn_again(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.run()
    film = hash_file(stage.out / "film.mp4")
    lane = json.loads((tmp_path / ".matchcut/lanes/animatic/storyboard/0020.json").read_text(encoding="utf-8"))
    store = LocalStore(tmp_path / ".matchcut")
    (take,) = store.drawn(lane["keys"][0])
    store.path(take.clip).unlink()

    assert stage.run().made == 1
    assert hash_file(stage.out / "film.mp4") == film


def test_ctrl_c_leaves_at_once_and_the_next_run_goes_on(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    command = "from runner.cli.app import start; import sys; sys.exit(start(sys.argv[1:]))"
    argv = [sys.executable, "-c", command, "run", str(stage.file)]
    store = LocalStore(tmp_path / ".matchcut")
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not list(store.records.glob("*/*/*.json")):
            assert time.monotonic() < deadline
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)

    assert process.returncode == 130
    assert "stopped: what was made is kept" in said
    assert "Traceback" not in said
    assert stage.run().made < 3
