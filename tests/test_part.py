"""Parts of a storyboard: what is left, kept, accepted, pinned; and plans that are saved and carried out later."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

import runner
from runner import api, saved
from runner.cli import plan as plan_command
from runner.cli.app import start
from runner.errors import StoryError
from runner.load import loads
from runner.plan import Part
from runner.schema import check

from .stage import Stage

WORDS = "Rain runs down the glass."


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def made(stage: Stage) -> list[str]:
    return sorted({event.shot for event in stage.events if event.what == "made"})


def entries(stage: Stage) -> list[tuple[str, int]]:
    """The film's shots, with the first frame shown of each."""
    manifest = json.loads((stage.out / "manifest.json").read_bytes())
    return [(entry["shot"], entry["in"]) for entry in manifest["films"][0]["entries"]]


BRANCHES = """
- {shot: "0010", action: A lamp.}
- {shot: "0020", action: Rain.}
- {shot: "0030", action: Fog.}
- {shot: "0040", from: "0010", action: Snow.}
"""


@pytest.mark.parametrize(
    ("part", "shots"),
    [
        (Part(only=("0010",)), ["0010"]),
        (Part(until="0020"), ["0010", "0020"]),
        (Part(start="0020"), ["0020", "0030"]),
        (Part(until="0030", start="0020"), ["0020", "0030"]),
        (Part(only=("0040", "0010")), ["0010", "0040"]),
        (Part(), ["0010", "0020", "0030", "0040"]),
    ],
)
def test_a_part_is_what_a_person_named(tmp_path: Path, part: Part, shots: list[str]) -> None:
    stage = Stage(tmp_path, BRANCHES)
    decisions = runner.plan(stage.file, part=part).decisions
    assert shots == [name for name, decision in decisions.items() if not decision.left]
    assert all(decision.buy == 0 for decision in decisions.values() if decision.left)


def test_a_run_of_a_part_makes_it_and_leaves_the_rest_and_the_last_film(tmp_path: Path) -> None:
    stage = Stage(tmp_path, BRANCHES)
    first = stage.run(part=Part(until="0020"))
    assert (0, ["0010", "0020"]) == (first.exit_code, made(stage))
    assert first.films == []
    assert 0 == stage.run(part=Part(start="0020")).exit_code
    assert ["0030"] == made(stage)
    assert 0 == stage.run().exit_code
    assert ["0040"] == made(stage)
    assert stage.out.joinpath("film.mp4").is_file()


def test_a_shot_whose_frame_is_not_part_of_the_run_is_told_and_not_made(stage: Stage) -> None:
    outcome = stage.run(part=Part(only=("0020",)))
    assert (1, []) == (outcome.exit_code, made(stage))
    (problem,) = outcome.problems
    assert 'shot "0020" failed: 0010 has no frame for it, and is not part of this run' == problem.fact
    assert "--until 0020" == problem.remedy


def test_a_stale_shot_outside_the_part_gives_nobody_its_old_frame_unless_it_is_kept(stage: Stage) -> None:
    stage.run()
    stage.change("A lamp burns in a window at night.", "A candle burns in a window.")
    stage.change(WORDS, "Hail hits the glass.")
    assert 1 == stage.run(part=Part(only=("0020",))).exit_code
    assert [] == made(stage)
    assert 0 == stage.run(part=Part(only=("0020",), keep_stale=True)).exit_code
    assert [] == made(stage), "0020 is stale itself, and stays in use"


def test_stale_takes_are_kept_and_only_what_was_never_made_is_made(stage: Stage) -> None:
    stage.run()
    stage.write(stage.shots.replace(WORDS, "Hail hits the glass.") + '- {shot: "0040", action: Dawn.}')
    plan = runner.plan(stage.file, part=Part(keep_stale=True))
    assert ["current", "stale", "current", "missing"] == [plan.decisions[name].state for name in plan.order]
    outcome = stage.run(part=Part(keep_stale=True))
    assert (0, ["0040"]) == (outcome.exit_code, made(stage))
    assert outcome.decisions["0020"].kept
    assert outcome.decisions["0020"].reason.endswith("changed; kept")
    assert ["0010", "0020", "0030", "0040"] == [shot for shot, _ in entries(stage)]


