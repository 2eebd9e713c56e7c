"""The examples: each is checked, planned, rehearsed once, and run again to see that nothing is left to do.

All but one run as they stand; ``SHORTER`` says what is changed in a copy so that the suite stays quick. Two run at a
time, in copies of their own, each with one process that draws; where several processes test, they share what was run.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

import runner
from runner import shipped
from runner.schema import check

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
NAMES = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir())
COMMAND = [sys.executable, "-c", "from runner.cli import main; raise SystemExit(main())"]
STILL_BYTES_MAX = 300_000
CLIP_BYTES_MAX = 100_000

ORDERS = {
    "bridge": "0010 0030 0020",
    "lantern-market": "0010 0020 0030 0040 0050",
    "own-footage": "0010 0020 0030",
    "own-step": "0010 0020 0030",
    "two-endings": "0010 0020 0030 0040 0050 0060",
    "two-languages": "0010 0020 0030",
    "vertical": "0010 0020 0030",
}
"""In which order the shots of each can be made."""

VARIANTS: Mapping[str, tuple[str, ...]] = {"two-languages": ("en", "de")}
"""Those of each; the first one is made, and the tests of the example make the others."""

TRUSTED = {"own-step"}
"""These run commands of their own: in a process apart, whose trust is remembered in a folder of the test's."""

SHORTER: Mapping[str, Mapping[str, str]] = {
    "vertical": {"pipeline: kling-2.1-master": "pipeline: small.yaml", "{duration: 5}": "{duration: 1.5}"}
}
SMALL = """\
pipeline: small
provider: animatic
model: matchcut:animatic
shot:
  clip: {uses: generate, with: {outputQuality: 90}}
  tail: {uses: frame, in: {clip: clip}}
film:
  cut: {uses: assemble}
  manifest: {uses: manifest}
  report: {uses: report}
"""


@dataclass(frozen=True)
class Run:
    """How one run ended, and the digest of every file of the project after it."""

    exit_code: int
    made: int
    changed: int
    events: Sequence[str]
    """What was told of, as far as the run tells it."""
    files: Mapping[str, str]


@dataclass(frozen=True)
class Ran:
    folder: Path
    first: Run
    second: Run

    @property
    def out(self) -> Path:
        return next(iter(self.folder.glob("out/**/manifest.json"))).parent

    @property
    def manifest(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.out / "manifest.json").read_bytes())
        return found


@pytest.fixture(scope="module")
def rans(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Ran]]]:
    base = tmp_path_factory.getbasetemp()
    place = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "examples"
    place.mkdir(exist_ok=True)
    # The longest first, so that the others fit beside it.
    names = sorted(NAMES, key=lambda name: name != "lantern-market")
    with ThreadPoolExecutor(2) as pool:
        yield {name: pool.submit(_ran, name, place) for name in names}


@pytest.fixture(params=NAMES)
def ran(request: pytest.FixtureRequest, rans: dict[str, Future[Ran]]) -> Ran:
    return rans[request.param].result()


def _ran(name: str, place: Path) -> Ran:
    """Both runs of an example; whoever comes second reads what the first wrote down."""
    told = place / f"{name}.json"
    with told.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if told.stat().st_size == 0:
            shutil.rmtree(place / name, ignore_errors=True)
            runs = _runs(name, place)
            json.dump([asdict(run) for run in runs], file)
        file.seek(0)
        first, second = (Run(**run) for run in json.load(file))
    return Ran(place / name, first, second)


def _runs(name: str, place: Path) -> tuple[Run, Run]:
    folder = _copy(name, place)
    for old, new in SHORTER.get(name, {}).items():
        (folder / "small.yaml").write_text(SMALL)
        text = (folder / "storyboard.yaml").read_text()
        assert old in text
        (folder / "storyboard.yaml").write_text(text.replace(old, new))
    (folder / "matchcut.toml").write_text("jobs = 1\n")
    run = _run_apart if name in TRUSTED else _run_here
    return run(folder), run(folder)


def first(name: str) -> str | None:
    """The variant of an example that is made."""
    return VARIANTS[name][0] if name in VARIANTS else None


def _copy(name: str, place: Path) -> Path:
    return Path(shutil.copytree(EXAMPLES / name, place / name, ignore=shutil.ignore_patterns(".matchcut", "out")))


