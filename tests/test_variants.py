"""Variants: several films of one storyboard; what they share is made once, what they don't is kept apart."""

from __future__ import annotations

import json
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import runner
import runner.api
from runner import bill, journal
from runner.cli.app import start
from runner.gather import JOURNAL
from runner.load import loads
from runner.plan import Plan
from runner.schema import check

from .market import Crash, Market, Shop
from .stage import Stage
from .world import World, world

LANGUAGES = "variants:\n  language: {en: {values: {sign: OPEN}}, de: {values: {sign: OFFEN}}}\n"
SHOTS = """
- {shot: "0010", action: A lamp burns.}
- {shot: "0020", action: "The sign says {{ sign }}."}
- {shot: "0030", action: A door opens., from: "0010"}
- {shot: "0040", action: Rain on the sign., from: "0020"}
"""


def plans(world: World | Market | Stage) -> dict[str, Plan]:
    return {str(loaded.project.variant): loaded.plan for loaded in loads(world.file)}


def states(market: Market) -> dict[str, str]:
    """The state of every shot in a word, by variant: c(urrent), m(issing), s(tale)."""
    return {name: "".join(d.state[0] for d in plan.decisions.values()) for name, plan in plans(market).items()}


# names and words


def test_variants_are_every_combination_in_the_order_of_the_file(tmp_path: Path) -> None:
    axes: dict[str, Any] = {"language": {"en": {}, "de": None}, "shape": {"wide": {}, "tall": {"aspect": "9:16"}}}
    made = world(tmp_path, {}, variants=axes)
    assert ("en-wide", "en-tall", "de-wide", "de-tall") == runner.variants(made.file)
    sizes = {name: plan.briefs["0010"].width for name, plan in plans(made).items()}
    assert {"en-wide": 1280, "en-tall": 720, "de-wide": 1280, "de-tall": 720} == sizes
    made = world(tmp_path, {}, variants={**axes, "exclude": ["de-tall"]})
    assert ("en-wide", "en-tall", "de-wide") == runner.variants(made.file)
    made = world(tmp_path, {}, variants={**axes, "only": ["de-tall", "en-tall"]})
    assert ("en-tall", "de-tall") == runner.variants(made.file)
    assert () == runner.variants(world(tmp_path, {}).file)


def test_a_variant_goes_before_the_storyboard_and_a_later_axis_before_an_earlier(tmp_path: Path) -> None:
    first = {"values": {"a": "one", "b": "one"}, "title": "First", "defaults": {"mood": "calm", "duration": 2}}
    second = {"values": {"b": "two"}, "negative": ["text"], "prompt": "{{ shot.action }} {{ shot.mood }}"}
    made = world(
        tmp_path, {"action": "{{ a }} {{ b }} {{ c }}"}, variants={"x": {"x1": first}, "y": {"y1": second}},
        values={"a": "own", "b": "own", "c": "own"}, defaults={"duration": 3, "takes": 2},
    )  # fmt: skip
    plan = made.plan()  # the only one needs no name
    brief = plan.briefs["0010"]
    assert ("one two own calm", "text", 2.0, 2) == (
        brief.words.prompt, brief.words.negative, brief.seconds, brief.shot.takes,
    )  # fmt: skip
    assert ("First", "x1-y1") == (plan.board.title, plan.board.variant and plan.board.variant.name)


def test_templates_name_the_variant_and_what_it_has_of_each_axis(tmp_path: Path) -> None:
    words = "{{ variant.name }}: {{ variant.language }}{% if variant.shape == 'tall' %}, upright{% endif %}"
    made = world(tmp_path, words, variants={"language": {"en": {}, "de": {}}, "shape": {"wide": {}, "tall": {}}})
    told = {name: plan.briefs["0010"].words.prompt for name, plan in plans(made).items()}
    assert ["en-wide: en", "en-tall: en, upright", "de-wide: de", "de-tall: de, upright"] == list(told.values())


def test_the_library_asks_for_a_name_where_there_are_several(tmp_path: Path) -> None:
    made = world(tmp_path, {}, variants={"language": {"en": {}, "de": {}}})
    with pytest.raises(runner.StoryError, match="several variants: one must be named\n  try: --variant en, or another"):
        runner.plan(made.file)
    with pytest.raises(runner.StoryError, match=r'there is no variant "dee"\n  try: did you mean de\?'):
        runner.plan(made.file, variant="dee")
    with pytest.raises(runner.StoryError, match="this storyboard has no variants"):
        runner.plan(world(tmp_path, {}).file, variant="de")


