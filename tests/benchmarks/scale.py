"""How a film of a hundred, a thousand and ten thousand shots is found to be finished, planned, and planned again."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from .long import COMMAND, Lane, LongFilm
from .rounds import Row, least, process_s

SIZES = (100, 1000, 10_000)
NOTHING_MAX = {100: 3.0, 1000: 4.0, 10_000: 8.0}
COLD_MAX, EDIT_MAX, MEMORY_MB_MAX = 2.5, 0.2, 300.0
LANES: tuple[Lane, ...] = ("animatic", "paid")

LOAD_AND_CHECK = """
import json, sys, yaml, pathlib, jsonschema
board = yaml.load(open(sys.argv[1], 'rb'), Loader=yaml.CSafeLoader)
takes = [yaml.load(path.open('rb'), Loader=yaml.CSafeLoader) for path in pathlib.Path('storyboard.takes').glob('*')]
schema = json.loads(pathlib.Path(sys.argv[2]).read_text())
errors = list(jsonschema.Draft202012Validator(schema).iter_errors(board))
assert not errors, errors[0]
"""
PEAK = """
import resource, sys
from runner.cli import main
main()
if sys.platform == 'linux':  # what getrusage tells there is handed down by the parent
    lines = open('/proc/self/status').read().splitlines()
    print(int(next(line for line in lines if line.startswith('VmHWM')).split()[1]) / 1024, file=sys.stderr)
else:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 ** 2, file=sys.stderr)
"""
PASS = (sys.executable, "-I", "-c", "pass")


def schema() -> str:
    """The path of the storyboard's schema."""
    ask = "from runner import shipped; print(shipped.folder('schemas') / 'storyboard.schema.json')"
    return subprocess.run([sys.executable, "-c", ask], check=True, capture_output=True, text=True).stdout.strip()


def peak_mb(words: Sequence[str], folder: Path) -> float:
    """The peak memory of a command, in MB."""
    argv = [sys.executable, "-c", PEAK, *words]
    done = subprocess.run(argv, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    return float(done.stderr.split()[-1])


def ninja(folder: Path, shots: int, lane: Lane) -> list[str]:
    """An equal graph for Ninja, built and up to date: two tasks a shot in chains of ten, one manifest; its command.

    Where our shots have a takes file each, a file of its own goes into each shot there too.
    """
    folder.mkdir()
    lines = ["rule make", "  command = : > $out"]
    for n in range(shots):
        before = f" tail/{n - 1:05d}" if n % 10 else ""
        own = f" takes/{n:05d}" if lane == "paid" else ""
        lines += [f"build clip/{n:05d}: make board{own}{before}", f"build tail/{n:05d}: make clip/{n:05d}"]
    lines += [f"build manifest: make {' '.join(f'clip/{n:05d} tail/{n:05d}' for n in range(shots))}"]
    (folder / "build.ninja").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "board").write_text("words\n", encoding="utf-8")
    (folder / "takes").mkdir()
    for n in range(shots if lane == "paid" else 0):
        (folder / "takes" / f"{n:05d}").write_text(f"take of {n}\n", encoding="utf-8")
    from ninja import BIN_DIR

    argv = [str(Path(BIN_DIR) / "ninja"), "-C", str(folder)]
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    said = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    assert "no work to do" in said, said
    return argv


def _nothing(film: LongFilm, folder: Path, rounds: int) -> Iterator[Row]:
    """Rows on a run that has nothing to do."""
    where = f"{film.shots:,} shots, {film.lane}"
    run = [*COMMAND, "run", "storyboard.yaml"]
    assert film.command("run").startswith(f"nothing to do: {film.shots:,} shots"), "the film is not finished"
    here = str(film.folder)
    works: list[Callable[[], float]] = [lambda: process_s(run, here, film.environ), lambda: process_s(PASS)]
    built = ninja(folder, film.shots, film.lane)
    ours, bare, theirs = least([*works, lambda: process_s(built)], rounds)
    yield f"nothing to do: {where} / python -I -c pass", ours / bare, NOTHING_MAX.get(film.shots, 3.0), "x"
    most = 1.0 if film.shots >= SIZES[-1] else float("inf")
    yield f"nothing to do: {where} / Ninja on an equal graph", ours / theirs, most, "x"


def _plans(film: LongFilm, rounds: int) -> Iterator[Row]:
    """Rows on planning: with no cache, and after one shot's words were changed."""
    where, here = f"{film.shots:,} shots, {film.lane}", str(film.folder)
    plan = [*COMMAND, "plan", "storyboard.yaml"]
    bare = [sys.executable, "-c", LOAD_AND_CHECK, str(film.file), schema()]
    turn = iter(range(1_000_000))
    words = film.file.read_bytes()

    def cold() -> float:
        shutil.rmtree(film.folder / ".matchcut" / "cache", ignore_errors=True)
        return process_s(plan, here, film.environ)

    def edited() -> float:
        film.edit(f"slow glide number {next(turn)}")
        return process_s(plan, here, film.environ)

    ours, theirs, again = least([cold, lambda: process_s(bare, here), edited], rounds)
    film.file.write_bytes(words)
    yield f"cold plan: {where} / load its YAML and check it with jsonschema", ours / theirs, COLD_MAX, "x"
    most = EDIT_MAX if film.shots >= SIZES[-1] else float("inf")
    yield f"plan after an edit of one shot: {where} / cold plan", again / ours, most, "x"
    shutil.rmtree(film.folder / ".matchcut" / "cache", ignore_errors=True)
    yield f"peak memory of a cold plan: {where}", peak_mb(["plan", "storyboard.yaml"], film.folder), MEMORY_MB_MAX, "MB"


def measure(*, quick: bool = False, sizes: Sequence[int] = SIZES, lanes: Sequence[Lane] = LANES) -> list[Row]:
    """The rows of the table. ``quick`` measures few rounds of small films: to see that it runs."""
    rows: list[Row] = []
    for shots in (20,) if quick else sizes:
        rounds = 1 if quick else 15 if shots < SIZES[-1] else 7
        for lane in lanes:
            with tempfile.TemporaryDirectory() as name:
                film = LongFilm(Path(name) / "film", shots, lane)
                film.fill()
                rows += _nothing(film, Path(name) / "ninja", rounds)
                rows += _plans(film, max(1, rounds // 2))
    return rows