def _run_here(folder: Path) -> Run:
    told: list[runner.Event] = []
    outcome = runner.run(folder / "storyboard.yaml", provider="animatic", variant=first(folder.name), tell=told.append)
    assert () == tuple(outcome.problems)
    return Run(outcome.exit_code, outcome.made, outcome.changed, tuple(e.what for e in told), _files(folder))


def _run_apart(folder: Path) -> Run:
    done = _command(folder, "run", "storyboard.yaml", "--trust", "--json")
    told = json.loads(done.stdout)
    assert told["problems"] == []
    return Run(done.returncode, told["made"], told["changed"], (), _files(folder))


def _command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    home = folder.with_name(f"{folder.name}.home")
    environ = {**os.environ, "XDG_CONFIG_HOME": str(home)}
    return subprocess.run([*COMMAND, *words], cwd=folder, env=environ, capture_output=True, text=True, timeout=300)


def _files(folder: Path) -> dict[str, str]:
    """Every file by the digest of its bytes, but for the lock: that names the process that held it last."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / ".matchcut" / "lock")
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


# Before anything is made


def test_every_example_is_a_project_with_a_line_here() -> None:
    assert sorted(ORDERS) == NAMES
    readme = (EXAMPLES / "README.md").read_text()
    for name in NAMES:
        assert f"({name}/storyboard.yaml)" in readme


@pytest.mark.parametrize("name", NAMES)
def test_an_editor_finds_the_schema_that_the_first_line_names(name: str) -> None:
    for file in (EXAMPLES / name).rglob("*.yaml"):
        if {"out", ".matchcut"}.isdisjoint(file.parts):
            first = file.read_text().splitlines()[0]
            told = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
            assert told is not None, first
            kind = {"storyboard.yaml": "storyboard", "looks": "include", "scenes": "include"}.get(
                file.name if file.name == "storyboard.yaml" else file.parent.name, "pipeline"
            )
            assert (ROOT / "schemas" / f"{kind}.schema.json") == (file.parent / told[1]).resolve()
            assert (shipped.folder("schemas") / f"{kind}.schema.json").is_file()


@pytest.mark.parametrize("provider", [None, "animatic"])
@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_wrong_and_nothing_is_warned_of(name: str, provider: str | None, tmp_path: Path) -> None:
    for variant in VARIANTS.get(name, (None,)):
        plan = runner.plan(_copy(name, tmp_path / str(variant)) / "storyboard.yaml", provider=provider, variant=variant)
        assert () == plan.warnings


@pytest.mark.parametrize("name", NAMES)
def test_a_fresh_plan_makes_every_shot_after_those_it_needs(name: str, tmp_path: Path) -> None:
    plan = runner.plan(_copy(name, tmp_path) / "storyboard.yaml", provider="animatic", variant=first(name))
    assert ORDERS[name].split() == list(plan.order)
    for shot in plan.board.shots:
        decision = plan.decisions[shot.id]
        assert ("missing", 1) == (decision.state, decision.buy)
        assert decision.reason.startswith("never ")
        needs = {parent for parent in shot.parents if f"frame of {parent} is not made yet" in decision.reason}
        assert set(shot.parents) == needs


@pytest.mark.parametrize("name", NAMES)
def test_what_would_be_bought_stays_within_the_budget(name: str, tmp_path: Path) -> None:
    plan = runner.plan(_copy(name, tmp_path) / "storyboard.yaml", variant=first(name))
    costs = [plan.cost(shot) for shot in plan.order]
    total = sum((cost for cost in costs if cost is not None), Decimal(0))
    assert len(costs) == sum(cost is not None for cost in costs)
    assert total <= (plan.board.budget or Decimal(0))


def test_lantern_market_buys_two_takes_of_the_shot_that_is_reviewed(tmp_path: Path) -> None:
    plan = runner.plan(_copy("lantern-market", tmp_path) / "storyboard.yaml")
    decisions = plan.decisions.items()
    assert {"0010": 1, "0020": 2, "0030": 0, "0040": 0, "0050": 0} == {name: d.buy for name, d in decisions}
    assert {"0030": 1, "0040": 1, "0050": 1} == {name: d.later for name, d in decisions if d.later}
    assert Decimal("0.924") * 3 == sum(plan.cost(shot) or Decimal(0) for shot in plan.order)
    assert Decimal("0.924") * 3 == sum(plan.cost(shot, later=True) or Decimal(0) for shot in plan.order)


def test_the_words_of_a_shot_are_put_into_its_prompt(tmp_path: Path) -> None:
    plan = runner.plan(_copy("lantern-market", tmp_path) / "storyboard.yaml")
    assert (
        "Close-up of one jade paper lantern going dark among the amber ones; a gust runs down the lane and all of them "
        "swing. A narrow market lane between old timber houses. Camera: slow tilt up along the string of lanterns. "
        "amber and jade paper lanterns, wet cobblestones, drifting steam, soft rain at night, realistic lighting"
    ) == plan.briefs["0030"].words.prompt


# The still


def test_the_still_is_small_and_is_what_its_script_draws(tmp_path: Path) -> None:
    stills = EXAMPLES / "lantern-market" / "stills"
    assert (stills / "lane.png").stat().st_size < STILL_BYTES_MAX
    subprocess.run([sys.executable, str(stills / "draw.py"), str(tmp_path / "lane.png")], check=True, timeout=120)
    with Image.open(stills / "lane.png") as kept, Image.open(tmp_path / "lane.png") as drawn:
        assert (1920, 1080) == kept.size
        off = np.abs(np.asarray(kept.convert("RGB"), np.int16) - np.asarray(drawn.convert("RGB"), np.int16))
    # Other versions of the drawing library may choose the colours of the palette a little otherwise.
    assert float(off.mean()) < 2


def test_the_footage_is_small_and_is_what_its_script_draws(tmp_path: Path) -> None:
    footage = EXAMPLES / "own-footage" / "footage"
    assert (footage / "sunrise.mp4").stat().st_size < CLIP_BYTES_MAX
    subprocess.run([sys.executable, str(footage / "draw.py"), str(tmp_path / "drawn.mp4")], check=True, timeout=120)
    kept, drawn = _middle(footage / "sunrise.mp4"), _middle(tmp_path / "drawn.mp4")
    # Other versions of the encoder may spend their bits a little otherwise.
    assert float(np.abs(kept - drawn).mean()) < 2


# Made


def test_an_example_runs_to_its_end(ran: Ran) -> None:
    shots = [shot["shot"] for shot in ran.manifest["shots"]]
    assert (0, len(shots)) == (ran.first.exit_code, ran.first.made)
    assert ["current"] * len(shots) == [shot["state"] for shot in ran.manifest["shots"]]
    assert (ran.out / "report.html").stat().st_size > 10_000


def test_the_manifest_fits_its_schema(ran: Ran) -> None:
    assert [] == check(ran.manifest, "manifest.schema.json")


def test_a_film_has_as_many_frames_as_its_entries_show(ran: Ran) -> None:
    assert ran.manifest["films"]
    for film in ran.manifest["films"]:
        entries = sum(entry["out"] - entry["in"] for entry in film["entries"])
        assert entries == film["frames"]
        assert entries == _shown(ran.out / film["path"])


def _shown(film: Path) -> int:
    """The pictures of a film that are shown for at least half a frame's time; one that is passed over is not."""
    with av.open(str(film)) as container:
        video = container.streams.video[0]
        assert video.time_base is not None
        packets = [packet for packet in container.demux(video) if packet.pts is not None]
        starts = sorted(int(packet.pts or 0) for packet in packets)
        last = max(packets, key=lambda packet: packet.pts or 0)
        ends = [*starts[1:], starts[-1] + int(last.duration or 0)]
        half = Fraction(1, 48) / video.time_base
        return sum(end - start >= half for start, end in pairwise([*starts, ends[-1]]))


