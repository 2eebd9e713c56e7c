"""Takes files made anew: nothing that anybody still knows is lost, and nothing is thrown away unasked."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner import api, takes
from runner.cli.app import start
from runner.errors import StoryError
from runner.footage import OWN
from runner.key import own
from runner.load import load
from runner.ports import Order, ProviderError, Ticket
from runner.store import hash_file
from runner.takes import Circle, Take

from .market import Market, Shop
from .media import clips

CUTS = int(os.environ.get("MATCHCUT_CUTS", "211"))
"""Every how many bytes a file is cut off."""
CHAIN = """
- {shot: "0010", action: A lamp burns., takes: 2}
- {shot: "0020", action: Rain runs.}
- {shot: "0030", action: A door opens., from: "0010"}
- {shot: "0040", action: A street far off., from: cut, takes: 5}
"""


class Charging(Shop):
    """A shop that charges for what it refuses."""

    async def submit(self, order: Order, uuid: str) -> Ticket:
        if order.shot in self.fails:
            raise ProviderError("it was drawn and refused", trouble="provider", usd=Decimal("0.07"))
        return await super().submit(order, uuid)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Market:
    """Bought with a refusal that was charged, edited, bought again, circled."""
    market = Market(tmp_path_factory.mktemp("rebuild"), CHAIN, Charging(fails=frozenset({"0020"})))
    market.run()
    market.shop.fails = frozenset()
    market.run()
    market.write(CHAIN.replace("A lamp", "The lamp"))
    market.run()
    api.circle(market.file, "0010", "4")
    api.circle(market.file, "0040", "3")
    assert market.run().exit_code == 0
    return market


@pytest.fixture
def market(finished: Market, tmp_path: Path) -> Market:
    shutil.copytree(finished.folder, tmp_path / "project")
    return Market(tmp_path / "project", finished.shots, finished.shop)


def contents(market: Market) -> dict[str, bytes]:
    folder = market.folder / "storyboard.takes"
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())} if folder.is_dir() else {}


def test_what_the_tests_below_stand_on_has_everything_in_it(finished: Market) -> None:
    assert [1, 2, 3, 4] == finished.takes()["0010"]
    text = "".join(data.decode() for data in contents(finished).values())
    assert "charges:\n" in text
    assert 2 == text.count("circled:\n")


def test_deleted_takes_files_come_back_byte_for_byte(market: Market) -> None:
    before, spent = contents(market), load(market.file).plan.facts.spent
    shutil.rmtree(market.folder / "storyboard.takes")

    done = api.rebuild(market.file)

    assert before == contents(market)
    assert sorted(done.written) == [name.removesuffix(".yaml") for name in before]
    assert spent == load(market.file).plan.facts.spent
    heard = len(market.shop.heard)
    outcome = market.run()
    assert (0, 0, heard) == (outcome.made, outcome.exit_code, len(market.shop.heard))


def test_where_nothing_is_missing_nothing_is_written(market: Market) -> None:
    before = {path: path.stat().st_mtime_ns for path in (market.folder / "storyboard.takes").iterdir()}

    assert () == api.rebuild(market.file).written
    assert before == {path: path.stat().st_mtime_ns for path in (market.folder / "storyboard.takes").iterdir()}


def test_the_journal_alone_brings_back_what_was_asked_and_paid(market: Market) -> None:
    spent = load(market.file).plan.facts.spent
    before = {name: [take.identity for take in takes.read(market.folder / "storyboard.takes" / name, name).takes]
              for name in contents(market)}  # fmt: skip
    shutil.rmtree(market.folder / "storyboard.takes")
    shutil.rmtree(market.folder / ".matchcut" / "store" / "takes")

    done = api.rebuild(market.file)

    assert before == {f"{shot}.yaml": [take.identity for take in r.takes] for shot, r in done.records.items()}
    plan = load(market.file).plan
    assert spent == plan.facts.spent
    assert not any(decision.buy for decision in plan.decisions.values() if decision.certain)
    heard = len(market.shop.heard)
    outcome = market.run()
    assert heard == len(market.shop.heard), "nothing is bought again"
    assert "try: matchcut takes rebuild: it measures them" in str(outcome.problems[-1])


def test_a_journal_that_is_all_there_is_left_keeps_everything_from_being_bought_again(market: Market) -> None:
    shutil.rmtree(market.folder / "storyboard.takes")
    shutil.rmtree(market.folder / ".matchcut" / "store")
    shutil.rmtree(market.folder / ".matchcut" / "lanes")
    heard = len(market.shop.heard)

    outcome = market.run()

    assert heard == len(market.shop.heard)
    assert 1 == outcome.exit_code
    assert any("was bought, and is not to be had here" in problem.fact for problem in outcome.problems)


def test_takes_that_stand_in_no_takes_file_are_told(market: Market) -> None:
    (market.folder / "storyboard.takes" / "0040.yaml").unlink()

    (told,) = load(market.file).plan.warnings

    assert "storyboard.takes/0040.yaml: warning: 5 takes stand in the store or journal, and not in this file" in str(
        told
    )
    assert "matchcut takes rebuild" == told.remedy
    api.rebuild(market.file)
    assert () == load(market.file).plan.warnings


def test_what_only_the_file_knows_stays(market: Market) -> None:
    file = market.folder / "storyboard.takes" / "0010.yaml"
    record = takes.read(file, file.name)
    bought_elsewhere = Take(9, record.takes[0].key, "ab" * 32, "runware", "m", usd="0.10", task_uuid="elsewhere")
    later = {"grade": "warm"}
    text = takes.text(replace(record.with_take(bought_elsewhere), unknown=later))
    file.write_text(text, encoding="utf-8")

    assert () == api.rebuild(market.file).written

    assert text == file.read_text(encoding="utf-8")


def test_a_circle_that_was_taken_away_in_git_does_not_come_back(market: Market) -> None:
    file = market.folder / "storyboard.takes" / "0010.yaml"
    record = takes.read(file, file.name)
    file.write_text(takes.text(replace(record, circled={})), encoding="utf-8")

    api.rebuild(market.file)

    assert {} == takes.read(file, file.name).circled


DAMAGES: dict[str, Callable[[str], str]] = {
    "cut off": lambda text: text.replace(takes.HEAD, "")[: text.rindex("  clip: ") - len(takes.HEAD)],
    "words of another key": lambda text: text.replace("duration: 1\n", "duration: 2\n", 1),
    "no yaml": lambda text: "{[",
    "no shot": lambda text: text.replace("shot:", "sho:"),
    "a take lacks its key": lambda text: text.replace("  key: ", "  ky: ", 1),
    "charges are odd": lambda text: (
        f"{text}charges: 3\n" if "charges" not in text else text.replace('usd: "0.07"', "us: 3")
    ),
    "half resolved": lambda text: text.replace("takes:\n", "takes:\n>>>>>>> theirs\n"),
}


@pytest.mark.parametrize("damage", list(DAMAGES))
@pytest.mark.parametrize("shot", ["0010", "0020"])
def test_a_damaged_file_is_refused_and_by_force_kept_beside(damage: str, shot: str, market: Market) -> None:
    file = market.folder / "storyboard.takes" / f"{shot}.yaml"
    before = contents(market)
    broken = DAMAGES[damage](file.read_text(encoding="utf-8"))
    file.write_text(broken, encoding="utf-8")

    with pytest.raises(
        StoryError, match=rf"storyboard.takes/{shot}.yaml(?s:.*)or --force: it is kept as {shot}.yaml.bak"
    ):
        api.rebuild(market.file)
    assert broken == file.read_text(encoding="utf-8")
    done = api.rebuild(market.file, force=True)

    assert (shot,) == done.written
    assert {**before, f"{shot}.yaml.bak": broken.encode()} == contents(market)
    assert [file.with_name(f"{shot}.yaml.bak")] == list(done.aside)


def cuts(raw: bytes, step: int = 1) -> list[bytes]:
    """A file cut off at every byte (each ``step`` of them, and all near the end) that says less than the whole of it."""
    ends = sorted({*range(0, len(raw), step), *range(len(raw) - 12, len(raw))})
    return [raw[:end] for end in ends if raw[:end].rstrip() != raw.rstrip()]


@pytest.mark.parametrize("shot", ["0010", "0020"])
def test_a_file_that_is_cut_off_at_any_byte_is_known_to_be(shot: str, market: Market) -> None:
    file = market.folder / "storyboard.takes" / f"{shot}.yaml"
    raw = file.read_bytes()
    assert all(takes.torn(cut.decode("utf-8", "replace")) for cut in cuts(raw))
    for cut in cuts(raw, 301):
        file.write_bytes(cut)
        with pytest.raises(StoryError, match=r"(empty|cut off or damaged)(?s:.*)try: matchcut takes rebuild"):
            takes.read(file, file.name)


@pytest.mark.parametrize("shot", ["0010", "0020"])
def test_a_file_that_is_cut_off_comes_back_byte_for_byte(shot: str, market: Market) -> None:
    file = market.folder / "storyboard.takes" / f"{shot}.yaml"
    before = contents(market)
    for cut in cuts(file.read_bytes(), CUTS):
        file.write_bytes(cut)
        done = api.rebuild(market.file)
        assert before == contents(market), cut[-80:]
        assert ((shot,), (shot,)) == (done.written, done.torn)


@pytest.mark.parametrize("shot", ["0010", "0020"])
def test_an_older_file_without_an_end_is_read_and_what_it_lost_comes_back(shot: str, market: Market) -> None:
    file = market.folder / "storyboard.takes" / f"{shot}.yaml"
    whole = file.read_bytes()
    old = whole.decode().replace(takes.HEAD, "# Written by matchcut.\n").removesuffix(f"{takes.END}\n")
    for end in [*range(len(old) - 1500, len(old), 97), len(old)]:
        file.write_text(old[:end], encoding="utf-8")
        try:
            takes.read(file, file.name)
            api.rebuild(market.file)
        except StoryError:
            api.rebuild(market.file, force=True)
        assert whole == file.read_bytes(), old[:end][-80:]


def test_a_take_of_another_machine_at_a_cut_is_not_left_out_unasked(market: Market) -> None:
    file = market.folder / "storyboard.takes" / "0020.yaml"
    record = takes.read(file, file.name)
    elsewhere = replace(record.takes[0], take=9, clip="ab" * 32, task_uuid="elsewhere", video_uuid="there")
    text = takes.text(replace(record.with_take(elsewhere), charges=()))
    file.write_text(text.removesuffix(f"{takes.END}\n"), encoding="utf-8")

    with pytest.raises(StoryError, match="neither journal nor store know what stood in it"):
        api.rebuild(market.file)
    api.rebuild(market.file, force=True)

    assert elsewhere in takes.read(file, file.name).takes


def test_an_empty_file_of_which_nothing_is_known_is_refused(market: Market) -> None:
    file = market.folder / "storyboard.takes" / "0099.yaml"
    file.write_bytes(b"")
    with pytest.raises(StoryError, match=r"0099\.yaml: it is empty or cut off"):
        api.rebuild(market.file)


def test_a_second_damaged_file_does_not_take_the_place_of_the_first(market: Market) -> None:
    file = market.folder / "storyboard.takes" / "0010.yaml"
    for n in range(3):
        file.write_text("{[" * (n + 1), encoding="utf-8")
        api.rebuild(market.file, force=True)

    names = ["0010.yaml.bak", "0010.yaml.bak1", "0010.yaml.bak2"]
    assert ["{[", "{[{[", "{[{[{["] == [file.with_name(name).read_text(encoding="utf-8") for name in names]


def test_a_circle_whose_take_the_store_knows_is_right_again(market: Market) -> None:
    file = market.folder / "storyboard.takes" / "0010.yaml"
    whole = file.read_bytes()
    record = takes.read(file, file.name)
    file.write_text(takes.text(replace(record, takes=record.takes[:3])), encoding="utf-8")
    with pytest.raises(StoryError, match="an approval of another clip"):
        load(market.file)

    api.rebuild(market.file)

    assert whole == file.read_bytes()


def test_a_circle_that_nobody_can_explain_is_taken_away_by_force_alone(market: Market) -> None:
    file = market.folder / "storyboard.takes" / "0010.yaml"
    record = takes.read(file, file.name)
    key = record.takes[0].key
    file.write_text(takes.text(record.with_circle(key, Circle("ab" * 32))), encoding="utf-8")

    with pytest.raises(StoryError, match="clip abababababab is circled, and no file, journal or store has such a take"):
        api.rebuild(market.file)
    api.rebuild(market.file, force=True)

    assert record == takes.read(file, file.name)


def test_takes_of_which_nobody_knows_the_shot_are_told(market: Market, capsys: pytest.CaptureFixture[str]) -> None:
    bought = market.takes()
    shutil.rmtree(market.folder / "storyboard.takes")
    shutil.rmtree(market.folder / ".matchcut" / "lanes")
    (market.folder / ".matchcut" / "journal.sqlite").unlink()

    assert 0 == start(["takes", "rebuild", str(market.file)])

    said = capsys.readouterr().out
    count = sum(len(numbers) for numbers in bought.values())
    assert f"{count} takes in the store of which nobody knows the shot: found by their keys" in said
    assert not (market.folder / "storyboard.takes").exists()
    assert {"current"} == {decision.state for decision in load(market.file).plan.decisions.values()}


def test_a_storyboard_that_cannot_be_read_is_not_in_the_way(market: Market) -> None:
    market.file.write_text("<<<<<<< a\n=======\n>>>>>>> b\n", encoding="utf-8")
    shutil.rmtree(market.folder / "storyboard.takes")

    assert 4 == len(api.rebuild(market.file).written)


def test_another_storyboard_of_the_project_is_left_alone(market: Market) -> None:
    other = market.folder / "other.yaml"
    shutil.copy(market.file, other)

    assert () == api.rebuild(other).written
    assert not (market.folder / "other.takes").exists()
    with pytest.raises(StoryError, match="does not exist"):
        api.rebuild(market.folder / "none.yaml")


@settings(max_examples=25, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_whatever_is_cut_out_of_a_file_force_brings_every_take_back(market: Market, data: st.DataObject) -> None:
    file = market.folder / "storyboard.takes" / "0040.yaml"
    raw = file.read_bytes()
    before = {take.identity for take in takes.read(file, file.name).takes}
    start_, length = data.draw(st.integers(60, len(raw) - 1)), data.draw(st.integers(1, 4000))
    file.write_bytes(raw[:start_] + raw[start_ + length :])
    try:
        api.rebuild(market.file, force=True)
        assert before <= {take.identity for take in takes.read(file, file.name).takes}
    finally:
        file.write_bytes(raw)


def test_the_command_says_what_it_did(market: Market, capsys: pytest.CaptureFixture[str]) -> None:
    (market.folder / "storyboard.takes" / "0020.yaml").unlink()
    assert 0 == start(["takes", "rebuild", str(market.file)])
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("0020: written with 3 takes, 1 charge")
    assert said[-1] == "1 file written, 3 as they were"
    (market.folder / "storyboard.takes" / "0020.yaml").write_text("{[", encoding="utf-8")
    assert 2 == start(["takes", "rebuild", str(market.file)])
    assert "--force: it is kept as 0020.yaml.bak" in capsys.readouterr().err
    assert 0 == start(["takes", "rebuild", str(market.file), "--force", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert (["0020"], 3) == (told["written"], told["takes"]["0020"])
    assert [path.rpartition("/")[2] for path in told["aside"]] == ["0020.yaml.bak"]


def test_nothing_is_bought_while_circles_are_gone_with_their_file(market: Market) -> None:
    market.write(market.shots.replace("A door opens.", "A door shuts."))
    (market.folder / "storyboard.takes" / "0040.yaml").unlink()
    (told,) = load(market.file).plan.warnings
    assert "which is gone: the circles that were in it do not count until it is made anew" in told.fact

    with pytest.raises(StoryError, match=r"circles that were in it(?s:.*)try: matchcut takes rebuild") as raised:
        api.run(market.file, yes=True)

    assert 2 == raised.value.exit_code
    api.rebuild(market.file)
    assert {} == load(market.file).plan.facts.unread


def test_own_footage_never_comes_into_takes_files(market: Market, capsys: pytest.CaptureFixture[str]) -> None:
    clip = market.folder / "pier.mp4"
    clips.make(clip, [clips.scene(64, 64, 1)] * 3)
    market.write(market.shots.replace('{shot: "0020", action: Rain runs.}', '{shot: "0020", clip: pier.mp4}'))
    store = load(market.file).project.store
    asked = own(hash_file(clip))
    store.record(Take(1, asked.digest, hash_file(clip), OWN, OWN, asked.parts))
    store.keep(Path(shutil.copy(clip, market.folder / "copy.mp4")), hash_file(clip))
    store.note("runware", "storyboard", "0020", key=asked.digest)
    before = contents(market)
    file = market.folder / "storyboard.takes" / "0020.yaml"

    assert () == api.rebuild(market.file).written
    file.unlink()
    api.rebuild(market.file)

    assert before == contents(market)
    assert () == load(market.file).plan.warnings
    assert 0 == start(["takes", str(market.file)])
    said = capsys.readouterr()
    assert OWN not in said.out.split()
    assert "" == said.err
    record = takes.read(file, file.name).with_take(store.drawn(asked.digest)[0])
    file.write_text(takes.text(record), encoding="utf-8")
    api.rebuild(market.file)
    assert before == contents(market), "one that came in once goes again"
