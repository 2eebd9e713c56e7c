"""A run: what is made, what is not made again, what waits, what fails."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

import runner
from runner.media import decode, receive
from runner.schema import check
from runner.store import LocalStore, hash_file

from .stage import PIPELINE, Pretend, Stage


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def manifest_of(stage: Stage) -> dict[str, object]:
    data: dict[str, object] = json.loads((stage.out / "manifest.json").read_text(encoding="utf-8"))
    return data


def test_a_storyboard_becomes_clips_frames_film_manifest_and_report(stage: Stage) -> None:
    outcome = stage.run()

    assert outcome.exit_code == 0
    assert outcome.made == 3
    assert [path.name for path in outcome.films] == ["film.mp4"]
    manifest = json.loads((stage.out / "manifest.json").read_text(encoding="utf-8"))
    assert check(manifest, "manifest.schema.json") == []
    for shot in manifest["shots"]:
        assert shot["state"] == "current"
        assert hash_file(stage.out / shot["clip"]["path"]) == shot["clip"]["digest"]
        assert shot["clip"]["frames"] == 24
        # A continued shot begins on the frame before it: that one stands there already.
        placed = [name for name, frame in shot["frames"].items() if "path" in frame]
        assert (["first", "last"] if shot["shot"] == "0010" else ["last"]) == placed
        assert all((stage.out / shot["frames"][name]["path"]).is_file() for name in placed)
    film = manifest["films"][0]
    assert hash_file(stage.out / film["path"]) == film["digest"]
    assert (stage.out / "report.html").read_text(encoding="utf-8").count("film.mp4") >= 1
    assert LocalStore(stage.folder / ".matchcut").verify() == []


def test_a_shot_begins_on_the_exact_last_frame_of_the_one_before(stage: Stage) -> None:
    stage.run()
    manifest = json.loads((stage.out / "manifest.json").read_text(encoding="utf-8"))

    first, second, third = manifest["shots"]
    assert first["from"] == {"origin": "cut"}
    for before, after in ((first, second), (second, third)):
        tail = decode.frame(str(stage.out / before["clip"]["path"]), "last")
        assert tail.digest == before["frames"]["last"]["digest"] == after["from"]["digest"]
        assert after["request"]["inputs"]["frameImages"] == [{"image": f"sha256:{tail.digest}", "frame": "first"}]
        assert after["inspect"]["head"]["likeness"] == "repeat"
    assert [entry["in"] for entry in manifest["films"][0]["entries"]] == [0, 1, 1]
    assert [join["shown_once"] for join in manifest["films"][0]["joins"]] == [True, True]


def test_a_second_run_makes_nothing_and_changes_no_byte(stage: Stage) -> None:
    stage.run()
    before = stage.digests()

    again = stage.run()

    assert (again.made, again.changed, again.exit_code) == (0, 0, 0)
    assert stage.digests() == before


def test_the_same_files_give_the_same_film_elsewhere(tmp_path: Path) -> None:
    films = []
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        stage = Stage(tmp_path / name)
        stage.run()
        films.append({file: digest for file, (digest, _) in stage.digests().items()})
    assert films[0] == films[1]


def test_changed_words_make_their_shot_and_what_follows_again_and_nothing_else(stage: Stage) -> None:
    stage.run()
    stage.change("Rain runs", "Snow drifts")

    plan = stage.plan()
    assert {"0010": "current", "0020": "stale", "0030": "stale"} == {n: d.state for n, d in plan.decisions.items()}
    assert plan.decisions["0020"].certain
    assert not plan.decisions["0030"].certain
    assert [change.field for change in plan.decisions["0020"].changes] == ["prompt", "slate.line"]
    assert stage.run().made == 2
    assert set(stage.states().values()) == {"current"}


def test_words_put_back_find_the_old_take(stage: Stage) -> None:
    first = stage.run()
    stage.change("Rain runs", "Snow drifts")
    stage.run()
    stage.change("Snow drifts", "Rain runs")

    again = stage.run()

    assert again.made == 0
    assert [d.take.clip for d in first.decisions.values() if d.take] == [
        d.take.clip for d in again.decisions.values() if d.take
    ]


def test_a_clip_made_again_that_ends_on_the_same_picture_stops_there(stage: Stage) -> None:
    grey = {"0010": (90, 90, 90)}
    stage.perform(Pretend(grey))
    stage.change("A lamp burns", "A candle burns")
    again = Pretend(grey)

    outcome = stage.perform(again)

    assert [order.shot for order in again.orders] == ["0010"]
    assert set(outcome.states.values()) == {"current"}


def test_notes_titles_and_budget_never_make_anything_again(stage: Stage) -> None:
    stage.run()
    stage.write(
        stage.shots.replace("lamp goes out.}", "lamp goes out., notes: ask Ines, title: Dark}"),
        "title: Other\nbudget: 3\n",
    )
    assert set(stage.states().values()) == {"current"}
    assert stage.run().made == 0


def test_more_takes_wanted_makes_only_those_that_lack(stage: Stage) -> None:
    stage.write('- {shot: "0010", action: A lamp burns in a window at night.}')
    stage.run()
    stage.write('- {shot: "0010", action: A lamp burns in a window at night., takes: 3}')

    outcome = stage.run()

    assert outcome.made == 2
    clips = {take.clip for take in outcome.facts.takes["0010"]}
    assert len(clips) == 3
    assert sorted(path.name for path in (stage.out / "clips").iterdir()) == [
        "001_010_0010_tk01.mp4", "001_010_0010_tk02.mp4", "001_010_0010_tk03.mp4",
    ]  # fmt: skip


def test_a_retake_is_one_more_take_of_the_same_words(stage: Stage) -> None:
    from runner import api

    stage.run()
    plan = api.retake(stage.file, "0010")
    assert (plan.decisions["0010"].have, plan.decisions["0010"].want) == (1, 2)
    assert plan.decisions["0020"].state == "current", "the take that counts stays the same"

    outcome = stage.run()

    assert outcome.made == 1
    taken = outcome.decisions["0010"].take
    assert taken is not None
    assert taken.take == 1, "the first take stays until another is circled"


def test_a_gate_waits_for_a_circle_and_the_other_branch_goes_on(stage: Stage) -> None:
    from runner import api

    stage.write("""
    - {shot: "0010", action: A lamp burns., takes: 2, review: true}
    - {shot: "0020", action: Rain runs.}
    - {shot: "0030", action: A street far off., from: cut}
    """)
    outcome = stage.run()
    assert outcome.exit_code == 5
    assert outcome.states == {"0010": "waiting", "0020": "blocked", "0030": "current"}
    assert not (stage.out / "film.mp4").exists()
    assert (stage.out / "report.html").is_file()

    after = api.circle(stage.file, "0010", "2")
    assert after.decisions["0010"].circled
    outcome = stage.run()

    assert outcome.exit_code == 0
    chosen = outcome.decisions["0010"].take
    assert chosen is not None
    assert chosen.take == 2
    assert (
        (stage.folder / "storyboard.takes" / "0010.yaml")
        .read_text(encoding="utf-8")
        .startswith("# Written by matchcut")
    )


def test_circling_another_take_makes_what_follows_stale_and_back_is_free(stage: Stage) -> None:
    from runner import api

    stage.write('- {shot: "0010", action: A lamp., takes: 2}\n- {shot: "0020", action: Rain runs.}')
    stage.run()
    assert api.circle(stage.file, "0010", "2").decisions["0020"].state == "stale"
    assert stage.run().made == 1
    assert api.circle(stage.file, "0010", None).decisions["0020"].state == "current"
    assert stage.run().made == 0


def test_a_held_shot_keeps_its_take_and_hands_its_frame_on(stage: Stage) -> None:
    stage.run()
    stage.change("night.}", "night., hold: true}")
    stage.change("A lamp burns", "A candle burns")

    outcome = stage.run()

    assert outcome.states == {"0010": "stale", "0020": "current", "0030": "current"}
    assert (outcome.made, outcome.exit_code) == (0, 0)


def test_a_failure_blocks_what_follows_and_nothing_else(stage: Stage) -> None:
    stage.write("""
    - {shot: "0010", action: A lamp.}
    - {shot: "0020", action: Rain.}
    - {shot: "0030", action: Snow.}
    - {shot: "0040", action: A street., from: cut}
    - {shot: "0050", action: A door., from: "0010"}
    """)
    outcome = stage.perform(Pretend(fails=frozenset(["0020"])))

    assert outcome.states == {
        "0010": "current",
        "0020": "failed",
        "0030": "blocked",
        "0040": "current",
        "0050": "current",
    }
    assert outcome.exit_code == 1
    assert 'shot "0020" failed: the model refused these words' in str(outcome.problems[0])
    assert str(outcome.problems[0]).endswith("try: other words")


def test_a_failed_run_leaves_the_last_film_as_it_was(stage: Stage) -> None:
    stage.perform(Pretend())
    film = hash_file(stage.out / "film.mp4")
    record = (stage.out / "manifest.json").read_bytes()
    stage.change("The lamp goes out", "The window shuts")

    outcome = stage.perform(Pretend(fails=frozenset(["0030"])))

    assert outcome.exit_code == 1
    assert hash_file(stage.out / "film.mp4") == film
    assert (stage.out / "manifest.json").read_bytes() == record


def test_partial_makes_a_film_with_slates_beside_the_last_one(stage: Stage) -> None:
    from runner.work import Options

    outcome = stage.perform(Pretend(fails=frozenset(["0020"])), Options(partial=True))

    assert [path.name for path in outcome.films] == ["film.partial.mp4"]
    manifest = json.loads((stage.out / "manifest.partial.json").read_text(encoding="utf-8"))
    assert manifest["partial"] is True
    assert [entry.get("slate", False) for entry in manifest["films"][0]["entries"]] == [False, True, True]
    assert manifest["films"][0]["frames"] == 72
    assert not (stage.out / "film.mp4").exists()


def test_no_slate_is_burnt_into_a_frame_that_is_handed_on(tmp_path: Path) -> None:
    shots = '- {shot: "0010", action: A lamp swings., duration: 4}\n- {shot: "0020", from: "0010@2s", action: Rain.}'
    plan = Stage(tmp_path, shots).plan()
    assert plan.briefs["0010"].slate.as_json()["clear"] == [2.0]
    assert "clear" not in plan.briefs["0020"].slate.as_json()


def test_a_parent_is_trimmed_where_the_next_shot_continues_from_inside_it(stage: Stage) -> None:
    stage.write('- {shot: "0010", action: A lamp swings.}\n- {shot: "0020", from: "0010@0.5s", action: Rain runs.}')
    stage.run()
    manifest = json.loads((stage.out / "manifest.json").read_text(encoding="utf-8"))

    index = manifest["shots"][0]["frames"]["0.5s"]["index"]
    assert index == 12
    assert manifest["films"][0]["entries"][0]["out"] == 13
    assert manifest["shots"][1]["from"]["digest"] == manifest["shots"][0]["frames"]["0.5s"]["digest"]


def test_a_frame_that_nobody_wanted_before_is_taken_out_without_making_its_shot_again(stage: Stage) -> None:
    stage.run()
    stage.change('shot: "0030",', 'shot: "0030", from: "0010@sharpest",')
    assert stage.states() == {"0010": "current", "0020": "current", "0030": "stale"}

    outcome = stage.run()

    assert outcome.made == 1
    sharpest = outcome.decisions["0010"].take
    assert sharpest is not None
    assert sharpest.frames["sharpest"]["index"] >= 12


def test_a_shot_ends_on_the_frame_it_is_told_to(stage: Stage) -> None:
    stage.write('- {shot: "0010", action: A lamp.}\n- {shot: "0020", action: Back again., to: "0010@first"}')
    stage.run()
    manifest = json.loads((stage.out / "manifest.json").read_text(encoding="utf-8"))

    assert manifest["shots"][1]["to"]["digest"] == manifest["shots"][0]["frames"]["first"]["digest"]
    assert manifest["shots"][1]["inspect"]["foot"]["likeness"] == "repeat"


@pytest.mark.parametrize(("form", "suffix"), [("WEBM", ".webm"), ("MOV", ".mov")])
def test_other_containers_make_a_film_of_their_kind(tmp_path: Path, form: str, suffix: str) -> None:
    pipeline = PIPELINE.replace("outputQuality: 60", f"outputQuality: 60, outputFormat: {form}")
    stage = Stage(tmp_path, '- {shot: "0010", action: A lamp.}\n- {shot: "0020", action: Rain.}', pipeline)
    stage.run()
    got = receive.receive({"clip": str(stage.out / f"film{suffix}"), "into": str(tmp_path)})
    assert got["probe"]["container"] == form


def test_a_rehearsal_counts_no_circle_and_passes_gates(tmp_path: Path) -> None:
    (tmp_path / "storyboard.yaml").write_text(
        'storyboard: x\npipeline: kling-2.0-master\nscenes:\n  - scene: "1"\n    shots:\n'
        '      - {shot: "0010", action: A lamp., review: true, takes: 3}\n', encoding="utf-8",
    )  # fmt: skip
    plan = runner.plan(tmp_path / "storyboard.yaml", provider="animatic")
    assert plan.lane.rehearsal
    assert (plan.decisions["0010"].want, plan.cost("0010"), plan.cost("0010", bought=True)) == (
        1,
        Decimal(0),
        Decimal("2.7720"),
    )
