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
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from runner.document import read

KILLS = int(os.environ.get("MATCHCUT_KILLS", "20"))
COMMITS = int(os.environ.get("MATCHCUT_COMMITS", "6"))
CARDS = Path(__file__).parent / "server" / "cards"
COMMAND = [sys.executable, "-c", "from runner.cli import main; import sys; sys.exit(main())"]
KILLER = [sys.executable, "-c", "from tests.killer import main; main()"]
ROOT = Path(__file__).parent.parent
TROUBLES = "429,500,503,drop-before,drop-after,timeout-after,duplicate,empty,error-in-data,unknown-status,not-ready,truncated-file"

PIPELINE = """
pipeline: tiny
provider: runware
model: tiny.json
limits: {in_flight: 6, per_minute: 100000}
shot:
  clip: {uses: generate}
  tail: {uses: frame, in: {clip: clip}}
  check: {uses: inspect, in: {clip: clip}}
film:
  cut: {uses: assemble}
  manifest: {uses: manifest}
"""


@dataclass
class Service:
    """A stand-in in a process of its own."""

    url: str

    def ledger(self) -> dict[str, Any]:
        told: dict[str, Any] = httpx.get(f"{self.url}/ledger").json()
        return told


@contextmanager
def service(*words: str) -> Iterator[Service]:
    argv = [*COMMAND, "serve", "--standin", "--port", "0", "--ready-made", "--cards", str(CARDS), *words]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            yield Service(line.split()[2].removesuffix("/v1,"))
        finally:
            process.kill()


@dataclass
class Project:
    """Twelve shots in three chains, some with several takes."""

    folder: Path
    service: Service
    shots: int = 12

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        (self.folder / "tiny.json").write_bytes((CARDS / "tiny.json").read_bytes())
        (self.folder / "tiny.yaml").write_text(PIPELINE, encoding="utf-8")
        lines = ["storyboard: once", "pipeline: tiny.yaml", "aspect: '1:1'", "budget: 50", "defaults: {duration: 1}", "scenes:"]
        for n in range(self.shots):
            if n % 4 == 0:
                lines += [f'  - scene: "{n // 4}"', "    shots:"]
            takes = 3 if n % 5 == 2 else 1
            lines.append(f'      - {{shot: "{n:04d}", action: Words of shot {n}., takes: {takes}}}')
        (self.folder / "storyboard.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")

    @property
    def environ(self) -> dict[str, str]:
        url = f"{self.service.url}/v1"
        return {**os.environ, "MATCHCUT_RUNWARE_URL": url, "RUNWARE_API_KEY": "secret-key", "PYTHONPATH": str(ROOT)}

    def begin(self, argv: list[str] | None = None) -> subprocess.Popen[str]:
        words = [*(argv or COMMAND), "run", "storyboard.yaml"]
        pipe = subprocess.PIPE
        return subprocess.Popen(words, cwd=self.folder, env=self.environ, stdout=pipe, stderr=pipe, text=True)

    def run(self) -> subprocess.CompletedProcess[str]:
        with self.begin() as process:
            out, err = process.communicate(timeout=300)
        return subprocess.CompletedProcess([], process.returncode, out, err)

    def ends(self) -> None:
        """Run until nothing is left to do; refusals by design may need another run."""
        for _ in range(5):
            done = self.run()
            if done.returncode == 0:
                return
        raise AssertionError(done.stderr)

    def takes(self) -> dict[str, list[dict[str, Any]]]:
        folder = self.folder / "storyboard.takes"
        return {path.stem: read(path).data.get("takes", []) for path in sorted(folder.glob("*.yaml"))}

    def film(self) -> list[str]:
        """Which clips are in the film, by their prompts: the clips themselves are the service's."""
        told = json.loads((self.folder / "out" / "manifest.json").read_text(encoding="utf-8"))
        return [shot["prompt"] for shot in told["shots"] if shot["state"] == "current"]

    def costs(self) -> float:
        done = subprocess.run([*COMMAND, "costs", "--json"], cwd=self.folder, env=self.environ, capture_output=True, text=True)
        return float(json.loads(done.stdout)["usd"])

    def check(self) -> None:
        """Every wanted take once in the ledger and in the files, no orphan, and the books agree."""
        takes = self.takes()
        assert {f"{n:04d}": 3 if n % 5 == 2 else 1 for n in range(self.shots)} == {name: len(mine) for name, mine in takes.items()}
        ledger = self.service.ledger()
        paid = {task["taskUUID"]: task for task in ledger["tasks"] if task["cost"]}
        recorded = [take["task_uuid"] for mine in takes.values() for take in mine]
        assert set(paid) == set(recorded), "something was paid for that is in no takes file"
        assert len({take["video_uuid"] for mine in takes.values() for take in mine}) == len(recorded)
        assert ledger["total"] == pytest.approx(self.costs())
        assert ledger["total"] == pytest.approx(0.1 * len(recorded))
        assert len(self.film()) == self.shots


def test_a_run_over_real_http_buys_every_take_once_and_a_second_run_nothing(tmp_path: Path) -> None:
    with service("--making", "1", "--speed", "5") as shop:
        project = Project(tmp_path / "project", shop)
        done = project.run()
        assert done.returncode == 0, done.stderr
        project.check()
        before = shop.ledger()
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
        words = ("--making", "1", "--speed", "2", "--trouble", "0.1", "--trouble-kinds", TROUBLES, "--seed", str(world))
        with service(*words) as shop:
            project = Project(tmp_path / str(world), shop)
            for _ in range(min(5, KILLS - kills)):
                with project.begin() as process:
                    try:
                        process.wait(dice.uniform(0.4, 2.5))
                        break
                    except subprocess.TimeoutExpired:
                        process.send_signal(signal.SIGKILL)
                        kills += 1
            project.ends()
            project.check()


@pytest.mark.parametrize("side", [1, -1], ids=["before", "after"])
def test_processes_killed_at_a_commit_buy_every_take_once(tmp_path: Path, side: int) -> None:
    with service("--making", "1", "--speed", "10") as shop:
        for at in range(1, COMMITS + 1):
            project = Project(tmp_path / str(at), shop, shots=4)
            httpx.post(f"{shop.url}/reset")
            with project.begin([*KILLER, str(side * at)]) as process:
                process.communicate(timeout=120)
            project.ends()
            project.check()


def test_a_second_run_is_refused_and_takes_over_when_the_holder_is_killed(tmp_path: Path) -> None:
    with service("--making", "3", "--speed", "1") as shop:
        project = Project(tmp_path / "project", shop, shots=4)
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