def test_a_value_is_unused_only_if_no_variant_uses_it(tmp_path: Path) -> None:
    variants = {"language": {"en": {"prompt": "{{ a }} {{ shot.action }}"}, "de": {"prompt": "{{ b }}{{ b }}"}}}
    made = world(tmp_path, {}, variants=variants, values={"a": "x", "b": "y", "c": "z"})
    assert [["values.c is used by no shot"]] * 2 == [[p.fact for p in plan.warnings] for plan in plans(made).values()]
    assert () == runner.plan(made.file, variant="en").warnings


# takes and money


def test_what_no_words_of_a_variant_reach_is_bought_once(tmp_path: Path) -> None:
    market = Market(tmp_path, SHOTS, more=LANGUAGES)
    before = bill.together(list(plans(market).values()))
    # 0040 begins on another picture in each language: it follows from the sign.
    assert (8, 6, 2) == (before.shots, before.to_make, before.shared)

    first, second = market.run(variant="en"), market.run(variant="de")

    assert (4, 2) == (first.made, second.made)
    assert len(set(market.shop.keys())) == len(market.shop.keys()) == 6
    assert {"en": "cccc", "de": "cccc"} == states(market)
    spent = bill.together(list(plans(market).values())).spent
    assert before.run == before.worst == spent == market.shop.total
    again = [market.run(variant=name) for name in ("en", "de")]
    assert [(0, 0, 0)] * 2 == [(run.made, run.changed, run.exit_code) for run in again]


def test_a_take_says_which_variants_it_serves(tmp_path: Path) -> None:
    market = Market(tmp_path, SHOTS, more=LANGUAGES)
    market.run(variant="en")
    market.run(variant="de")
    facts = plans(market)["de"].facts
    assert [("en", "de")] == [take.variants for take in facts.takes["0010"]]
    assert [("de",)] == [take.variants for take in facts.takes["0020"]]


def test_a_shot_that_was_made_for_another_variant_alone_is_missing_and_not_stale(tmp_path: Path) -> None:
    market = Market(tmp_path, SHOTS, more=LANGUAGES)
    market.run(variant="en")
    assert {"en": "cccc", "de": "cmcm"} == states(market)
    assert "never made" == plans(market)["de"].decisions["0020"].reason


def test_a_take_that_served_both_is_stale_in_both_when_the_words_change(tmp_path: Path) -> None:
    market = Market(tmp_path, SHOTS, more=LANGUAGES)
    market.run(variant="en")
    market.run(variant="de")
    market.write(SHOTS.replace("A lamp burns", "A lamp dies"))
    assert {"en": "ssss", "de": "ssss"} == states(market)
    market.run(variant="en")
    assert {"en": "cccc", "de": "cscs"} == states(market)
    assert "first frame changed" == plans(market)["de"].decisions["0020"].reason
    market.write(SHOTS)
    assert {"en": "cccc", "de": "cccc"} == states(market)


def test_a_held_shot_keeps_its_own_variants_take(tmp_path: Path) -> None:
    market = Market(tmp_path, SHOTS, more=LANGUAGES)
    market.run(variant="en")
    market.run(variant="de")
    market.write(SHOTS.replace('{{ sign }}."', '{{ sign }} now.", hold: true'))
    for name, plan in plans(market).items():
        decision = plan.decisions["0020"]
        assert decision.kept
        assert decision.take is not None
        assert (name,) == decision.take.variants
        assert ("OPEN" if name == "en" else "OFFEN") in decision.take.words["values.sign"]


def test_takes_from_before_there_were_variants_are_the_history_of_all(tmp_path: Path) -> None:
    market = Market(tmp_path, SHOTS.replace("{{ sign }}", "OPEN"))
    market.run()
    market.more = LANGUAGES
    market.write(SHOTS)
    assert {"en": "cccc", "de": "cscs"} == states(market)
    assert ["prompt"] == [change.field for change in plans(market)["de"].decisions["0020"].changes]
    market.run(variant="de")
    assert {"en": "cccc", "de": "cccc"} == states(market)
    assert () == plans(market)["en"].facts.takes["0010"][0].variants


def test_without_variants_again_every_take_counts(tmp_path: Path) -> None:
    market = Market(tmp_path, SHOTS, more=LANGUAGES)
    market.run(variant="en")
    market.run(variant="de")
    market.more = ""
    market.write(SHOTS.replace("{{ sign }}", "OPEN"))
    assert ["current"] * 4 == [decision.state for decision in runner.plan(market.file).decisions.values()]
    assert 0 == market.run().made