@pytest.mark.parametrize("name", sorted({*NAMES} - TRUSTED))
def test_the_picture_handed_on_is_shown_once(name: str, rans: dict[str, Future[Ran]]) -> None:
    _shows_handed_pictures_once(rans[name].result())


@pytest.mark.parametrize("name", sorted(TRUSTED))
def test_the_picture_handed_on_is_shown_once_after_a_step_of_ones_own(name: str, rans: dict[str, Future[Ran]]) -> None:
    _shows_handed_pictures_once(rans[name].result())


def _shows_handed_pictures_once(ran: Ran) -> None:
    begins = {shot["shot"]: shot["from"] for shot in ran.manifest["shots"]}
    for film in ran.manifest["films"]:
        for join in film["joins"]:
            continues = begins[join["head"]].get("shot") == join["tail"]
            assert (continues, continues) == (join["continues"], join.get("shown_once", False)), join
        assert [int(join["continues"]) for join in film["joins"]] == [entry["in"] for entry in film["entries"]][1:]


def test_every_shot_begins_and_ends_on_the_frames_it_names(ran: Ran) -> None:
    shots = {shot["shot"]: shot for shot in ran.manifest["shots"]}
    for shot in shots.values():
        for end in (shot["from"], shot.get("to", {"origin": "cut"})):
            if end["origin"] == "shot":
                assert shots[end["shot"]]["frames"][end["frame"]]["digest"] == end["digest"]


