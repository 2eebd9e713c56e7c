"""The receiver of the service's calls: each one is a hint that a clip is worth asking about, and nothing more."""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .protocol import UUID4, read

BODY_BYTES_MAX = 1024 * 1024
"""A call names a task; what is larger than this is no call."""

UUIDS_MAX = 64
"""Tasks that one call may name."""

TOKEN_FILE = "webhook-token"  # noqa: S105 - the name of the file


def token(folder: Path) -> str:
    """The word in the project's webhook address: made once, kept where only its owner reads it."""
    home = folder / ".matchcut"
    home.mkdir(parents=True, exist_ok=True)
    ignore = home / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="ascii")  # a token is not to be committed
    path = home / TOKEN_FILE
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        path.chmod(0o600)
        kept = path.read_text(encoding="ascii", errors="replace").strip()
        if len(kept) >= 32 and kept.isascii():
            return kept
        path.unlink()
        return token(folder)
    made = secrets.token_urlsafe(32)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(made + "\n")
    return made


def app(folder: Path) -> Starlette:
    """Takes calls at ``/hook/<token>`` and touches ``.matchcut/hints/<taskUUID>`` in the folder for each task named."""
    expected = token(folder).encode()
    hints = folder / ".matchcut" / "hints"

    async def hook(request: Request) -> Response:
        if not hmac.compare_digest(request.path_params["token"].encode(), expected):
            return Response(status_code=404)
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_BYTES_MAX:
                return Response(status_code=413, headers={"connection": "close"})
        try:
            named = list(uuids(read(body)))
        except ValueError:
            return Response(status_code=400)
        # Whether a task is known, new or long done is not for a call to say: the answer is the same.
        await run_in_threadpool(_touch, hints, named)
        return Response(status_code=200)

    return Starlette(routes=[Route("/hook/{token}", hook, methods=["POST"])])


def uuids(body: object) -> Iterator[str]:
    """The tasks that a call names, in small letters, each once: a flat item, ``data``, ``errors``, or several."""
    seen: set[str] = set()
    queue: list[object] = [body]
    while queue and len(seen) < UUIDS_MAX:
        node = queue.pop(0)
        if isinstance(node, list):
            queue += node[:UUIDS_MAX]
        elif isinstance(node, dict):
            uuid = node.get("taskUUID")
            if isinstance(uuid, str) and UUID4.fullmatch(uuid) and uuid.lower() not in seen:
                seen.add(uuid.lower())
                yield uuid.lower()
            queue += [node[name] for name in ("data", "errors") if isinstance(node.get(name), list | dict)]


def _touch(hints: Path, named: list[str]) -> None:
    hints.mkdir(parents=True, exist_ok=True)
    for uuid in named:
        (hints / uuid).touch()


def shown(base: str, folder: Path) -> str:
    """The address to give as ``webhookURL``."""
    return f"{base}/hook/{token(folder)}"