def test_a_clone_without_the_store_tells_the_same_states(tmp_path: Path) -> None:
    market = Market(tmp_path, SHOTS, more=LANGUAGES)
    market.run(variant="en")
    market.run(variant="de")
    market.write(SHOTS.replace("A lamp burns", "A lamp dies"))
    before = states(market)
    shutil.rmtree(market.folder / ".matchcut")
    assert before == states(market) == {"en": "ssss", "de": "ssss"}


def test_a_numbered_take_has_its_number_from_the_first_run_on(tmp_path: Path) -> None:
    market = Market(tmp_path, SHOTS, more=LANGUAGES)
    market.run(variant="en")
    made = market.run(variant="de")
    assert made.decisions["0020"].take is not None
    assert 2 == made.decisions["0020"].take.take
    manifest = (market.folder / "out" / "de" / "manifest.json").read_bytes()
    again = market.run(variant="de")
    assert (0, 0) == (again.made, again.changed)
    assert manifest == (market.folder / "out" / "de" / "manifest.json").read_bytes()


@pytest.mark.parametrize("trip", [2, -2, 4, -6, 9])
def test_what_a_crash_left_of_one_variant_is_taken_up_in_the_run_of_another(tmp_path: Path, trip: int) -> None:
    market = Market(tmp_path, SHOTS, Shop(seed=trip), more=LANGUAGES)
    with pytest.raises(Crash):
        market.run(variant="en", trip=trip)
    market.run(variant="de")
    market.run(variant="en")
    assert {"en": "cccc", "de": "cccc"} == states(market)
    assert len(set(market.shop.keys())) == len(market.shop.keys()) == 6
    submits, _ = journal.read(market.folder / ".matchcut" / JOURNAL)
    assert {"recorded"} >= {submit.state for submit in submits if submit.state != "failed"}
    again = [market.run(variant=name) for name in ("en", "de")]
    assert [(0, 0)] * 2 == [(run.made, run.changed) for run in again]
    own = {take.variants for shot in ("0020", "0040") for take in plans(market)["de"].facts.takes[shot]}
    assert {("de",)} == own


def test_a_purchase_of_another_variant_that_nobody_knows_of_stops_only_that_one(tmp_path: Path) -> None:
    market = Market(tmp_path, SHOTS, Shop(seed=1), more=LANGUAGES)
    market.run(variant="de")
    with pytest.raises(Crash):
        market.run(variant="en", trip=-1)
    market.shop.forgets, market.now = True, market.now + 5_000
    assert 6 == market.run(variant="en").exit_code
    assert 0 == market.run(variant="de").exit_code
    (flight,) = plans(market)["de"].facts.flights["0020"]
    assert ("en", False) == (flight.variant, flight.known)
    board = str(market.file)
    assert 2 == start(["resolve", "0020", board, "--give-up", "--variant", "de"])
    assert 0 == start(["resolve", "0020", board, "--give-up"])
    assert {} == {shot: some for shot, some in plans(market)["de"].facts.flights.items() if some}


def test_the_budget_is_that_of_all_variants(tmp_path: Path) -> None:
    market = Market(tmp_path, SHOTS, more=LANGUAGES)
    assert 0 == market.run(variant="en", budget="0.50").exit_code
    assert 4 == market.run(variant="de", budget="0.50").exit_code
    assert Decimal("0.50") == market.shop.total


# output


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """A stage with two variants and an included file, both made by the command."""
    folder = tmp_path_factory.mktemp("variants")
    (folder / "look.yaml").write_text("values: {sign: none}\n", encoding="utf-8")
    shots = '- {shot: "0010", action: A lamp.}\n- {shot: "0020", action: "The sign says {{ sign }}."}'
    made = Stage(folder, shots, more=f"include: look.yaml\n{LANGUAGES}")
    assert 0 == start(["run", str(made.file)])
    return made


def test_each_variant_has_an_output_folder_of_its_own(stage: Stage) -> None:
    assert ["de", "en"] == sorted(path.name for path in stage.out.iterdir())
    films = {(stage.out / name / "film.mp4").read_bytes() for name in ("de", "en")}
    assert 2 == len(films)
    clips = {(stage.out / name / "clips" / "001_010_0010_tk01.mp4").read_bytes() for name in ("de", "en")}
    assert 1 == len(clips)


