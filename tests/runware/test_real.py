"""The client over real sockets: one pool, many tasks at once, and a server that breaks off in the middle."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from runner.ports import Made, Setting
from runner.providers import provider
from runner.providers.runware.provider import Runware

from .service import KEY, Clock, Nobody, an_order
from .test_fetch import CLIP

TASKS = 30


class Server:
    """Speaks just enough HTTP. Every clip breaks off once; a task is done when it is first asked for."""

    def __init__(self) -> None:
        self.broken: set[str] = set()
        self.submits = 0
        self.port = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                line, *lines = head.decode().split("\r\n")
                headers = dict(text.lower().split(": ", 1) for text in lines if ": " in text)
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                if not await self.answer(line.split()[1], headers, body, writer):
                    break
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    async def answer(self, path: str, headers: dict[str, str], body: bytes, writer: asyncio.StreamWriter) -> bool:
        if body:
            (task,) = json.loads(body)
            assert f"bearer {KEY}".lower() == headers["authorization"]
            self.submits += task["taskType"] == "videoInference"
            item = {"taskType": "videoInference", "taskUUID": task["taskUUID"]}
            if task["taskType"] == "getResponse":
                name = task["taskUUID"]
                item |= {"videoUUID": name, "videoURL": f"http://127.0.0.1:{self.port}/{name}.mp4?sig=1"}
            said = json.dumps({"data": [item]}).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(said), said))
            await writer.drain()
            return True
        assert "authorization" not in headers
        at = int(headers.get("range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        kind = b"206 Partial Content" if at else b"200 OK"
        span = b"Content-Range: bytes %d-%d/%d\r\n" % (at, len(CLIP) - 1, len(CLIP)) if at else b""
        length = len(CLIP) - at
        writer.write(b'HTTP/1.1 %s\r\nETag: "1"\r\n%sContent-Length: %d\r\n\r\n' % (kind, span, length))
        cut = None if path in self.broken else at + 2000
        self.broken.add(path)
        writer.write(CLIP[at:cut])
        await writer.drain()
        return cut is None


async def film(folder: Path) -> tuple[Server, list[Path]]:
    server = Server()
    listening = await asyncio.start_server(server, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    setting = Setting(
        Nobody(), Clock(), folder / "tmp", folder / "hints", folder / "memory", {"RUNWARE_API_KEY": KEY},
        url=f"http://127.0.0.1:{server.port}/v1", per_minute=1000,
    )  # fmt: skip
    runware = provider("runware", setting)
    assert isinstance(runware, Runware)

    async def one(number: int) -> Path:
        uuid = f"{number:08x}-0000-4000-8000-000000000000"
        ticket = await runware.submit(an_order(), uuid)
        (folder / "hints").mkdir(exist_ok=True)
        (folder / "hints" / uuid).touch()
        async for made in runware.results(ticket):
            assert isinstance(made, Made)
            return await runware.fetch(made, folder / "in")
        raise AssertionError

    paths = await asyncio.gather(*map(one, range(TASKS)))
    await runware.aclose()
    listening.close()
    await listening.wait_closed()
    return server, paths


def test_many_tasks_at_once_come_whole_through_real_connections(tmp_path: Path) -> None:
    server, paths = asyncio.run(film(tmp_path))
    assert TASKS == server.submits == len(set(paths))
    assert all(path.read_bytes() == CLIP for path in paths)
