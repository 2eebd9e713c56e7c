"""A shop for tests of buying: the stand-in in a process of its own, and a project whose clips are bought there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from runner import gather
from runner.document import read
from runner.store import LocalStore

CARDS = Path(__file__).parent / "server" / "cards"
COMMAND = [sys.executable, "-c", "from runner.cli import main; import sys; sys.exit(main())"]
KILLER = [sys.executable, "-c", "from tests.killer import main; main()"]
FAST = ("--making", "1", "--speed", "10", "--registering", "0.1")
"""A clip takes a tenth of a second, and so does the service to know a task: what the killed processes reckon with."""
MAKING_S = 0.1
ROOT = Path(__file__).parent.parent

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
def service(*words: str, **environ: str) -> Iterator[Service]:
    """A stand-in while the block lasts; ``environ`` is added to its environment."""
    argv = [*COMMAND, "serve", "--standin", "--port", "0", "--ready-made", "--cards", str(CARDS), *words]
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, **environ}
    ) as process:
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
    making: float = MAKING_S

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        memory = self.folder / ".matchcut" / "memory"
        memory.mkdir(parents=True, exist_ok=True)
        place = self.service.url.removeprefix("http://")
        # What a client has learned after five clips, so that it does not look for each only after seconds.
        known = {f"{place} test:tiny@1 1": [[self.making / 2, self.making]] * 5}
        (memory / "durations.json").write_text(json.dumps(known), encoding="utf-8")
        (self.folder / "tiny.json").write_bytes((CARDS / "tiny.json").read_bytes())
        (self.folder / "tiny.yaml").write_text(PIPELINE, encoding="utf-8")
        lines = [
            "storyboard: once",
            "pipeline: tiny.yaml",
            "aspect: '1:1'",
            "budget: 50",
            "defaults: {duration: 1}",
            "scenes:",
        ]
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

    def begin(self, *argv: str) -> subprocess.Popen[str]:
        """A run; by the command, if nothing else is said."""
        words = [*(argv or (*COMMAND, "run")), "storyboard.yaml"]
        pipe = subprocess.PIPE
        return subprocess.Popen(words, cwd=self.folder, env=self.environ, stdout=pipe, stderr=pipe, text=True)

    def killed(self, trip: int = 0) -> subprocess.Popen[str]:
        """A run that is killed; 0: by whoever began it."""
        return self.begin(*KILLER, str(trip))

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        with self.begin(*argv) as process:
            out, err = process.communicate(timeout=300)
        return subprocess.CompletedProcess([], process.returncode, out, err)

    def ends(self) -> None:
        """Run until nothing is left to do; refusals by design may need another run."""
        for _ in range(5):
            done = self.run(*KILLER, "0")
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
        """What the books say was spent; see also the command, in the calm run."""
        file = self.folder / "storyboard.yaml"
        return float(sum(charge.usd for charge in gather.charges(file, LocalStore(self.folder / ".matchcut"))))

    def check(self) -> None:
        """Every wanted take once in the ledger and in the files, no orphan, and the books agree."""
        takes = self.takes()
        assert {f"{n:04d}": 3 if n % 5 == 2 else 1 for n in range(self.shots)} == {
            name: len(mine) for name, mine in takes.items()
        }
        ledger = self.service.ledger()
        paid = {task["taskUUID"]: task for task in ledger["tasks"] if task["cost"]}
        recorded = [take["task_uuid"] for mine in takes.values() for take in mine]
        assert set(paid) == set(recorded), "something was paid for that is in no takes file"
        assert len({take["video_uuid"] for mine in takes.values() for take in mine}) == len(recorded)
        assert ledger["total"] == pytest.approx(self.costs())
        assert ledger["total"] == pytest.approx(0.1 * len(recorded))
        assert len(self.film()) == self.shots
