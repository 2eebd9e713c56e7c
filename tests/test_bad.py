"""Bad storyboards, each with the exact words beside it that `matchcut check` has for it.

To add one: write ``storyboards/bad/NAME.yaml``, look at what ``matchcut check NAME.yaml`` says in that folder, mend the
program until it is what you would want to read, and keep it as ``NAME.txt``.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.cli.app import start

HERE = Path(__file__).parent / "storyboards"
BAD = sorted(path.stem for path in (HERE / "bad").glob("*.yaml"))
GOOD = sorted(path.stem for path in (HERE / "good").glob("*.yaml"))


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the folder, as the current one."""
    folder = tmp_path_factory.mktemp("corpus") / "bad"
    shutil.copytree(HERE / "bad", folder)
    with chdir(folder):
        yield folder


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("corpus") / "good"
    shutil.copytree(HERE / "good", folder)
    with chdir(folder):
        yield folder


@pytest.mark.parametrize("name", BAD)
def test_a_bad_storyboard_is_told_with_exactly_these_words(
    name: str, bad: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = (bad / f"{name}.txt").read_text(encoding="utf-8")
    errors = [line for line in expected.splitlines() if re.match(r"\S+:\d+:\d+: (?!warning)", line)]

    code = start(["check", f"{name}.yaml"])

    assert expected == capsys.readouterr().err
    assert (2 if errors else 0) == code


@pytest.mark.parametrize("name", BAD)
def test_problems_come_in_file_order_and_each_once(name: str) -> None:
    told = (HERE / "bad" / f"{name}.txt").read_text(encoding="utf-8")
    places = [(m[1], int(m[2]), int(m[3])) for m in re.finditer(r"^(\S+?):(\d+):(\d+): ", told, re.MULTILINE)]

    assert sorted(places) == places
    assert places
    messages = re.findall(r"^\S.*", told, re.MULTILINE)
    assert len(set(messages)) == len(messages)


def test_every_message_belongs_to_a_storyboard() -> None:
    assert BAD == sorted(path.stem for path in (HERE / "bad").glob("*.txt"))
    assert len(BAD) >= 50


@pytest.mark.parametrize("name", GOOD)
def test_a_tricky_but_right_storyboard_has_no_problem(
    name: str, good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == start(["check", f"{name}.yaml"])
    assert "" == capsys.readouterr().err


def test_checking_writes_nothing(bad: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(path.relative_to(bad) for path in bad.rglob("*"))
    for name in BAD[::7]:
        start(["check", f"{name}.yaml"])

    assert before == sorted(path.relative_to(bad) for path in bad.rglob("*"))


SOURCES = [(HERE / "bad" / f"{name}.yaml").read_bytes() for name in BAD if "bomb" not in name]
PIPELINES = [path.read_bytes() for path in sorted(HERE.glob("*/pipelines/*.yaml"))]
PIECES = [
    *(" |\n|- |: |{{ | }}|{% |\"|'|>|&a |*a|<<: *a|#|\t|[|]|{|}|!!str |---\n|0010|null|.nan|yes|@|@2s|~".split("|")),
    *("shot: |from: |with: |shots:\n|0010@first|{{ shot.action }}|1e400|\ufeff|\0||".split("|")),
]
EDITS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 12), st.sampled_from(PIECES)), max_size=3)


@settings(max_examples=150, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(SOURCES), EDITS)
def test_a_storyboard_with_anything_put_in_is_checked_without_a_traceback(
    bad: Path, raw: bytes, edits: list[tuple[float, int, str]]
) -> None:
    (bad / "edited.yml").write_bytes(edited(raw, edits))

    assert start(["check", "edited.yml"]) in {0, 2}


@settings(max_examples=80, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(PIPELINES), EDITS)
def test_a_pipeline_with_anything_put_in_is_checked_without_a_traceback(
    bad: Path, raw: bytes, edits: list[tuple[float, int, str]]
) -> None:
    text = (HERE / "bad" / "pipeline-none.yaml").read_text(encoding="utf-8")
    (bad / "edited.yml").write_text(text.replace("none.yaml", "edited.yml"), encoding="utf-8")
    (bad / "pipelines" / "edited.yml").write_bytes(edited(raw, edits))

    assert start(["check", "edited.yml"]) in {0, 2}


def edited(raw: bytes, edits: list[tuple[float, int, str]]) -> bytes:
    """Some bytes with pieces put in the place of others: where (as a share), how many go, what comes."""
    for where, gone, put in edits:
        at = int(where * len(raw))
        raw = raw[:at] + put.encode() + raw[at + gone :]
    return raw