def test_own_changes_and_inherited_ones_are_told_apart(stage: Stage) -> None:
    stage.run()
    stage.change(WORDS, "Hail hits the glass.")
    decisions = runner.plan(stage.file).decisions
    assert [False, True, False] == [decisions[name].direct for name in ("0010", "0020", "0030")]
    assert ["current", "stale", "stale"] == [decision.state for decision in decisions.values()]
    stage.change("The lamp goes out.", "The lamp glows.")
    assert runner.plan(stage.file).decisions["0030"].direct, "its own words changed as well"


def test_an_unknown_shot_in_a_part_is_told_with_what_was_meant(stage: Stage) -> None:
    with pytest.raises(StoryError, match='shot "020" does not exist') as told:
        runner.plan(stage.file, part=Part(only=("020", "9")))
    assert ["did you mean 0020?", None] == [problem.remedy for problem in told.value.problems]


# accepted and pinned


def test_an_accepted_take_is_right_for_the_new_words_and_nothing_is_made(stage: Stage) -> None:
    stage.run()
    before = (stage.out / "film.mp4").read_bytes()
    stage.change(WORDS, "Rain runs down the pane.")
    after = api.accept(stage.file, "0020")
    assert ["current"] * 3 == [after.decisions[name].state for name in after.order]
    outcome = stage.run()
    assert (0, []) == (outcome.exit_code, made(stage))
    assert before == (stage.out / "film.mp4").read_bytes()
    api.circle(stage.file, "0020", None)
    assert "stale" == runner.plan(stage.file).decisions["0020"].state


def test_an_accepted_take_is_the_one_that_a_held_shot_keeps_though_more_are_asked_for(stage: Stage) -> None:
    stage.run()
    stage.change(WORDS, "Hail hits the glass.")
    stage.run()
    stage.change('"0020", action: Hail hits', '"0020", hold: true, action: Snow covers')
    api.retake(stage.file, "0020", 2)
    first = runner.plan(stage.file).facts.takes["0020"][0]
    decision = api.accept(stage.file, "0020", first.clip[:12]).decisions["0020"]
    assert decision.kept
    assert first == decision.take


def test_what_cannot_be_accepted_is_told(stage: Stage) -> None:
    with pytest.raises(StoryError, match="shot 0010 has no take"):
        api.accept(stage.file, "0010")
    stage.run()
    with pytest.raises(StoryError, match="take 1 of 0010 was made for these words and frames"):
        api.accept(stage.file, "0010")
    with pytest.raises(StoryError, match="shot 0010 has no take 7"):
        api.accept(stage.file, "0010", "7")


def test_a_pinned_shot_keeps_its_frame_and_the_join_is_not_taken_for_a_repeat(stage: Stage) -> None:
    stage.run()
    assert [("0010", 0), ("0020", 1), ("0030", 1)] == entries(stage)
    api.pin(stage.file, "0020")
    stage.change("A lamp burns in a window at night.", "A candle burns in a window.")
    outcome = stage.run()
    assert (0, ["0010"]) == (outcome.exit_code, made(stage))
    assert [("0010", 0), ("0020", 0), ("0030", 1)] == entries(stage)
    join = json.loads((stage.out / "manifest.json").read_bytes())["films"][0]["joins"][0]
    assert (False, None) == (join["continues"], join.get("measured"))
    api.pin(stage.file, "0020", pinned=False)
    assert "stale" == runner.plan(stage.file).decisions["0020"].state
    stage.run()
    assert [("0010", 0), ("0020", 1), ("0030", 1)] == entries(stage)


def test_a_held_shot_is_no_repeat_of_a_frame_that_is_gone(tmp_path: Path) -> None:
    stage = Stage(tmp_path, '- {shot: "0010", action: A lamp.}\n- {shot: "0020", action: Rain., hold: true}')
    stage.run()
    stage.change("A lamp.", "A candle in the wind.")
    stage.run()
    assert [("0010", 0), ("0020", 0)] == entries(stage)


def test_a_shot_that_begins_on_nothing_has_nothing_to_pin(stage: Stage) -> None:
    with pytest.raises(StoryError, match="0020 has no take yet: there is nothing to keep"):
        api.pin(stage.file, "0020")
    stage.run(part=Part(only=("0010",)))
    with pytest.raises(StoryError, match="0010 begins on no frame"):
        api.pin(stage.file, "0010")


# saved plans


