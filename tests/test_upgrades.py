"""Upgrades: what an older version wrote is read, what a newer one wrote is not misread, and no paid take grows stale."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from runner import api, document, gather, journal, takes
from runner.errors import StoryError
from runner.facts import Done
from runner.load import load
from runner.outputs import Outputs
from runner.providers.runware.memory import Memory
from runner.schema import check
from runner.server.ledger import Ledger
from runner.store import LocalStore
from runner.trust import Trust

from .market import Market
from .stage import PIPELINE, Stage

HERE = Path(__file__).parent / "upgrades"
VERSIONS = sorted(path.name for path in HERE.iterdir() if (path / "keys.json").is_file())
BOARDS = [
    (version, path.name.removesuffix(".takes"))
    for version in VERSIONS
    for path in sorted((HERE / version).glob("*.takes"))
]


def project(folder: Path, version: str, *, clone: bool = False) -> Path:
    """What a version wrote, as a project; ``clone``: only what git has."""
    there = folder / "project"
    shutil.copytree(HERE / version, there)
    (there / "matchcut").rename(there / ".matchcut")
    if clone:
        shutil.rmtree(there / ".matchcut")
    return there


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_both_model_cards_have_a_takes_file_of_each_version() -> None:
    assert VERSIONS
    for version in VERSIONS:
        told = [document.read(path).data for path in (HERE / version).glob("*.takes/*.yaml")]
        assert {"klingai:5@3", "klingai:4@3"} == {take["model"] for data in told for take in data["takes"]}


@pytest.mark.parametrize("clone", [False, True], ids=["here", "clone"])
@pytest.mark.parametrize(("version", "stem"), BOARDS)
def test_what_was_paid_for_with_an_older_version_is_still_current(
    version: str, stem: str, clone: bool, tmp_path: Path
) -> None:
    folder = project(tmp_path, version, clone=clone)
    keys = json.loads((folder / "keys.json").read_text(encoding="utf-8"))[f"{stem}.manifest"]

    plan = load(folder / f"{stem}.yaml", environ={}).plan

    assert dict.fromkeys(keys, "current") == {name: decision.state for name, decision in plan.decisions.items()}
    assert keys == {name: decision.key.digest for name, decision in plan.decisions.items() if decision.key}
    assert not plan.work
    recorded = (take for path in (folder / f"{stem}.takes").iterdir() for take in takes.read(path, path.name).takes)
    assert sum(Decimal(take.usd or "0") for take in recorded) == plan.facts.spent > 0


@pytest.mark.parametrize(("version", "stem"), BOARDS)
def test_other_words_do_make_them_stale(version: str, stem: str, tmp_path: Path) -> None:
    file = project(tmp_path, version) / f"{stem}.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(re.sub(r"action: (\"?)A", r"action: \1The", text, count=1), encoding="utf-8")

    first, *_ = load(file, environ={}).plan.decisions.values()

    assert "stale" == first.state


@pytest.mark.parametrize(("version", "stem"), BOARDS)
def test_takes_files_of_an_older_version_come_back_from_journal_and_store(
    version: str, stem: str, tmp_path: Path
) -> None:
    folder = project(tmp_path, version) / f"{stem}.takes"
    before = {path.stem: takes.read(path, path.name) for path in folder.iterdir()}
    shutil.rmtree(folder)

    done = api.rebuild(folder.with_name(f"{stem}.yaml"))

    assert before == done.records
    assert 0 == done.ownerless


def test_a_rewrite_of_what_an_older_version_wrote_changes_the_first_line_and_the_last_alone() -> None:
    for path in sorted((HERE / VERSIONS[-1]).glob("*.takes/*.yaml")):
        _, *before = path.read_text(encoding="utf-8").splitlines()
        _, *after = takes.text(takes.read(path, path.name)).splitlines()
        assert [*before, takes.END] == after


@pytest.mark.parametrize("version", VERSIONS)
def test_manifests_of_an_older_version_fit_the_schema(version: str) -> None:
    for path in (HERE / version).glob("*.manifest.json"):
        assert [] == check(json.loads(path.read_text(encoding="utf-8")), "manifest.schema.json")


# What carries its format, and what a newer one comes to


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which everything was written: a drawn film, and a bought one."""
    folder = tmp_path_factory.mktemp("written")
    for name in ("drawn", "bought"):
        (folder / name).mkdir()
    Stage(folder / "drawn", '- {shot: "0010", action: A lamp.}').run()
    market = Market(folder / "bought", '- {shot: "0010", action: A lamp., takes: 2}')
    market.run()
    api.circle(market.file, "0010", "2")
    return folder


