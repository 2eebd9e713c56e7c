"""A fresh clone: the same manifest and film, byte for byte, with no submit; and what a store may forget."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runner.cli.app import start
from runner.media import picture
from runner.schema import check
from runner.store import LocalStore

from . import buckets
from .market import Crash, Market
from .shop import COMMAND, FAST, ROOT, Project, Service, service
from .stage import Stage


@pytest.fixture(scope="module")
def shop() -> Iterator[Service]:
    with service(*FAST) as running:
        yield running


@pytest.fixture(scope="module")
def s3() -> Iterator[dict[str, str]]:
    with buckets.server() as environ:
        yield environ


def project(folder: Path, shop: Service, store: str | None, shots: int = 4) -> Project:
    made = Project(folder, shop, shots=shots)
    if store is not None:
        lines(made.folder, f"store: {store}")
    return made


def lines(folder: Path, more: str) -> None:
    file = folder / "storyboard.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("scenes:", f"{more}\nscenes:"), encoding="utf-8")


def command(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """The command in a folder, without the key and the services of whoever tests."""
    mine = {n: v for n, v in os.environ.items() if not n.startswith(("MATCHCUT_", "RUNWARE_", "AWS_"))}
    return subprocess.run(
        [*COMMAND, *words], cwd=folder, env=mine | {"PYTHONPATH": str(ROOT)} | environ, capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip


def buying(shop: Service) -> dict[str, str]:
    return {"MATCHCUT_RUNWARE_URL": f"{shop.url}/v1", "RUNWARE_API_KEY": "secret-key"}


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=anna", "-c", "user.email=anna@example.com", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *who, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def committed(folder: Path) -> None:
    (folder / ".gitignore").write_text("out/\n", encoding="utf-8")
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "a film")


def made(folder: Path) -> dict[str, str]:
    """Every file of the output folder, by digest."""
    out = folder / "out"
    return {
        str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*")) if path.is_file()
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["file", "s3"])
def test_a_fresh_clone_gives_the_same_bytes_with_no_submit(
    kind: str, tmp_path: Path, shop: Service, s3: dict[str, str]
) -> None:
    url = (
        buckets.make(s3, f"films-{tmp_path.name.replace('_', '-')}"[:60].strip("-").lower())
        if kind == "s3"
        else "file://../shared"
    )
    environ = s3 if kind == "s3" else {}
    anna = project(tmp_path / "anna", shop, f"{url}/lanterns", shots=3)
    done = command(anna.folder, "run", **buying(shop), **environ)
    assert 0 == done.returncode, done.stderr
    committed(anna.folder)
    tracked = git(anna.folder, "ls-files").split()
    assert "storyboard.takes/0000.yaml" in tracked
    assert [] == [name for name in tracked if name.endswith((".mp4", ".png"))]
    ledger = shop.ledger()

    git(tmp_path, "clone", "-q", str(anna.folder), str(tmp_path / "clone"))
    clone = tmp_path / "clone"
    # Neither a key nor a service: nothing is asked of it.
    done = command(clone, "run", "--no-spend", MATCHCUT_RUNWARE_URL="http://127.0.0.1:9/v1", **environ)
    assert 0 == done.returncode, done.stderr
    assert re.search(r"pulled [0-9]+ files, [0-9.]+ kB, from", done.stderr)
    assert made(anna.folder) == made(clone)
    assert {"manifest.json", "film.mp4"} <= set(made(clone))
    assert "" == git(clone, "status", "--porcelain")
    assert ledger == shop.ledger()

    shutil.rmtree(clone / "out")
    shutil.rmtree(clone / ".matchcut")
    pulled = json.loads(command(clone, "store", "pull", "--json", **environ).stdout)
    assert [] == pulled["problems"] + pulled["absent"]
    files = pulled["files"] + pulled["there"]  # two shots may have the very same clip
    told = command(clone, "store", "pull", **environ)
    assert told.stdout.startswith(f"pulled 0 files, 0 bytes; {files} there already")
    whole = command(clone, "store", "verify", "--shared", **environ)
    assert (0, "") == (whole.returncode, whole.stderr)
    assert "all whole" in whole.stdout


def test_what_was_bought_before_there_was_a_store_is_pushed_and_then_pulled(tmp_path: Path, shop: Service) -> None:
    anna = project(tmp_path / "anna", shop, None, shots=2)
    assert 0 == command(anna.folder, "run", **buying(shop)).returncode
    none = command(anna.folder, "store", "push")
    assert 2 == none.returncode
    assert "no shared store is named" in none.stderr
    (anna.folder / "matchcut.toml").write_text('store = "file://../shared"\n', encoding="utf-8")
    pushed = command(anna.folder, "store", "push")
    assert 0 == pushed.returncode, pushed.stderr
    assert "0 there already" in pushed.stdout
    assert "pushed 0 files, 0 bytes; " in command(anna.folder, "store", "push").stdout
    committed(anna.folder)
    git(tmp_path, "clone", "-q", str(anna.folder), "clone")
    assert 0 == command(tmp_path / "clone", "run", "--no-spend").returncode
    assert made(anna.folder) == made(tmp_path / "clone")


def test_a_clone_without_the_store_lists_what_is_missing_and_buys_it_again_only_if_told(
    tmp_path: Path, shop: Service
) -> None:
    anna = project(tmp_path / "anna", shop, None, shots=2)
    assert 0 == command(anna.folder, "run", **buying(shop)).returncode
    committed(anna.folder)
    git(tmp_path, "clone", "-q", str(anna.folder), "clone")
    clone, before = tmp_path / "clone", len(shop.ledger()["tasks"])
    for words in (("run", "--yes", "--budget", "20"), ("run", "--no-spend", "--buy-again")):
        done = command(clone, *words, **buying(shop))
        assert 4 == done.returncode
        assert 'storyboard.yaml:9:16: shot "0000": the clip of take 1 (' in done.stderr
        assert (
            "was bought, and is not on this machine; buying it again would cost $0.10; 0001 may follow" in done.stderr
        )
        assert "the clips of 2 shots are missing; nothing was done" in done.stderr
        assert "run --buy-again, which buys them again for $0.20" in done.stderr
        assert not (clone / "out").exists()
    assert before == len(shop.ledger()["tasks"])
    assert "\n  or run --buy-again" in done.stderr
    assert done.stderr.endswith("2 problems\n"), "the line that sums up is none"
    for word in ("plan", "status"):
        told = command(clone, word).stdout
        assert "not here: the clips of 0000, 0001; a run stops at that, and buys nothing" in told
        assert "run --buy-again, which buys them again for $0.20" in told
        assert "Nothing can be made: clips are missing." in told
        assert "pull" not in told
    assert 3 == command(clone, "plan", "--check").returncode
    plan = json.loads(command(clone, "plan", "--json").stdout)
    assert [] == check(plan, "plan.schema.json")
    lacks = plan["not_here"]
    assert (None, True, [1, 1], [0.1, 0.1]) == (
        lacks["store"], lacks["stops"], [one["buy"] for one in lacks["shots"]], [one["usd"] for one in lacks["shots"]]
    )  # fmt: skip
    assert lacks == json.loads(command(clone, "status", "--json").stdout)["not_here"]
    shared = clone.parent / "shared"
    (clone / "matchcut.toml").write_text(f'store = "file://{shared}"\n', encoding="utf-8")
    assert f"the shared store file://{shared} is not there: no such folder" in command(clone, "plan").stdout
    assert 3 == command(clone, "plan", "--check").returncode
    gone = command(clone, "store", "pull")
    assert (1, 1) == (gone.returncode, gone.stderr.count("is not there: no such folder"))
    shared.mkdir()
    assert f"not here: the clips of 0000, 0001; a run pulls what file://{shared} has" in command(clone, "plan").stdout
    assert 0 == command(clone, "plan", "--check").returncode
    (clone / "matchcut.toml").unlink()

    done = command(clone, "run", "--buy-again", **buying(shop))
    assert 0 == done.returncode, done.stderr
    assert before + 2 == len(shop.ledger()["tasks"])
    text = (clone / "storyboard.takes" / "0000.yaml").read_text(encoding="utf-8")
    assert ["take: 1", "take: 2"] == [line.strip(" -") for line in text.splitlines() if "- take:" in line]
    assert 1 == text.count("lost: true")
    assert "nothing to do" in command(clone, "run", **buying(shop)).stdout


def test_two_clones_that_buy_at_once_pay_once(tmp_path: Path, shop: Service) -> None:
    before = len(shop.ledger()["tasks"])
    pair = [project(tmp_path / name, shop, f"file://{tmp_path}/shared", shots=4) for name in ("anna", "ben")]
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda one: command(one.folder, "run", **buying(shop)), pair))
    assert [0, 0] == [one.returncode for one in done], [one.stderr for one in done]
    assert before + 4 == len(shop.ledger()["tasks"])
    assert made(pair[0].folder) == made(pair[1].folder)


def test_a_damaged_clip_is_set_aside_and_told_and_pulled_anew(tmp_path: Path, shop: Service) -> None:
    anna = project(tmp_path / "anna", shop, "file://../shared", shots=1)
    assert 0 == command(anna.folder, "run", **buying(shop)).returncode
    (victim,) = LocalStore(anna.folder / ".matchcut").objects.glob("*/*")
    whole = victim.read_bytes()
    victim.chmod(0o644)
    victim.write_bytes(whole[:-1])
    shutil.rmtree(anna.folder / "out")
    told = command(anna.folder, "store", "verify")
    assert 1 == told.returncode
    assert (
        f"does not have the bytes its name says; it was set aside as .matchcut/store/damaged/{victim.name}"
        in told.stderr
    )
    assert 0 == command(anna.folder, "run", "--no-spend").returncode
    assert whole == victim.read_bytes()


# What may go


def gc(capsys: pytest.CaptureFixture[str], folder: Path, *words: str) -> dict[str, Any]:
    capsys.readouterr()
    assert 0 == start(["store", "gc", "--json", *words, str(folder)])
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def test_gc_keeps_what_any_branch_or_tag_names_and_what_was_paid_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    market = Market(tmp_path, "[]")
    clips = {}
    for name in ("first", "branch", "tag", "stash", "nowhere", "staged", "last"):
        market.write(f'- {{shot: "0010", action: Words for {name}.}}')
        shutil.rmtree(tmp_path / "storyboard.takes", ignore_errors=True)
        assert 0 == market.run().exit_code
        record = tmp_path / "storyboard.takes" / "0010.yaml"
        (clips[name],) = re.findall("clip: ([0-9a-f]{64})", record.read_text(encoding="utf-8"))
        if name == "first":
            committed(tmp_path)
        elif name == "branch":
            git(tmp_path, "checkout", "-qb", "other")
            git(tmp_path, "commit", "-qam", "other words")
            git(tmp_path, "checkout", "-q", "main")
        elif name == "tag":
            git(tmp_path, "commit", "-qam", "words for the tag")
            git(tmp_path, "tag", "-am", "a tag", "v1")
            git(tmp_path, "reset", "-q", "--hard", "HEAD~1")
        elif name == "stash":
            git(tmp_path, "stash", "-q")
        elif name == "staged":
            git(tmp_path, "add", "-A")
    assert 7 == len(set(clips.values()))
    store = LocalStore(tmp_path / ".matchcut")

    shown = gc(capsys, tmp_path)
    assert [] == [item for item in shown["items"] if item["paid"]]
    assert {clips["nowhere"]} == {name for name in shown["paid_kept"] if len(name) == 64}
    gc(capsys, tmp_path, "--delete")
    assert all(store.has(clip) for clip in clips.values()), "what was paid for stays"
    gone = gc(capsys, tmp_path, "--delete", "--paid")
    assert {clips["nowhere"]} == {item["name"] for item in gone["items"] if item["kind"] == "clip"}
    assert {"nowhere"} == {name for name, clip in clips.items() if not store.has(clip)}
    assert [] == gc(capsys, tmp_path, "--paid")["items"]


def test_gc_keeps_what_is_in_flight(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    market = Market(tmp_path, '- {shot: "0010", action: A lamp burns.}')
    with pytest.raises(Crash):
        market.run(trip=5)  # its clip is in the store, and not in the takes file yet
    store = LocalStore(tmp_path / ".matchcut")
    (clip,) = store.objects.glob("*/*")
    gc(capsys, tmp_path, "--delete", "--paid")
    assert clip.is_file()
    assert 0 == market.run().exit_code
    assert 1 == len(market.shop.heard)


def test_gc_without_git_says_so_and_removes_drawings_that_were_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = Stage(tmp_path, '- {shot: "0010", action: A lamp.}')
    stage.run()
    stage.change("A lamp.", "A candle.")
    stage.run()
    film = stage.digests()["film.mp4"]
    assert 0 == start(["store", "gc", str(tmp_path)])
    told = capsys.readouterr().out
    assert "no git: only the takes files in the folder count" in told
    assert "--delete removes them" in told
    before = gc(capsys, tmp_path)
    assert {"clip": 1, "record": 1, "picture": 2, "strip": 1} == {
        kind: sum(item["kind"] == kind for item in before["items"]) for kind in ("clip", "record", "picture", "strip")
    }
    assert before["bytes"] == gc(capsys, tmp_path, "--delete")["bytes"] > 0
    assert [] == gc(capsys, tmp_path)["items"]
    assert 0 == stage.run().made
    assert film == stage.digests()["film.mp4"]


def test_gc_keeps_the_present_drawings_of_every_variant(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film = tmp_path / "film"
    shutil.copytree(ROOT / "examples" / "two-languages", film, ignore=shutil.ignore_patterns("out", ".matchcut"))
    run = ["run", str(film / "storyboard.yaml")]
    assert 0 == start(run)
    assert [] == gc(capsys, film, "--delete", "--paid")["items"]
    capsys.readouterr()
    assert 0 == start(run)
    told = capsys.readouterr().out
    assert 2 == told.count("nothing to do"), told


def test_gc_keeps_what_the_output_folder_shows_though_no_shot_is_noted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = Stage(tmp_path, '- {shot: "0010", action: A lamp.}')
    stage.run()
    shutil.rmtree(tmp_path / ".matchcut" / "lanes")
    gone = gc(capsys, tmp_path, "--delete")["items"]
    assert [] == [item for item in gone if item["kind"] in ("clip", "record")]


def test_gc_keeps_the_pictures_that_present_takes_begin_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stage = Stage(tmp_path, '- {shot: "0010", from: still.png, action: A lamp.}')
    (tmp_path / "still.png").write_bytes(picture.png(np.full((360, 640, 3), 90, np.uint8)))
    stage.run()
    assert [] == gc(capsys, tmp_path)["items"]


def test_gc_removes_nothing_where_git_does_not_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "storyboard.takes").mkdir()
    git(tmp_path, "init", "-q")
    (tmp_path / ".git" / "config").write_text("[core\n", encoding="utf-8")
    assert 1 == start(["store", "gc", "--delete", str(tmp_path)])
    told = capsys.readouterr().err
    assert "git does not say which takes files there are" in told
    assert "without it nothing is removed" in told


# The address


@pytest.mark.parametrize(
    ("store", "told"),
    [
        ("anna:secret@host/x", 'store is "anna:secret@host/x", but it must be an address'),
        ("sftp://anna:secret@host/x", "the address of the shared store holds a secret, or what may be one"),
        ("s3://bucket/x?key=secret", "the address of the shared store holds a secret, or what may be one"),
    ],
)
def test_an_address_that_is_none_or_holds_a_secret_is_refused_with_its_place(
    store: str, told: str, tmp_path: Path
) -> None:
    anna = project(tmp_path / "anna", Service("http://127.0.0.1:9"), f'"{store}"', shots=1)
    done = command(anna.folder, "check")
    assert 2 == done.returncode
    assert f"storyboard.yaml:6:8: {told}" in done.stderr
    (anna.folder / "matchcut.toml").write_text(f'jobs = 1\nstore = "{store}"\n', encoding="utf-8")
    lines(anna.folder, "")
    text = (anna.folder / "storyboard.yaml").read_text(encoding="utf-8")
    (anna.folder / "storyboard.yaml").write_text(text.replace(f'store: "{store}"\n', ""), encoding="utf-8")
    done = command(anna.folder, "store", "pull")
    assert 2 == done.returncode
    assert f"matchcut.toml:2:1: {told}" in done.stderr