def test_the_manifest_names_the_variant_and_the_files_that_were_taken_in(stage: Stage) -> None:
    manifest = json.loads((stage.out / "de" / "manifest.json").read_bytes())
    assert [] == check(manifest, "manifest.schema.json")
    assert {"name": "de", "axes": {"language": "de"}} == manifest["variant"]
    assert ["look.yaml"] == [taken["path"] for taken in manifest["includes"]]
    report = (stage.out / "de" / "report.html").read_text(encoding="utf-8")
    assert "stage · de</h1>" in report
    assert "<span>language <b>de</b></span>" in report


def test_a_rehearsal_stands_below_its_variant_and_out_has_a_folder_for_each(tmp_path: Path) -> None:
    made = world(tmp_path, {}, pipeline="kling-2.1-master", variants={"language": {"en": {}, "de": {}}}, name="b.yaml")
    outs = [loaded.project.out.relative_to(tmp_path) for loaded in loads(made.file, provider="animatic")]
    assert [Path("out/b/en/animatic"), Path("out/b/de/animatic")] == outs
    assert [Path("x/en"), Path("x/de")] == [loaded.project.out for loaded in loads(made.file, out="x")]
    assert Path("x/de") == runner.load(made.file, out="x", variant="de").project.out


def test_a_run_into_a_named_folder_stays_there(stage: Stage, tmp_path: Path) -> None:
    outcome = runner.run(stage.file, variant="de", out=tmp_path / "x")
    assert [tmp_path / "x" / "de" / "film.mp4"] == list(outcome.films)


