"""A shot under another name: the text changes in its scalars alone, and everything that was bought goes along."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner import api, journal, lock, rename, takes
from runner.cli.app import start
from runner.document import Document
from runner.errors import StoryError
from runner.gather import JOURNAL
from runner.load import load
from runner.storyboard import read

from .market import BORN, Crash, Market

CHAIN = """
- {shot: "0010", action: A lamp burns., takes: 2}
- {shot: "0020", action: Rain runs.}
- {shot: "0030", action: A door opens., from: "0010"}
"""

TEXT = """\
# the harbour, as of today
storyboard: harbour    # its id
pipeline: animatic
values: {old: "0010"}
films:
  - {film: short, shots: ["0010", 0030, '0010']}
scenes:
- scene: "0010"
  shots:

  # the first
  - shot:   "0010"    # ten
    action: 0010 is only a word here
  - {shot: '0020', from: "0010@2.5s", to: {shot: 0010, frame: first}, action: 'x'}
  - shot: 0030
    from:  0010@sharpest   # inside ten
    action: "{{ previous.action }}"
"""


def states(market: Market) -> dict[str, str]:
    return {name: decision.state for name, decision in load(market.file).plan.decisions.items()}


def renamed(text: str, old: str = "0010", new: str = "dawn") -> str:
    board, problems = read(Document("s.yaml", text))
    assert board is not None, problems
    return rename.edited(board, old, new, folder=Path())[""]


def test_only_the_scalars_that_name_the_shot_change() -> None:
    expected = (
        TEXT.replace("shots: [\"0010\", 0030, '0010']", "shots: [\"dawn\", 0030, 'dawn']")
        .replace('shot:   "0010"', 'shot:   "dawn"')
        .replace('"0010@2.5s"', '"dawn@2.5s"')
        .replace("{shot: 0010,", "{shot: dawn,")
        .replace("from:  0010@sharpest", "from:  dawn@sharpest")
    )

    assert expected == renamed(TEXT)


def test_a_name_that_would_be_read_as_a_number_gets_quotes() -> None:
    assert '- shot: "12"\n    from:  0010@sharpest' in renamed(TEXT, "0030", "12")
    assert "'12'" in renamed(TEXT, "0020", "12")
    assert '- shot: "null"' in renamed(TEXT, "0030", "null")


def test_anchors_aliases_and_odd_ways_to_write_it_are_followed() -> None:
    text = (
        'storyboard: s\npipeline: animatic\nscenes:\n- scene: "1"\n  shots:\n  - {shot: &a "0010", action: x}\n'
        '  - &b {shot: b, from: *a, action: x}\n  - {<<: *b, shot: c}\n  - shot: d\n    action: x\n    from: "\\x30010@first"\n'
        "  - shot: e\n    action: x\n    from: >-\n      0010\n"
    )

    after = renamed(text)

    assert '{shot: &a "dawn", action: x}\n' in after
    assert 'from: "dawn@first"\n' in after
    board, _ = read(Document("s.yaml", after))
    assert board is not None
    assert ["cut", "dawn", "dawn", "dawn@first", "dawn"] == [str(shot.begins) for shot in board.shots]


def test_an_anchor_that_stands_for_something_else_too_is_not_touched() -> None:
    with pytest.raises(StoryError, match="it shares an anchor with something that is no shot id"):
        renamed(TEXT.replace('{old: "0010"}', '{old: &a "0010"}').replace('shot:   "0010"', "shot:   *a"))


@settings(max_examples=60, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,12}", fullmatch=True),
    st.sampled_from(["0010", "0020", "0030"]),
)
def test_any_name_and_back_again_gives_a_storyboard_that_says_the_same(name: str, old: str) -> None:
    try:
        there = renamed(TEXT, old, name)
    except StoryError as error:
        assert name == "cut" or "with " in str(error)  # noqa: PT017 - a name that cannot be
        return
    back = Document("s.yaml", renamed(there, name, old))

    assert Document("s.yaml", TEXT).data == back.data
    assert len(TEXT.splitlines()) == len(there.splitlines())


def test_what_was_bought_stays_current_under_another_name(tmp_path: Path) -> None:
    market = Market(tmp_path, CHAIN)
    market.run()
    api.circle(market.file, "0010", "2")
    market.run()
    before = market.record()
    heard = len(market.shop.heard)

    done = api.rename(market.file, "0010", "dawn")

    assert done.edited
    assert (2, 1, ()) == (len(done.record.takes), done.purchases, done.prompts)
    assert {"dawn": "current", "0020": "current", "0030": "current"} == states(market)
    assert not (tmp_path / "storyboard.takes" / "0010.yaml").exists()
    outcome = market.run()
    assert (0, 0, heard) == (outcome.made, outcome.exit_code, len(market.shop.heard))
    after = market.record()
    assert [shot["key"] for shot in before["shots"]] == [shot["key"] for shot in after["shots"]]
    assert "clips/001_010_dawn_tk02.mp4" == after["shots"][0]["clip"]["path"]
    assert before["totals"]["usd"] == after["totals"]["usd"]


def test_what_is_in_flight_goes_along(tmp_path: Path) -> None:
    market = Market(tmp_path, CHAIN)
    with pytest.raises(Crash):
        market.run(trip=2)
    heard = set(market.shop.heard)
    assert heard

    assert 1 == api.rename(market.file, "0010", "dawn").purchases

    assert {"dawn"} == set(load(market.file).plan.facts.flights)
    assert 0 == market.run().exit_code
    assert {"dawn": [1, 2], "0020": [1], "0030": [1]} == market.takes()
    assert len(market.shop.keys()) == len(set(market.shop.keys())) == 4
    assert heard <= set(market.shop.tasks)


def test_a_shot_that_was_renamed_by_hand_finds_its_takes_again(tmp_path: Path) -> None:
    market = Market(tmp_path, CHAIN)
    market.run()
    market.write(CHAIN.replace('"0020"', '"0025"'))
    (told,) = load(market.file).plan.warnings
    assert 'these are the takes of shot "0020", which the storyboard does not have; the $0.10 they cost' in told.fact
    assert told.place is not None
    assert "storyboard.takes/0020.yaml" == told.place.file
    assert "matchcut rename 0020 0025, if it has another name now" == told.remedy
    assert "current" == states(market)["0025"], "the key is what counts"

    assert not api.rename(market.file, "0020", "0025").edited

    assert () == load(market.file).plan.warnings
    assert {"0010": [1, 2], "0025": [1], "0030": [1]} == market.takes()


def test_an_orphan_that_fits_no_shot_is_told_and_stays_and_still_counts(tmp_path: Path) -> None:
    market = Market(tmp_path, CHAIN)
    market.run()
    spent = load(market.file).plan.facts.spent
    market.write("\n".join(line for line in CHAIN.splitlines() if "0020" not in line))

    plan = load(market.file).plan

    assert ["matchcut rename 0020 NEW, if it has another name now"] == [problem.remedy for problem in plan.warnings]
    assert spent == plan.facts.spent
    market.run()
    assert (tmp_path / "storyboard.takes" / "0020.yaml").is_file()


def test_takes_of_both_names_are_joined(tmp_path: Path) -> None:
    market = Market(tmp_path, '- {shot: "0010", action: A lamp burns.}')
    market.run()
    market.write('- {shot: "0011", action: A lamp burns low.}')
    market.run()
    assert {"0010": [1], "0011": [1]} == market.takes()

    done = api.rename(market.file, "0010", "0011")

    assert {"0011": [1, 2]} == market.takes()
    assert 1 == len(done.notes)
    assert "is take 2 now" in done.notes[0]


@pytest.mark.parametrize("done", ["storyboard", "journal", "notes", "takes written"])
def test_whatever_came_between_running_it_again_ends_it(done: str, tmp_path: Path) -> None:
    (tmp_path / "once").mkdir()
    market = Market(tmp_path / "once", CHAIN)
    market.run()
    shutil.copytree(market.folder, tmp_path / "halves")
    api.rename(market.file, "0010", "dawn")
    half = Market(tmp_path / "halves", CHAIN)
    order = ["storyboard", "journal", "notes", "takes written"]
    for step in order[: order.index(done) + 1]:
        if step == "storyboard":
            shutil.copy(market.file, half.file)
        elif step == "journal":
            with closing(sqlite3.connect(half.folder / ".matchcut" / JOURNAL)) as db, db:
                db.execute("UPDATE submits SET shot='dawn' WHERE shot='0010'")
        elif step == "notes":
            lanes = half.folder / ".matchcut" / "lanes" / "runware" / "storyboard"
            (lanes / "0010.json").rename(lanes / "dawn.json")
        else:
            name = "storyboard.takes/dawn.yaml"
            shutil.copy(market.folder / name, half.folder / name)

    api.rename(half.file, "0010", "dawn")

    assert market.file.read_bytes() == half.file.read_bytes()
    for folder in ("storyboard.takes", ".matchcut/lanes/runware/storyboard"):
        names = sorted(path.name for path in (market.folder / folder).iterdir())
        assert names == sorted(path.name for path in (half.folder / folder).iterdir())
        for name in names:
            assert (market.folder / folder / name).read_bytes() == (half.folder / folder / name).read_bytes()
    assert {"dawn", "0020", "0030"} == {s.shot for s in journal.read(half.folder / ".matchcut" / JOURNAL)[0]}


@pytest.mark.parametrize(
    ("old", "new", "fact"),
    [
        ("0010", "0020", 'there is a shot "0020" already'),
        ("0010", "0010", '"0010" is its name already'),
        ("0010", "a b", '"a b" cannot be the id of a shot'),
        ("0010", "cut", '"cut" cannot be the id of a shot'),
        ("0010", "NUL", '"NUL" is the name of a device on Windows'),
        ("0011", "0012", 'neither a shot "0011" nor "0012"'),
        ("0011", "0020", 'no shot "0011", and no takes of one are known'),
    ],
)
def test_what_cannot_be_renamed_is_told_and_nothing_is_written(
    old: str, new: str, fact: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    market = Market(tmp_path, CHAIN)
    market.run()
    before = market.file.read_bytes(), market.takes()

    assert 2 == start(["rename", old, new, str(market.file)])

    assert fact in capsys.readouterr().err
    assert before == (market.file.read_bytes(), market.takes())


def test_a_takes_file_that_cannot_be_read_stops_it_before_anything_is_written(tmp_path: Path) -> None:
    market = Market(tmp_path, CHAIN)
    market.run()
    (tmp_path / "storyboard.takes" / "0010.yaml").write_text("shot: '0010'\ntakes: 3\n", encoding="utf-8")
    before = market.file.read_bytes()

    with pytest.raises(StoryError, match="takes must be a list"):
        api.rename(market.file, "0010", "dawn")

    assert before == market.file.read_bytes()


def test_while_a_run_holds_the_project_nothing_is_renamed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    market = Market(tmp_path, CHAIN)
    market.run()
    with lock.held(tmp_path / ".matchcut", BORN):
        assert 7 == start(["rename", "0010", "dawn", str(market.file)])
        assert 7 == start(["takes", "rebuild", str(market.file)])
    assert "another run holds this project" in capsys.readouterr().err


def test_a_prompt_that_has_the_name_in_it_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    market = Market(
        tmp_path, '- {shot: "0010", action: "Shot {{ shot.id }}, a lamp."}\n- {shot: "0020", action: Rain.}'
    )
    market.run()

    assert 0 == start(["rename", "0010", "0011", str(market.file)])

    said = capsys.readouterr().out
    assert "0010 is 0011 now (1 take, 1 purchase in the journal went along)\n" in said
    assert "the name stands in the prompt of 0011" in said
    assert {"0011": "stale", "0020": "stale"} == states(market)


def test_a_byte_order_mark_line_ends_rights_and_a_link_survive(tmp_path: Path) -> None:
    market = Market(tmp_path, CHAIN)
    text = market.file.read_text(encoding="utf-8").replace("\n", "\r\n")
    real = tmp_path / "real.yaml"
    real.write_bytes(b"\xef\xbb\xbf" + text.encode())
    real.chmod(0o600)
    market.file.unlink()
    market.file.symlink_to(real)

    api.rename(market.file, "0010", "dawn")

    assert market.file.is_symlink()
    assert b"\xef\xbb\xbf" + text.replace('"0010"', '"dawn"').encode() == real.read_bytes()
    assert 0o600 == real.stat().st_mode & 0o777


def test_a_rename_in_case_alone_moves_the_file(tmp_path: Path) -> None:
    market = Market(tmp_path, "- {shot: Dawn, action: A lamp burns.}")
    market.run()

    api.rename(market.file, "Dawn", "dawn")

    assert {"dawn": [1]} == market.takes()
    assert {"dawn": "current"} == states(market)


def test_notes_of_retakes_go_along(tmp_path: Path) -> None:
    market = Market(tmp_path, CHAIN)
    market.run()
    api.retake(market.file, "0020", 2)

    api.rename(market.file, "0020", "rain")

    assert 3 == load(market.file).plan.decisions["rain"].want
    lanes = tmp_path / ".matchcut" / "lanes" / "runware" / "storyboard"
    assert ["0010.json", "0030.json", "rain.json"] == sorted(path.name for path in lanes.iterdir())
    assert {"matchcut", "keys", "wanted"} == json.loads((lanes / "rain.json").read_text(encoding="utf-8")).keys()


def test_only_takes_of_the_storyboard_s_own_stem_count(tmp_path: Path) -> None:
    market = Market(tmp_path, CHAIN)
    market.run()
    shutil.copytree(tmp_path / "storyboard.takes", tmp_path / "other.takes")
    (tmp_path / "other.takes" / "0010.yaml").rename(tmp_path / "other.takes" / "9999.yaml")

    assert () == load(market.file).plan.warnings
    assert "9999" not in takes.path(market.file, "0010").name