def test_a_second_run_makes_nothing_and_changes_no_byte(ran: Ran) -> None:
    assert (0, 0, 0) == (ran.second.exit_code, ran.second.made, ran.second.changed)
    assert ran.first.files == ran.second.files
    assert {"begun", "made"}.isdisjoint(ran.second.events)


def test_a_run_with_nothing_to_do_is_answered_without_reading_a_storyboard(rans: dict[str, Future[Ran]]) -> None:
    folder = rans["two-endings"].result().folder
    words = ["run", "storyboard.yaml", "--provider", "animatic"]
    assert "nothing to do: 6 shots are current" in _command(folder, *words).stdout
    before = _files(folder)
    timed = [COMMAND[0], "-X", "importtime", *COMMAND[1:], *words]
    done = subprocess.run(timed, cwd=folder, capture_output=True, text=True, timeout=60)
    assert (0, "nothing to do: 6 shots are current (out/film-she-goes.mp4)") == (done.returncode, done.stdout.strip())
    assert {"yaml", "jsonschema", "networkx", "av", "click"}.isdisjoint(
        line.rpartition("|")[2].strip() for line in done.stderr.splitlines()
    )
    assert before == _files(folder)


# What each is there to show


def test_two_languages_share_what_no_words_of_one_reach(rans: dict[str, Future[Ran]], tmp_path: Path) -> None:
    made = rans["two-languages"].result()
    folder = Path(shutil.copytree(made.folder, tmp_path / "two-languages"))
    assert VARIANTS["two-languages"] == runner.variants(folder)
    before = runner.plan(folder, variant="de")
    assert {"0010": 0, "0020": 1, "0030": 0} == {name: decision.buy for name, decision in before.decisions.items()}
    assert (0, 1) == ((outcome := runner.run(folder, variant="de")).exit_code, outcome.made)
    films = [json.loads((folder / "out" / name / "manifest.json").read_bytes()) for name in ("en", "de")]
    assert ["The Night Bakery", "Die Nachtbäckerei"] == [film["storyboard"]["title"] for film in films]
    assert ["looks/night.yaml", "scenes/oven.yaml"] == [taken["path"] for taken in films[1]["includes"]]
    clips = [[shot["clip"]["digest"] for shot in film["shots"]] for film in films]
    assert [True, False, True] == [one == other for one, other in zip(*clips, strict=True)]


def test_two_endings_are_two_films_of_the_same_first_shots(rans: dict[str, Future[Ran]]) -> None:
    manifest = rans["two-endings"].result().manifest
    goes, stays = manifest["films"]
    assert ("film-she-goes.mp4", "film-she-stays.mp4") == (goes["path"], stays["path"])
    assert "0010 0020 0030 0040".split() == [entry["shot"] for entry in goes["entries"]]
    assert "0010 0020 0050 0060".split() == [entry["shot"] for entry in stays["entries"]]
    # 4 s at 24 a second, whole in one film; in the other it stops at the frame shown at 2.5 s, the next shot's first.
    assert ((1, 96), (1, 61)) == tuple((film["entries"][1]["in"], film["entries"][1]["out"]) for film in (goes, stays))


