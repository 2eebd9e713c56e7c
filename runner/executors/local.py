"""Local: processes on this machine, each with one job at a time.

A process that dies takes one job with it and no other. (A pool of several loses all that are in flight.)
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections import deque
from typing import Any

from ..errors import Problem, StoryError
from ..ports import Job, TaskFailed, WorkerLost

_LINE_MAX = 64 * 1024 * 1024
_START = "import sys, json; sys.path[:] = json.loads(sys.argv[1]); from runner.executors.worker import main; main()"


class _Worker:
    """One process and the last of what it wrote to stderr."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.last: deque[bytes] = deque(maxlen=40)
        self.drain = asyncio.create_task(self._drain())

    @classmethod
    async def start(cls) -> _Worker:
        pipe = asyncio.subprocess.PIPE
        argv = [sys.executable, "-P", "-c", _START, json.dumps(sys.path)]
        return cls(
            await asyncio.create_subprocess_exec(
                *argv, stdin=pipe, stdout=pipe, stderr=pipe, limit=_LINE_MAX, start_new_session=True
            )
        )

    async def _drain(self) -> None:
        assert self.process.stderr is not None
        with contextlib.suppress(ValueError):
            async for line in self.process.stderr:
                self.last.append(line)

    async def ask(self, job: Job) -> dict[str, Any] | None:
        """The answer, or None where the process ended without one."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps({"fn": job.fn, "args": dict(job.args)}).encode() + b"\n")
            await self.process.stdin.drain()
            line = await self.process.stdout.readline()
        except (BrokenPipeError, ConnectionResetError):
            return None
        return json.loads(line) if line.endswith(b"\n") else None

    async def end(self) -> None:
        """Stop the process, and with it whatever command it runs."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()
        self.drain.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.drain


class Local:
    """So many processes, started when they are needed."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._idle: list[_Worker] = []
        self._free = asyncio.Semaphore(slots)

    def slots(self) -> int:
        return self._slots

    async def run(self, job: Job) -> dict[str, Any]:
        """One attempt at a job. A job that is cancelled or takes too long is stopped with its process."""
        async with self._free:
            worker = self._idle.pop() if self._idle else await _Worker.start()
            try:
                answer = await asyncio.wait_for(worker.ask(job), job.timeout_s)
            except BaseException:
                await worker.end()
                raise
            if answer is None:
                code = await worker.process.wait()
                await worker.end()
                said = b"".join(worker.last).decode(errors="replace").strip()
                raise WorkerLost(f"the process that ran {job.key} ended with {code}" + (f": {said}" if said else ""))
            self._idle.append(worker)
        if "problems" in answer:
            problems = [Problem(fact, remedy, None, level) for fact, remedy, level in answer["problems"]]
            raise StoryError(problems, exit_code=answer["exit_code"])
        if "failed" in answer:
            raise TaskFailed(answer["failed"])
        gave: dict[str, Any] = answer["gave"]
        return gave

    async def aclose(self) -> None:
        workers, self._idle = self._idle, []
        await asyncio.gather(*(worker.end() for worker in workers))