def test_every_file_that_is_written_says_its_format(written: Path) -> None:
    bare = {".mp4", ".png", ".jpg", ".html", ".gitignore"}
    seen: set[str] = set()
    for path in sorted(path for path in written.rglob("*") if path.is_file()):
        name = str(path.relative_to(written))
        if "storyboard.takes" in name:
            assert 1 == document.read(path).data["matchcut"], name
        elif path.name == "journal.sqlite":
            with closing(sqlite3.connect(path)) as file:
                assert (1,) == file.execute("PRAGMA user_version").fetchone()
        elif path.name.startswith("journal.sqlite-"):
            continue
        elif path.suffix == ".json" and path.name != "tiny.json":
            told = json.loads(path.read_text(encoding="utf-8"))
            assert 1 == told.get("matchcut", told.get("manifest")), name
        else:
            known = path.suffix in bare or path.name in bare | {"lock", "tiny.json"} or "/objects/" in name
            assert known or name.count("/") == 1, f"{name} says no format"
            continue
        seen.add(path.parent.name if path.suffix == ".yaml" else path.name)
    assert {"storyboard.takes", "journal.sqlite", "manifest.json", "0010.json"} <= seen


def raised(path: Path) -> None:
    """Let a file say that a newer version wrote it."""
    if path.suffix == ".sqlite":
        with closing(sqlite3.connect(path)) as file:
            file.execute("PRAGMA user_version=99")
        return
    text = path.read_text(encoding="utf-8")
    newer = re.sub(r'^( ?"?matchcut"?): 1', r"\1: 99", text, count=1, flags=re.MULTILINE)
    assert text != newer
    path.write_text(newer, encoding="utf-8")


@pytest.mark.parametrize(
    "name",
    [
        "storyboard.takes/0010.yaml",
        ".matchcut/journal.sqlite",
        ".matchcut/lanes/runware/storyboard/0010.json",
        ".matchcut/store/takes/*/*/1.json",
    ],
)
@pytest.mark.parametrize(
    "act",
    [
        lambda market: load(market.file),
        lambda market: api.circle(market.file, "0010", "1"),
        lambda market: market.run(),
        lambda market: api.rebuild(market.file, force=True),
        lambda market: api.rename(market.file, "0010", "0011"),
    ],
    ids=["plan", "circle", "run", "rebuild", "rename"],
)
def test_what_a_newer_version_wrote_of_takes_and_money_is_refused_and_left_alone(
    name: str, act: Callable[[Market], object], written: Path, tmp_path: Path
) -> None:
    shutil.copytree(written / "bought", tmp_path / "project")
    market = Market(tmp_path / "project", '- {shot: "0010", action: A lamp., takes: 2}')
    (path,) = market.folder.glob(name)
    raised(path)
    before = path.read_bytes(), market.file.read_bytes(), contents(market.folder / "storyboard.takes")

    with pytest.raises(StoryError, match="has format 99; this matchcut reads up to 1\n  try: a newer matchcut"):
        act(market)

    assert before == (path.read_bytes(), market.file.read_bytes(), contents(market.folder / "storyboard.takes"))
    assert not market.shop.heard


