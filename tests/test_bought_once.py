"""The ledger never lies: real processes, killed at any moment, against the stand-in over real HTTP.

The quick form runs in the suite. MATCHCUT_KILLS says how many random kills there are in all, MATCHCUT_COMMITS how many
commits a process is killed at on either side.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
from pathlib import Path

import httpx
import pytest

from .shop import COMMAND, FAST, Project, service

KILLS = int(os.environ.get("MATCHCUT_KILLS", "20"))
COMMITS = int(os.environ.get("MATCHCUT_COMMITS", "6"))
TROUBLES = "429,500,503,drop-before,drop-after,timeout-after,duplicate,empty,error-in-data,unknown-status,not-ready,truncated-file"


def test_a_run_over_real_http_buys_every_take_once_and_a_second_run_nothing(tmp_path: Path) -> None:
    with service("--making", "1", "--speed", "5") as shop:
        project = Project(tmp_path / "project", shop)
        done = project.run()
        assert done.returncode == 0, done.stderr
        assert "this run $" in done.stderr, "what it will cost is said before the first cent"
        project.check()
        before = shop.ledger()
        told = subprocess.run(
            [*COMMAND, "costs", "--json"], cwd=project.folder, env=project.environ, capture_output=True, text=True
        )
        assert before["total"] == pytest.approx(json.loads(told.stdout)["usd"])
        again = project.run()
        assert again.returncode == 0
        assert again.stdout.startswith("nothing to do")
        assert shop.ledger() == before
        for path in project.folder.rglob("*"):
            if path.is_file():
                assert b"secret-key" not in path.read_bytes(), path


def test_processes_killed_at_random_moments_buy_every_take_once(tmp_path: Path) -> None:
    dice = random.Random(11)
    kills = 0
    world = 0
    while kills < KILLS:
        world += 1
        words = (*FAST, "--trouble", "0.1", "--trouble-kinds", TROUBLES, "--seed", str(world))
        with service(*words) as shop:
            project = Project(tmp_path / str(world), shop)
            for _ in range(min(10, KILLS - kills)):
                with project.killed() as process:
                    try:
                        process.wait(dice.uniform(0.4, 1.1))
                        break
                    except subprocess.TimeoutExpired:
                        process.send_signal(signal.SIGKILL)
                        kills += 1
            project.ends()
            project.check()


@pytest.mark.parametrize("side", [1, -1], ids=["before", "after"])
def test_processes_killed_at_a_commit_buy_every_take_once(tmp_path: Path, side: int) -> None:
    with service(*FAST) as shop:
        for at in range(1, COMMITS + 1):
            project = Project(tmp_path / str(at), shop, shots=3)
            httpx.post(f"{shop.url}/reset")
            with project.killed(side * at) as process:
                process.communicate(timeout=120)
            project.ends()
            project.check()
            if process.returncode != -signal.SIGKILL:
                assert at > 10, "it came to its end, beyond the last commit"
                break


def test_a_second_run_is_refused_and_takes_over_when_the_holder_is_killed(tmp_path: Path) -> None:
    with service("--making", "1", "--registering", "0.1") as shop:
        project = Project(tmp_path / "project", shop, shots=4, making=1)
        with project.begin() as holder:
            while not shop.ledger()["tasks"]:
                assert holder.poll() is None
            refused = project.run()
            assert refused.returncode == 7
            assert f"process {holder.pid} on " in refused.stderr
            holder.send_signal(signal.SIGKILL)
        project.ends()
        project.check()


def test_a_paid_run_without_a_terminal_needs_yes_or_a_budget(tmp_path: Path) -> None:
    with service("--making", "1", "--speed", "10") as shop:
        project = Project(tmp_path / "project", shop, shots=1)
        board = project.folder / "storyboard.yaml"
        board.write_text(board.read_text(encoding="utf-8").replace("budget: 50\n", ""), encoding="utf-8")
        done = project.run()
        assert done.returncode == 4
        assert "try: --yes, --budget 12.00, or budget: in the storyboard" in done.stderr
        assert shop.ledger()["tasks"] == []


def test_a_wrong_key_and_no_money_stop_everything_and_lose_nothing(tmp_path: Path) -> None:
    with service("--making", "1", "--speed", "10", "--balance", "0.15") as shop:
        project = Project(tmp_path / "project", shop, shots=4)
        done = project.run()
        assert done.returncode == 4, done.stderr
        assert "Traceback" not in done.stderr
        assert len(shop.ledger()["tasks"]) <= 2
        assert sum(map(len, project.takes().values())) == sum(1 for task in shop.ledger()["tasks"] if task["cost"])