def test_the_bridge_ends_on_the_first_frame_of_the_next_shot(rans: dict[str, Future[Ran]]) -> None:
    ran = rans["bridge"].result()
    shots = {shot["shot"]: shot for shot in ran.manifest["shots"]}
    assert shots["0030"]["frames"]["first"]["digest"] == shots["0020"]["to"]["digest"]
    ends, begins = (
        np.asarray(Image.open(ran.out / shots[shot]["frames"][which]["path"]).convert("RGB"), np.float64)
        for shot, which in (("0020", "last"), ("0030", "first"))
    )
    psnr = 10 * np.log10(255**2 / np.mean((ends - begins) ** 2))
    assert psnr > 38


def test_footage_of_ones_own_is_in_the_film_as_it_is_and_others_continue_from_it(
    rans: dict[str, Future[Ran]],
) -> None:
    ran = rans["own-footage"].result()
    own, goes_on, inside = ran.manifest["shots"]
    digest = hashlib.sha256((ran.folder / "footage" / "sunrise.mp4").read_bytes()).hexdigest()
    assert ({"path": "footage/sunrise.mp4", "digest": digest}, digest) == (own["footage"], own["clip"]["digest"])
    assert own["frames"]["last"]["digest"] == goes_on["from"]["digest"]
    assert own["frames"]["0.5s"]["digest"] == inside["from"]["digest"]
    first = ran.manifest["films"][0]["joins"][0]
    assert ("repeat", True) == (first["measured"]["likeness"], first["shown_once"])
    assert ran.manifest["films"][0]["copied"]


def test_the_vertical_film_stands_upright(rans: dict[str, Future[Ran]], tmp_path: Path) -> None:
    plan = runner.plan(_copy("vertical", tmp_path) / "storyboard.yaml")
    assert {(1080, 1920)} == {(brief.width, brief.height) for brief in plan.briefs.values()}
    clips = [shot["clip"] for shot in rans["vertical"].result().manifest["shots"]]
    assert {(720, 1280)} == {(clip["width"], clip["height"]) for clip in clips}


def test_a_command_of_ones_own_is_refused_until_it_is_trusted(tmp_path: Path) -> None:
    folder = _copy("own-step", tmp_path)
    before = _files(folder)
    done = _command(folder, "run", "storyboard.yaml")
    assert 4 == done.returncode
    assert 'pipelines/graded.yaml:16:13: step "grade" runs a command: {python} {pipeline}/grade.py' in done.stderr
    assert "--trust" in done.stderr
    left = {name for name in _files(folder) if not name.startswith(".matchcut/")}
    assert set(before) == left
    assert not list(folder.rglob("*.mp4"))


def test_a_step_of_ones_own_grades_every_clip_and_the_film_shows_what_it_made(rans: dict[str, Future[Ran]]) -> None:
    ran = rans["own-step"].result()
    for shot in ran.manifest["shots"]:
        clip, final = shot["clip"], shot["final"]
        assert clip["digest"] != final["digest"]
        same = ("frames", "rate", "duration", "width", "height", "codec", "colour")
        assert {name: clip[name] for name in same} == {name: final[name] for name in same}
        raw, made = (_middle(ran.out / one["path"]) for one in (clip, final))
        assert _warmth(made) > _warmth(raw) + 2
    assert ran.manifest["films"][0]["copied"]


def _middle(clip: Path) -> np.ndarray[Any, np.dtype[np.float64]]:
    with av.open(str(clip)) as container:
        frames = list(container.decode(video=0))
    return frames[len(frames) // 2].to_ndarray(format="rgb24").astype(np.float64)


def _warmth(rgb: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    """By how much the brightest tenth of a picture has more red than blue, in code values."""
    bright = rgb.sum(axis=2)
    lit = rgb[bright >= np.quantile(bright, 0.9)]
    return float((lit[:, 0] - lit[:, 2]).mean())


# What a new project begins with


def test_the_starter_runs_and_teaches_without_a_warning(tmp_path: Path) -> None:
    shutil.copy(Path(str(runner.__file__)).parent / "cli" / "starter.yaml", tmp_path / "storyboard.yaml")
    plan = runner.plan(tmp_path / "storyboard.yaml")
    assert () == plan.warnings
    assert {"0010": 1, "0020": 2, "0030": 1} == {name: decision.buy for name, decision in plan.decisions.items()}
    assert ("0010", "0010@first") == (str(plan.board.shot("0030").begins), str(plan.board.shot("0030").ends))