def test_an_edit_of_an_included_file_is_noticed_where_there_was_nothing_to_do(
    stage: Stage, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from runner import __version__, fast

    monkeypatch.chdir(stage.folder)
    words = ["run", "storyboard.yaml"]
    monkeypatch.setattr("sys.argv", ["matchcut", *words])
    for _ in range(4):
        assert 0 == start(words)
        if (told := fast.answer(words, __version__)) is not None:
            break
    lines = [f"{name}: nothing to do: 2 shots are current (out/{name}/film.mp4)" for name in ("en", "de")]
    assert "\n".join(lines) == told
    capsys.readouterr()
    assert 0 == start(words)
    assert told == capsys.readouterr().out.strip()
    (stage.folder / "look.yaml").write_text("values: {sign: none, other: x}\n", encoding="utf-8")
    assert fast.answer(words, __version__) is None


def test_notes_of_drawn_takes_are_kept_apart(stage: Stage) -> None:
    noted = {name: [*stage.folder.glob(f".matchcut/lanes/animatic/storyboard/{name}/*.json")] for name in ("en", "de")}
    assert [2, 2] == [len(found) for found in noted.values()]
    changed = stage.file.read_text(encoding="utf-8")
    stage.file.write_text(
        changed.replace("sign: OFFEN", "sign: AUF").replace("A lamp.", "A lamp burns."), encoding="utf-8"
    )
    try:
        assert {"en": "ss", "de": "ss"} == {
            name: "".join(d.state[0] for d in plan.decisions.values()) for name, plan in plans(stage).items()
        }
    finally:
        stage.file.write_text(changed, encoding="utf-8")


# the command


def test_the_plan_shows_every_variant_and_counts_once_what_they_share(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    market = Market(tmp_path, SHOTS, more=f"title: Signs\nbudget: 9\n{LANGUAGES}")
    assert 3 == start(["plan", str(market.file), "--check"])
    told = capsys.readouterr().out.splitlines()
    assert ["Signs · en", "Signs · de"] == [line for line in told if " · " in line]
    assert "2 variants, 8 shots. 6 takes to make in all (2 for more than one variant)." in told[-1]
    assert "Budget $9.00." in told[-1]
    assert 0 == start(["plan", str(market.file), "--json"])
    data = json.loads(capsys.readouterr().out)
    assert ["en", "de"] == [plan["variant"] for plan in data["variants"]]
    assert (6, 2) == (data["totals"]["to_make"], data["totals"]["shared"])
    assert 0 == start(["plan", str(market.file), "--variant", "de"])
    assert "4 takes to make. Spent" in capsys.readouterr().out


def test_a_command_about_one_shot_needs_a_name_only_where_the_variants_differ(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    market = Market(tmp_path, SHOTS, more=LANGUAGES)
    market.run(variant="en")
    market.run(variant="de")
    board = str(market.file)
    assert 0 == start(["circle", "0010", "1", board])
    assert 0 == start(["retake", "0010", board])
    assert 2 == start(["circle", "0020", "2", board])
    said = capsys.readouterr().err
    assert "shot 0020 is not the same in all variants: one must be named" in said
    assert "--variant en, or another of en, de" in said
    assert 2 == start(["circle", "0020", "1", board, "--variant", "de"])  # that is the other's take
    assert 0 == start(["circle", "0020", "2", board, "--variant", "de"])
    assert [False, True] == [plan.decisions["0020"].circled for plan in plans(market).values()]
    assert [True, True] == [plan.decisions["0010"].circled for plan in plans(market).values()]
    assert 0 == start(["retake", "0020", board, "--variant", "en"])
    assert [2, 1] == [plan.decisions["0020"].want for plan in plans(market).values()]
    assert [0, 2, 0] == [
        start(["why", "0010", board]), start(["why", "0020", board]), start(["why", "0020", board, "--variant", "en"])
    ]  # fmt: skip
    assert [2, 0] == [start(["graph", board]), start(["graph", board, "--variant", "en"])]
    assert 0 == start(["costs", board])


def test_a_run_of_all_ends_with_the_code_that_counts_most(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gate = LANGUAGES.replace("de: {", "de: {defaults: {review: true}, ")
    stage = Stage(tmp_path, '- {shot: "0010", action: "The sign says {{ sign }}."}', more=gate)
    assert 5 == start(["run", str(stage.file)])
    told = capsys.readouterr()
    assert "en: 1 shot: 1 current; 1 take made" in told.out
    assert "0010 waiting" in told.out
    assert "matchcut circle 0010 1 --variant de" in told.out
    assert "de: 1 shot: 1 waiting; 1 take made" in told.out
    assert 0 == start(["run", str(stage.file), "--variant", "en"])
    assert 5 == start(["run", str(stage.file), "--json"])
    data = json.loads(capsys.readouterr().out.split("\n", 1)[1])
    assert [("en", 0), ("de", 5)] == [(run["variant"], run["exit_code"]) for run in data["variants"]]


def test_nothing_is_made_where_any_variant_has_a_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stage = Stage(tmp_path, '- {shot: "0010", action: "{{ sign }}"}', more=LANGUAGES.replace("sign: OFF", "sing: OFF"))
    assert 2 == start(["run", str(stage.file)])
    assert '"sign" is not defined (in de)' in capsys.readouterr().err
    assert not stage.out.exists()


def test_a_shot_is_renamed_in_all_variants_and_files_and_stays_bought(tmp_path: Path) -> None:
    market = Market(tmp_path / "project", SHOTS, more=LANGUAGES)
    for name in ("en", "de"):
        market.run(variant=name)
    text = market.file.read_text(encoding="utf-8")
    head, _, scenes = text.partition("scenes:\n")
    part = market.folder / "part.yaml"
    part.write_text(f"# the scene\nscenes:\n{scenes}", encoding="utf-8")
    more = '  - {scene: "020", shots: [{shot: "0050", action: Rain., from: "0010"}]}\n'
    market.file.write_text(f"{head}scenes:\n  - include: part.yaml\n{more}", encoding="utf-8")
    before = market.file.read_text(encoding="utf-8"), part.read_text(encoding="utf-8")

    done = runner.api.rename(market.file, "0010", "dawn")

    now = market.file.read_text(encoding="utf-8"), part.read_text(encoding="utf-8")
    assert tuple(text.replace('"0010"', '"dawn"') for text in before) == now
    assert ((), 1) == (done.prompts, len(done.record.takes))
    assert any("part.yaml is changed" in note for note in done.notes)
    assert {"en": "ccccm", "de": "ccccm"} == states(market)
    runner.api.rename(market.file, "dawn", "0010")
    assert before == (market.file.read_text(encoding="utf-8"), part.read_text(encoding="utf-8"))


def test_a_list_is_exported_of_one_variant_and_of_any_where_all_have_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = Market(tmp_path / "project", SHOTS, more=LANGUAGES).file
    assert 2 == start(["export", str(file), "--as", "csv"])
    assert "try: --variant en, or another of en, de" in capsys.readouterr().err
    assert 0 == start(["export", str(file), "--as", "csv", "--variant", "de"])
    assert "OFFEN" in capsys.readouterr().out
    same = Market(tmp_path / "same", SHOTS.replace("{{ sign }}", "OPEN"), more=LANGUAGES)
    assert 0 == start(["export", str(same.file), "--as", "csv"])