def test_a_saved_plan_is_carried_out_once(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    plan = str(stage.folder / "p.json")
    assert 0 == start(["plan", str(stage.file), "-o", plan, "--until", "0020"])
    assert f"plan saved in {plan}: matchcut run {stage.file} --plan {plan} carries it out" in capsys.readouterr().out
    assert 0 == start(["plan", str(stage.file), "-o", plan, "--until", "0020"]), "a plan may go in the place of one"
    capsys.readouterr()
    assert 0 == start(["run", str(stage.file), "--plan", plan])
    assert "2 takes made" in capsys.readouterr().out
    assert 2 == start(["run", str(stage.file), "--plan", plan])
    assert f"{plan}: this plan was run already\n  try: matchcut plan -o FILE makes a new one" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("A lamp", "A candle", ["the storyboard", "what is to be made"]),
        ("# nothing", "# a comment", ["the storyboard"]),
    ],
)
def test_a_plan_is_refused_if_anything_changed_since(stage: Stage, old: str, new: str, told: list[str]) -> None:
    stage.write(stage.shots, "# nothing")
    loaded = api.load(stage.file)
    (stage.folder / "p.json").write_bytes(saved.write(loaded, {}, Decimal(0)))
    stage.change(old, new)
    with pytest.raises(StoryError) as error:
        stage.run(saved=saved.read(stage.folder / "p.json"))
    assert [f"{name} changed since this plan was made" for name in told] == [p.fact for p in error.value.problems]
    stage.change(new, old)
    assert 0 == stage.run(saved=saved.read(stage.folder / "p.json")).exit_code


def test_a_plan_of_what_was_made_meanwhile_is_refused(stage: Stage) -> None:
    (stage.folder / "p.json").write_bytes(saved.write(api.load(stage.file), {}, None))
    stage.run(part=Part(only=("0010",)))
    with pytest.raises(StoryError, match="what is to be made changed since this plan was made"):
        stage.run(saved=saved.read(stage.folder / "p.json"))


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("{}", "this is no saved plan"),
        ("not JSON", "this saved plan is damaged"),
        ('{"saved_plan": 2}', "this plan has format 2; this matchcut reads format 1"),
        ('{"saved_plan": 1, "part": {}}', "this saved plan is damaged"),
    ],
)
def test_what_is_no_saved_plan_is_told(tmp_path: Path, text: str, fact: str) -> None:
    (tmp_path / "p.json").write_text(text, encoding="utf-8")
    with pytest.raises(StoryError) as error:
        saved.read(tmp_path / "p.json")
    assert [fact] == [problem.fact for problem in error.value.problems]


@pytest.mark.parametrize("part", [Part(), Part(only=("0020",)), Part(until="0020", keep_stale=True)])
def test_what_plan_says_to_programs_fits_its_schema(tmp_path: Path, part: Part) -> None:
    stage = Stage(tmp_path, BRANCHES)
    first = plan_command.as_plan(api.load(stage.file, part=part))
    assert [] == check(json.loads(json.dumps(first)), "plan.schema.json")
    stage.run(part=Part(only=("0010",)))
    stage.change("A lamp.", "A candle.")
    told = json.loads(json.dumps(plan_command.as_plan(api.load(stage.file, part=part))))
    assert [] == check(told, "plan.schema.json")
    assert {"missing", "stale"} <= {shot["state"] for shot in (*first["shots"], *told["shots"])}
    assert list(part.only) == told["part"]["only"]


def test_the_plans_of_several_variants_fit_the_schema_too_and_each_is_saved_by_itself(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.write(stage.shots, "variants: {tone: {warm: {values: {light: amber}}, cold: {values: {light: blue}}}}")
    stage.change("Rain runs down the glass.", "'{{ light }} rain runs down.'")
    told = plan_command.as_plans(loads(stage.file))
    assert [] == check(json.loads(json.dumps(told)), "plan.schema.json")
    plan = stage.folder / "p.json"
    assert 2 == start(["plan", str(stage.file), "-o", str(plan)])
    assert 0 == start(["plan", str(stage.file), "-o", str(plan), "--variant", "cold", "--only", "0010"])
    assert 0 == start(["run", str(stage.file), "--plan", str(plan)])
    assert ["0010_tk01"] == [path.stem[-9:] for path in (stage.out / "cold" / "clips").iterdir()]


def test_a_part_without_a_shot_is_told(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == start(["plan", str(stage.file), "--only", "0030", "--until", "0020"])
    assert "no shot is in all of these parts\n  try: one of --only" in capsys.readouterr().err
