"""Buying at scale: 1,000 shots in 100 chains of 10, 100 in flight, against the stand-in in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.shop import CARDS, COMMAND, ROOT

from .rounds import Row

_RUN = """
import sys, time
sys.path.insert(0, sys.argv.pop(1))
from runner.cli.app import start
code = start(sys.argv[1:])
if sys.platform == 'linux':  # what getrusage tells there is handed down by the parent
    lines = open('/proc/self/status').read().splitlines()
    peak = int(next(line for line in lines if line.startswith('VmHWM')).split()[1]) / 1024
else:
    import resource
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 ** 2
print('peak', peak, file=sys.stderr)
sys.exit(code)
"""
_PIPELINE = """
pipeline: tiny
provider: runware
model: tiny.json
limits: {in_flight: 100, per_minute: 100000}
shot:
  clip: {uses: generate}
  tail: {uses: frame, in: {clip: clip}}
film:
  cut: {uses: assemble}
  manifest: {uses: manifest}
"""


def storyboard(chains: int, length: int) -> str:
    """So many chains, each a scene of its own."""
    lines = ["storyboard: long", "pipeline: tiny.yaml", "aspect: '1:1'", "defaults: {duration: 1}", "scenes:"]
    for chain in range(chains):
        lines += [f'  - scene: "{chain:03d}"', "    shots:"]
        lines += [f'      - {{shot: "{chain:03d}-{n:02d}", action: Words of {chain} and {n}.}}' for n in range(length)]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class _Bought:
    """One run: seconds of the whole command and until its last clip was taken in, requests by kind, peak in MB."""

    wall: float
    last: float
    requests: Mapping[str, int]
    peak: float


def _timed(argv: list[str], folder: Path, environ: dict[str, str], last: str) -> tuple[float, float, str]:
    """Seconds of a run, seconds until a line of its stderr begins so, and what it said last."""
    began, at, line = time.monotonic(), 0.0, ""
    with subprocess.Popen(
        argv, cwd=folder, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith(last):
                at = time.monotonic() - began
    if process.returncode != 0:
        raise RuntimeError(line)
    return time.monotonic() - began, at, line


def _buy(chains: int, length: int, making: float) -> _Bought:
    """Run a storyboard of so many chains against a stand-in of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "tiny.json").write_bytes((CARDS / "tiny.json").read_bytes())
        (folder / "tiny.yaml").write_text(_PIPELINE, encoding="utf-8")
        (folder / "storyboard.yaml").write_text(storyboard(chains, length), encoding="utf-8")
        serve = [*COMMAND, "serve", "--standin", "--port", "0", "--ready-made", "--cards", str(CARDS)]
        serve += ["--making", str(making)]
        with subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
            try:
                assert server.stdout is not None
                url = server.stdout.readline().split()[2].removesuffix("/v1,")
                environ = {**os.environ, "MATCHCUT_RUNWARE_URL": f"{url}/v1", "RUNWARE_API_KEY": "none"}
                # As after five clips of this model: what is asked before that is another row's business.
                memory = folder / ".matchcut" / "memory"
                memory.mkdir(parents=True)
                known = {f"{url.removeprefix('http://')} test:tiny@1 1": [[making - 0.1, making]] * 5}
                (memory / "durations.json").write_text(json.dumps(known), encoding="utf-8")
                argv = [sys.executable, "-c", _RUN, str(ROOT), "run", "storyboard.yaml", "--yes"]
                wall, last, said = _timed(argv, folder, environ, f"[{chains * length}/")
                requests = httpx.get(f"{url}/stats").json()["requests"]
                tasks = httpx.get(f"{url}/ledger").json()["tasks"]
            finally:
                server.kill()
    if len(tasks) != chains * length:
        raise RuntimeError(f"{len(tasks)} tasks were bought, {chains * length} were wanted")
    return _Bought(wall, last, requests, float(said.split()[-1]))


def measure(*, quick: bool = False, making: float = 2.0) -> list[Row]:
    """The rows of the table. ``quick``: few chains.

    The critical path is one of the chains alone: the same command in the same run with all the time there is for it.
    Beside it stands what the service by itself takes for a chain, so many times its making time.
    """
    chains, length = (8, 3) if quick else (100, 10)
    alone, bought = _buy(1, length, making), _buy(chains, length, making)
    clips = chains * length
    asks = sum(bought.requests.get(kind, 0) for kind in ("videoInference", "getResponse", "imageUpload", "fetch"))
    return [
        (f"{clips:,} shots in {chains} chains, {min(100, chains)} in flight, whole command / one chain alone",
         bought.wall / alone.wall, 1.1, "x"),
        ("of that, until the last clip was taken in / the same alone", bought.last / alone.last, 1.1, "x"),
        ("one chain alone / what the service takes to make it", alone.wall / (length * making), 1.1, "x"),
        ("requests a finished clip", asks / clips, 8, ""),
        ("peak memory of that run", bought.peak, 200, "MB"),
    ]  # fmt: skip