@pytest.mark.parametrize("name", [".matchcut/lanes/runware/storyboard/0010.json", ".matchcut/store/takes/*/*/1.json"])
def test_a_record_that_says_no_format_is_of_the_first(name: str, written: Path, tmp_path: Path) -> None:
    shutil.copytree(written / "bought", tmp_path / "project")
    (path,) = (tmp_path / "project").glob(name)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(' "matchcut": 1,\n', ""), encoding="utf-8")
    assert text != path.read_text(encoding="utf-8")
    shutil.rmtree(tmp_path / "project" / "storyboard.takes")

    api.rebuild(tmp_path / "project" / "storyboard.yaml")

    assert contents(written / "bought" / "storyboard.takes") == contents(tmp_path / "project" / "storyboard.takes")


def test_a_result_of_a_newer_version_is_not_believed(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / ".matchcut")
    store.make()
    store.finish(Done("k", {}))
    assert Done("k", {}) == store.done("k")

    raised(store.results / "k.json")

    assert store.done("k") is None


def test_what_is_remembered_of_the_output_folder_is_a_cache(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / ".matchcut")
    store.make()
    outputs = Outputs(tmp_path / "out", store, "x")
    outputs.write("a.txt", b"words")
    outputs.close()
    files = Outputs(tmp_path / "out", store, "x").known
    assert ["a.txt"] == list(files)

    outputs.memory.write_text(json.dumps(files), encoding="utf-8")
    assert files == Outputs(tmp_path / "out", store, "x").known, "the first version said no format"
    outputs.memory.write_text(json.dumps({"matchcut": 99, "files": {"a.txt": 3}}), encoding="utf-8")
    assert {} == Outputs(tmp_path / "out", store, "x").known
    outputs.memory.write_text("[]", encoding="utf-8")
    assert {} == Outputs(tmp_path / "out", store, "x").known


def test_what_the_client_learned_is_a_cache(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "durations.json")
    memory.save({"host": [1, 2]})
    assert {"host": [1, 2]} == memory.load()

    (tmp_path / "durations.json").write_text('{"host": [1]}', encoding="utf-8")
    assert {"host": [1]} == memory.load()
    (tmp_path / "durations.json").write_text('{"host": [1], "matchcut": 99}', encoding="utf-8")
    assert {} == memory.load()


def test_trust_that_a_newer_version_wrote_is_neither_believed_nor_written_over(tmp_path: Path) -> None:
    file = tmp_path / "trusted"
    file.write_text("abc\ndef\n", encoding="utf-8")
    assert Trust(tmp_path).has("abc"), "the first version said no format"
    file.write_text("matchcut-trust 1\nabc\n", encoding="utf-8")
    assert Trust(tmp_path).has("abc")
    assert not Trust(tmp_path).has("matchcut-trust 1")

    file.write_text("matchcut-trust 2\nabc\n", encoding="utf-8")

    assert not Trust(tmp_path).has("abc")
    (tmp_path / "board").mkdir()
    stage = Stage(tmp_path / "board", pipeline=f"{PIPELINE}\nurl: https://elsewhere.example/v1\n")
    with pytest.raises(StoryError, match="was written by a newer matchcut"):
        Trust(tmp_path).add(load(stage.file).pipeline, {})
    assert "matchcut-trust 2\nabc\n" == file.read_text(encoding="utf-8")


def test_a_ledger_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    Ledger(tmp_path / "l.sqlite").close()
    with closing(sqlite3.connect(tmp_path / "l.sqlite")) as file:
        file.execute("PRAGMA user_version=99")

    with pytest.raises(StoryError, match="this ledger has format 99"):
        Ledger(tmp_path / "l.sqlite")


def test_the_journal_of_an_older_version_tells_what_was_spent(tmp_path: Path) -> None:
    for version in VERSIONS:
        folder = project(tmp_path / version, version)
        for path in folder.glob("*.takes"):
            shutil.rmtree(path)
        told = [gather.charges(path, LocalStore(folder / ".matchcut")) for path in sorted(folder.glob("*.yaml"))]
        assert [True, True] == [bool(charges) for charges in told]
        assert {"runware"} == {submit.lane for submit in journal.read(folder / ".matchcut" / "journal.sqlite")[0]}
