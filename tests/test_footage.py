"""Own footage: a shot that is the author's own clip, taken in once and for nothing; others continue from its frames."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import chdir
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import runner
from runner.cli.app import start
from runner.errors import StoryError
from runner.key import own
from runner.media import colour, decode
from runner.reel import TICK_NS, Reel
from runner.remote import SharedStore
from runner.shelf import Folder
from runner.store import hash_file
from runner.work import Options

from .market import Market
from .media import clips
from .media.test_decode import Maker, rotated, transport, variable_rate
from .repo import Repo
from .stage import PIPELINE, Pretend, Stage
from .test_fast import command, is_fast, settled

SHOTS = """
- {shot: "0010", action: A lamp burns.}
- {shot: "0020", clip: footage/pier.mp4, action: The pier.}
- {shot: "0030", action: Rain falls.}
"""
FRAMES = 20


def film(place: Path, seed: int = 1, count: int = FRAMES, size: tuple[int, int] = (640, 360), **more: Any) -> Path:
    """A short pan, as a person may have filmed it."""
    place.parent.mkdir(parents=True, exist_ok=True)
    wide = clips.scene(size[0] + 2 * count, size[1], seed)
    return clips.make(place, [wide[:, 2 * n : 2 * n + size[0]] for n in range(count)], **more)


def manifest_of(stage: Stage) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((stage.out / "manifest.json").read_text(encoding="utf-8"))
    return data


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """A project that was run once, with the animatic."""
    stage = Stage(tmp_path_factory.mktemp("own"), SHOTS)
    film(stage.folder / "footage/pier.mp4", audio_s=2.0)
    assert stage.run().exit_code == 0
    return stage


@pytest.fixture
def stage(made: Stage, tmp_path: Path) -> Stage:
    """A copy of it, to be changed."""
    shutil.copytree(made.folder, tmp_path, dirs_exist_ok=True)
    copy = Stage(tmp_path, SHOTS)
    assert copy.perform(Pretend()).made == 0
    return copy


def test_footage_is_planned_as_free_and_told_apart_from_what_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Stage(tmp_path, SHOTS)
    film(tmp_path / "footage/pier.mp4")
    with chdir(tmp_path):
        assert start(["plan"]) == 0
    told = capsys.readouterr().out.splitlines()
    row = next(line for line in told if line.startswith("0020"))
    assert row.split(maxsplit=6) == [
        "0020", "footage/pier.mp4", "missing", "0.833333"[:6], "0/1", "free", "never taken in: own footage",
    ]  # fmt: skip
    assert "2 takes to make, 1 clip of your own to take in." in told[-1]
    assert not (tmp_path / ".matchcut").exists()


def test_the_film_has_the_footage_as_it_is_and_what_follows_repeats_its_last_frame_once(made: Stage) -> None:
    manifest = manifest_of(made)
    lamp, pier, rain = manifest["shots"]
    clip = made.folder / "footage/pier.mp4"
    assert {"path": "footage/pier.mp4", "digest": hash_file(clip)} == pier["footage"]
    assert ("own", "own", "cut") == (pier["provider"], pier["model"], pier["from"]["origin"])
    assert "request" not in pier
    assert decode.frame(str(clip), "last").digest == rain["from"]["digest"]
    first, second = manifest["films"][0]["joins"]
    assert (False, False) == (first["continues"], first.get("shown_once", False))
    assert (True, True, "repeat") == (second["continues"], second["shown_once"], second["measured"]["likeness"])
    assert [24, FRAMES, 24] == [entry["out"] for entry in manifest["films"][0]["entries"]]
    assert manifest["films"][0]["copied"]
    assert "request" in lamp
    assert "footage/pier.mp4" in (made.out / "report.html").read_text(encoding="utf-8")


def test_the_authors_file_is_left_alone_and_a_copy_is_kept(made: Stage) -> None:
    clip = made.folder / "footage/pier.mp4"
    kept = made.folder / ".matchcut/store/objects" / hash_file(clip)[:2] / hash_file(clip)
    assert kept.read_bytes() == clip.read_bytes()
    assert kept.stat().st_ino != clip.stat().st_ino
    assert clip.stat().st_mode & 0o200


def test_a_touched_file_makes_nothing_and_changes_no_byte(stage: Stage) -> None:
    before = stage.digests()
    os.utime(stage.folder / "footage/pier.mp4")
    outcome = stage.perform(Pretend())
    assert (0, 0) == (outcome.made, outcome.changed)
    assert before == stage.digests()


def test_a_file_under_another_name_is_the_same_take(stage: Stage) -> None:
    (stage.folder / "footage/pier.mp4").rename(stage.folder / "footage/quay.mp4")
    stage.change("pier.mp4", "quay.mp4")
    assert stage.perform(Pretend()).made == 0
    assert manifest_of(stage)["shots"][1]["footage"]["path"] == "footage/quay.mp4"


def test_an_edited_file_is_taken_in_and_what_follows_is_made_again(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    film(stage.folder / "footage/pier.mp4", seed=2)
    decisions = stage.plan().decisions
    assert ("stale", "its file changed", True) == (
        decisions["0020"].state, decisions["0020"].reason, decisions["0020"].direct,
    )  # fmt: skip
    assert ("current", "stale") == (decisions["0010"].state, decisions["0030"].state)
    with chdir(stage.folder):
        assert start(["why", "0020"]) == 0
    assert "0020 is stale: its file changed\n  clip\n    - " in capsys.readouterr().out
    provider = Pretend()
    assert stage.perform(provider).made == 2
    assert ["0030"] == [order.shot for order in provider.orders]


def test_an_edit_that_ends_on_the_same_picture_stops_there(tmp_path: Path) -> None:
    stage = Stage(tmp_path, SHOTS)
    still = np.full((360, 640, 3), (40, 90, 160), np.uint8)
    clips.make(_folder(tmp_path / "footage/pier.mp4"), [still] * 12)
    assert stage.perform(Pretend()).made == 3
    clips.make(tmp_path / "footage/pier.mp4", [still] * 18)
    provider = Pretend()
    assert stage.perform(provider).made == 1
    assert [] == provider.orders
    assert 18 == manifest_of(stage)["shots"][1]["clip"]["frames"]


def _folder(path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    return path


def test_a_fresh_clone_takes_it_in_again_and_writes_the_same_manifest_and_film(made: Stage, tmp_path: Path) -> None:
    clone = Stage(tmp_path, SHOTS)
    (tmp_path / "footage").mkdir()
    shutil.copy(made.folder / "footage/pier.mp4", tmp_path / "footage/pier.mp4")
    assert clone.run().exit_code == 0
    for name in ("manifest.json", "film.mp4"):
        assert (made.out / name).read_bytes() == (clone.out / name).read_bytes()


def test_earlier_files_do_not_show_in_the_manifest(stage: Stage) -> None:
    clip = stage.folder / "footage/pier.mp4"
    original = clip.read_bytes()
    before = manifest_of(stage)["shots"][1]
    film(clip, seed=3)
    stage.perform(Pretend())
    clip.write_bytes(original)
    outcome = stage.perform(Pretend())
    assert outcome.made == 0
    assert before == manifest_of(stage)["shots"][1]


def test_a_clip_missing_or_damaged_in_the_store_is_taken_in_again(stage: Stage) -> None:
    kept = stage.plan().decisions["0020"].take
    assert kept is not None
    place = stage.folder / ".matchcut/store/objects" / kept.clip[:2] / kept.clip
    place.unlink()
    assert "missing" == stage.states()["0020"]
    outcome = stage.perform(Pretend())
    assert (0, 1) == (outcome.exit_code, outcome.made)
    assert place.is_file()


def test_footage_that_is_gone_is_a_mistake_in_the_files(stage: Stage) -> None:
    (stage.folder / "footage/pier.mp4").unlink()
    with pytest.raises(StoryError) as told:
        stage.plan()
    assert 2 == told.value.exit_code
    assert "footage/pier.mp4 does not exist" in str(told.value)


def test_a_clip_damaged_inside_fails_its_shot_and_what_follows(tmp_path: Path) -> None:
    stage = Stage(tmp_path, SHOTS)
    clip = film(tmp_path / "footage/pier.mp4", count=48, options={"crf": "12", "preset": "veryfast", "g": "8"})
    data = bytearray(clip.read_bytes())
    index, half = data.find(b"moov"), data.find(b"mdat") + len(data) // 2
    data[half : index - 4] = bytes(index - 4 - half)
    clip.write_bytes(data)
    assert "missing" == stage.states()["0020"]
    outcome = stage.perform(Pretend())
    assert (1, "failed", "blocked") == (outcome.exit_code, outcome.states["0020"], outcome.states["0030"])
    assert 'shot "0020" failed: footage/pier.mp4 ' in outcome.problems[0].fact


def test_a_file_that_is_another_one_when_it_is_taken_in_is_told_and_the_next_run_takes_it(stage: Stage) -> None:
    clip = film(stage.folder / "footage/pier.mp4", seed=6)
    loaded = runner.load(stage.file)
    digest = loaded.plan.briefs["0020"].footage
    assert digest is not None
    film(clip, seed=7)
    outcome = stage.perform(Pretend(), loaded=loaded)
    assert (1, "failed") == (outcome.exit_code, outcome.states["0020"])
    assert 'shot "0020" failed: footage/pier.mp4 changed while it was read' == outcome.problems[0].fact
    assert () == loaded.project.store.drawn(own(digest.digest).digest)
    assert 0 == stage.perform(Pretend()).exit_code


# What is remembered of a file


def reel_of(folder: Path) -> Reel:
    return Reel(lambda path: folder / path, folder / "memory")


def aged(clip: Path, reel: Reel) -> None:
    """Look until the file is older than a tick, and remember it."""
    while not list(reel.memory.glob("*")):
        fresh = Reel(reel.find, reel.memory)
        fresh.look(clip.name)
        fresh.remember(clip.name)


def test_what_is_known_of_a_file_is_believed_only_while_its_stamp_holds(tmp_path: Path) -> None:
    clip = film(tmp_path / "pier.mp4", count=4)
    aged(clip, reel_of(tmp_path))
    record = next((tmp_path / "memory").iterdir())
    data = json.loads(record.read_text())
    data["footage"]["digest"] = "remembered"
    record.write_text(json.dumps(data))
    assert "remembered" == reel_of(tmp_path).look("pier.mp4").digest
    film(clip, seed=2, count=4)
    assert hash_file(clip) == reel_of(tmp_path).look("pier.mp4").digest


def test_a_record_that_is_not_newer_than_the_file_is_not_believed(tmp_path: Path) -> None:
    clip = film(tmp_path / "pier.mp4", count=4)
    aged(clip, reel_of(tmp_path))
    record = next((tmp_path / "memory").iterdir())
    data = json.loads(record.read_text())
    data["footage"]["digest"] = "remembered"
    record.write_text(json.dumps(data))
    written = clip.stat().st_ctime_ns
    os.utime(record, ns=(written, written))
    assert hash_file(clip) == reel_of(tmp_path).look("pier.mp4").digest


def test_a_file_that_may_change_within_the_same_tick_is_not_remembered(tmp_path: Path) -> None:
    clip = film(tmp_path / "pier.mp4", count=4)
    ahead = clip.stat().st_mtime_ns + 1_000 * TICK_NS
    os.utime(clip, ns=(ahead, ahead))
    reel = reel_of(tmp_path)
    reel.look("pier.mp4")
    reel.remember("pier.mp4")
    assert not (tmp_path / "memory").exists()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"stamp": 1, "footage": {}}', "\0"])
def test_a_record_that_cannot_be_read_is_found_out_again(text: str, tmp_path: Path) -> None:
    clip = film(tmp_path / "pier.mp4", count=4)
    aged(clip, reel_of(tmp_path))
    next((tmp_path / "memory").iterdir()).write_text(text)
    assert hash_file(clip) == reel_of(tmp_path).look("pier.mp4").digest


def test_planning_writes_nothing_of_it(stage: Stage) -> None:
    film(stage.folder / "footage/pier.mp4", seed=4)
    memory = stage.folder / ".matchcut/footage"
    before = {path.name: path.read_bytes() for path in memory.iterdir()}
    stage.plan()
    assert before == {path.name: path.read_bytes() for path in memory.iterdir()}


def test_a_run_answered_from_stamps_sees_that_footage_was_edited_touched_or_taken_away(tmp_path: Path) -> None:
    stage = Stage(tmp_path, '- {shot: "0010", clip: footage/pier.mp4}')
    clip = film(tmp_path / "footage/pier.mp4", count=4)
    settled(stage)
    os.utime(clip)
    assert not is_fast(stage)
    settled(stage)
    film(clip, seed=2, count=4)
    assert "1 take made" in command(stage).stdout
    settled(stage)
    clip.unlink()
    assert 2 == command(stage).returncode


# Beside what is bought


BOUGHT = """
- {shot: "0010", clip: footage/pier.mp4}
- {shot: "0020", action: Rain runs.}
"""


def market(folder: Path, shots: str = BOUGHT) -> Market:
    clips.make(_folder(folder / "footage/pier.mp4"), [clips.scene(64, 64)] * 24)
    return Market(folder, shots)


def test_nothing_is_bought_for_footage_and_what_follows_is_bought_once(tmp_path: Path) -> None:
    shop = market(tmp_path)
    outcome = shop.run(budget="1.00")
    assert (0, 2) == (outcome.exit_code, outcome.made)
    assert ["0020"] == [task.order.shot for task in shop.shop.tasks.values()]
    order = next(iter(shop.shop.tasks.values())).order
    take = outcome.decisions["0010"].take
    assert take is not None
    assert order.first is not None
    assert take.frames["last"]["digest"] == order.first.stem
    assert {"0020": [1]} == shop.takes()
    assert shop.run(budget="1.00").made == 0
    assert 1 == len(shop.shop.tasks)


def test_a_clone_with_takes_files_alone_buys_nothing_again(tmp_path: Path) -> None:
    shop = market(tmp_path)
    shop.run(budget="1.00")
    store = shop.folder / ".matchcut/store"
    shutil.rmtree(store / "takes")
    again = shop.run(budget="1.00")
    assert (0, 1) == (again.exit_code, again.made)
    assert 1 == len(shop.shop.tasks)


def test_footage_is_taken_in_though_nothing_is_to_be_spent(tmp_path: Path) -> None:
    shop = market(tmp_path)
    outcome = shop.run(options=Options(spend=False))
    assert 4 == outcome.exit_code
    assert ("current", "blocked") == (outcome.states["0010"], outcome.states["0020"])
    assert {} == shop.shop.tasks


def test_a_run_that_only_takes_footage_in_asks_for_no_consent(tmp_path: Path) -> None:
    market(tmp_path, '- {shot: "0010", clip: footage/pier.mp4}')
    outcome = runner.run(tmp_path / "storyboard.yaml")
    assert (0, 1) == (outcome.exit_code, outcome.made)


def test_own_footage_goes_into_no_shared_store_and_takes_no_lease(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "film").mkdir()
    shop = market(tmp_path / "film")
    place = Folder(tmp_path / "shared")
    shop.shared = lambda local: SharedStore(place, local)
    outcome = shop.run(budget="1.00")
    take = outcome.decisions["0010"].take
    assert take is not None
    shop.more = "store: file://../shared\n"
    shop.write(shop.shots)
    start(["store", "push", "--json", str(shop.folder)])
    assert [] == json.loads(capsys.readouterr().out)["absent"]
    names = [name for name, _ in place.names("")]
    assert not [name for name in names if take.clip in name or take.key in name]
    assert [name for name in names if name.startswith("objects/")], "what was bought is there"


def test_gc_keeps_footage_that_is_current(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    variants = "variants:\n  language: {en: {}, de: {}}\n"
    text = stage.file.read_text(encoding="utf-8").replace("scenes:", variants + "scenes:", 1)
    stage.file.write_text(text, encoding="utf-8")
    shutil.rmtree(stage.folder / ".matchcut")
    shutil.rmtree(stage.out)
    assert 0 == start(["run", str(stage.file)])
    capsys.readouterr()
    assert 0 == start(["store", "gc", "--delete", "--paid", "--json", str(stage.folder)])
    assert [] == json.loads(capsys.readouterr().out)["items"]


def test_both_lanes_have_the_same_take(tmp_path: Path) -> None:
    shop = market(tmp_path)
    shop.run(budget="1.00")
    plan = runner.plan(shop.file, provider="animatic")
    assert ("current", "missing") == (plan.decisions["0010"].state, plan.decisions["0020"].state)
    assert runner.plan(shop.file).decisions["0010"].take == plan.decisions["0010"].take
    assert [0, 0] == [plan.cost("0010"), plan.cost("0010", bought=True)]


def test_a_bought_take_stays_when_its_shot_becomes_footage_and_counts_when_it_is_a_models_again(tmp_path: Path) -> None:
    drawn = BOUGHT.replace("clip: footage/pier.mp4", "action: The pier.")
    shop = market(tmp_path, drawn)
    shop.run(budget="1.00")
    spent = shop.shop.total
    shop.write(BOUGHT)
    decision = runner.plan(shop.file).decisions["0010"]
    assert ("stale", "it is own footage now") == (decision.state, decision.reason)
    shop.write(BOUGHT.replace("}\n", ", notes: ours}\n", 1))
    shop.run(budget="1.00")
    assert [1] == shop.takes()["0010"]
    after = shop.shop.total
    shop.write(drawn)
    assert {"0010": "current", "0020": "current"} == {
        name: decision.state for name, decision in runner.plan(shop.file).decisions.items()
    }
    shop.run(budget="1.00")
    assert (after, True) == (shop.shop.total, after > spent)


# Commands


@pytest.mark.parametrize("words", [["circle", "0020", "1"], ["retake", "0020"], ["accept", "0020"], ["pin", "0020"]])
def test_there_is_nothing_to_choose_in_own_footage(
    words: list[str], made: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    with chdir(made.folder):
        assert start(words) == 2
    assert capsys.readouterr().err == (
        "storyboard.yaml:9:30: shot 0020 is own footage (footage/pier.mp4): it has one take, and begins with its own "
        "first frame\n  try: another file at its `clip`\n"
    )


def test_a_changed_clip_and_a_changed_file_show_in_a_diff(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    repo = Repo(tmp_path)
    clip = film(tmp_path / "footage/pier.mp4", count=4)
    film(tmp_path / "footage/quay.mp4", seed=2, count=4)
    small = {"defaults": {"with": {"clip": {"width": 640, "height": 360}}}}
    repo.board({"clip": "footage/pier.mp4"}, {}, **small)
    repo.commit()
    repo.board({"clip": "footage/quay.mp4"}, {}, **small)
    with chdir(tmp_path):
        assert start(["diff"]) == 0
        told = capsys.readouterr().out
        assert (
            "~ 0010  clip changed [missing]\n    clip: footage/pier.mp4 -> footage/quay.mp4\n> 0020  its frame" in told
        )
        repo.board({"clip": "footage/pier.mp4"}, {}, **small)
        before, after = hash_file(clip)[:16], hash_file(film(clip, seed=3, count=4))[:16]
        assert start(["diff"]) == 0
        assert f"~ 0010  clip changed [missing]\n    clip: {before} -> {after}" in capsys.readouterr().out


def test_footage_that_git_does_not_keep_is_that_of_now_in_a_diff(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = Repo(tmp_path)
    film(tmp_path / "footage/pier.mp4", count=4)
    repo.write({".gitignore": "footage/\n"})
    small = {"defaults": {"with": {"clip": {"width": 640, "height": 360}}}}
    repo.board({"clip": "footage/pier.mp4"}, {}, **small)
    repo.commit()
    repo.board({"clip": "footage/pier.mp4", "notes": "ours"}, {}, **small)
    with chdir(tmp_path):
        assert start(["diff"]) == 0
    assert "= 0010  notes changed; no take is affected" in capsys.readouterr().out


def test_footage_leaves_as_a_list_and_comes_back(
    made: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(made.folder / "footage", tmp_path / "footage")
    (tmp_path / "small.yaml").write_text(PIPELINE)
    with chdir(tmp_path):
        assert start(["export", str(made.file), "--as", "csv", "-o", "list.csv"]) == 0
        assert "010,0020,,,,The pier.,0.8333,,,,1,footage/pier.mp4" in Path("list.csv").read_text("utf-8-sig")
        capsys.readouterr()
        assert start(["import", "list.csv", "--pipeline", "small.yaml", "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert [] == told["problems"]
        lamp, pier, rain = told["storyboard"]["scenes"][0]["shots"]
        assert {"shot": "0020", "clip": "footage/pier.mp4", "action": "The pier."} == pier
        assert "clip" not in {*lamp, *rain}


def test_a_clip_of_a_list_that_is_not_there_becomes_a_word_and_what_footage_cannot_have_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film(tmp_path / "pier.mp4", count=4)
    rows = ["shot,description,clip,takes,review", "0010,The pier.,pier.mp4,3,no", "0020,Rain.,A001C002.mov,,"]
    (tmp_path / "list.csv").write_text("\n".join(rows))
    with chdir(tmp_path):
        assert start(["import", "list.csv", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [{"shot": "0010", "clip": "pier.mp4", "action": "The pier."}, "A001C002.mov"] == [
        told["storyboard"]["scenes"][0]["shots"][0],
        told["storyboard"]["scenes"][0]["shots"][1]["column_clip"],
    ]
    facts = [problem["fact"] for problem in told["problems"]]
    assert any('own footage: `takes` "3" is left out' in fact for fact in facts), facts
    assert any("is no file here: it is kept as the free word `column_clip`" in fact for fact in facts), facts


def test_a_step_of_ones_own_works_on_footage_and_what_follows_begins_on_its_result(tmp_path: Path) -> None:
    grade = '{uses: exec, in: {clip: clip}, with: {argv: ["{python}", "{pipeline}/turn.py", "{in.clip}", "{out.clip}"], gives: {clip: made.mp4}}}'
    piped = PIPELINE.replace("  check:", f"  grade: {grade}\n  check:").replace(
        "tail: {uses: frame, in: {clip: clip}", "tail: {uses: frame, in: {clip: grade}"
    )
    stage = Stage(tmp_path, SHOTS, piped + "gives: {clip: grade, last: tail}\n")
    (tmp_path / "turn.py").write_text("import shutil, sys\nshutil.copy(sys.argv[1], sys.argv[2])\n")
    film(tmp_path / "footage/pier.mp4")
    outcome = stage.perform(Pretend(), Options(trusted=lambda _: True))
    assert (0, 3) == (outcome.exit_code, outcome.made)
    assert stage.perform(Pretend(), Options(trusted=lambda _: True)).made == 0


# Awkward clips


CARD = Path(runner.__file__ or "").parents[1] / "schemas/models/animatic.json"


def awkward(folder: Path, maker: Maker, shots: str, conform: str = "") -> Stage:
    """A project of a size of 192x112, with an awkward clip as footage."""
    clip = maker(_folder(folder / "footage/clip").parent)
    card = CARD.read_text().replace("matchcut:animatic", "test:tiny").replace("640", "192").replace("360", "112")
    (folder / "tiny.json").write_text(
        card.replace('"height": 112, "aspect": "16:9"', '"height": 112, "aspect": "12:7"')
    )
    pipeline = PIPELINE.replace("640", "192").replace("360", "112").replace("matchcut:animatic", "tiny.json")
    pipeline = pipeline.replace("{uses: assemble}", f"{{uses: assemble{conform}}}")
    return Stage(folder, shots.replace("CLIP", f"footage/{clip.name}"), pipeline, 'aspect: "12:7"')


FOLLOWED = '- {shot: "0010", clip: CLIP}\n- {shot: "0020", action: Rain.}'
BETWEEN = '- {shot: "0005", action: Sun.}\n- {shot: "0010", clip: CLIP}\n- {shot: "0020", from: cut, action: Rain.}'
CONFORM = ", with: {conform: fit}"


def half_turned(at: Path) -> Path:
    return clips.make(at / "half.mp4", clips.moving(12), rotation=180)


@pytest.mark.parametrize("maker", [transport, half_turned], ids=lambda m: m.__name__)
def test_an_awkward_clip_is_shown_in_the_film_as_it_is(maker: Maker, tmp_path: Path) -> None:
    stage = awkward(tmp_path, maker, FOLLOWED)
    outcome = stage.perform(Pretend({"0020": (200, 30, 30)}))
    assert 0 == outcome.exit_code, outcome.problems
    there = [colour.to_rgb(f, colour.BT709) for f in clips.truth(next((tmp_path / "footage").iterdir()))]
    shown = [colour.to_rgb(f, colour.BT709) for f in clips.truth(outcome.films[0])]
    assert all(np.abs(a.astype(int) - b).mean() < 3 for a, b in zip(there, shown, strict=False))
    assert np.abs(shown[-1].astype(int) - (200, 30, 30)).mean() < 5
    assert not manifest_of(stage)["films"][0]["copied"]


@pytest.mark.parametrize("maker", [variable_rate, rotated], ids=lambda m: m.__name__)
def test_a_clip_that_does_not_fit_is_told_with_how_to_conform_it_and_then_fits(maker: Maker, tmp_path: Path) -> None:
    stage = awkward(tmp_path, maker, BETWEEN)
    with pytest.raises(StoryError, match=r"the film has shots of 2 (rates|sizes)[^\n]*\n  try: [^\n]*conform: fit"):
        stage.plan()
    (tmp_path / "again").mkdir()
    outcome = awkward(tmp_path / "again", maker, BETWEEN, CONFORM).perform(Pretend())
    assert 0 == outcome.exit_code, outcome.problems
