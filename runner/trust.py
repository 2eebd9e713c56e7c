"""Trust: which commands a person allows to run, and where the key may be sent; remembered outside every project."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from .errors import StoryError
from .kinds import exec  # noqa: A004
from .pipeline import Pipeline
from .store import told, write

SERVICE = "runware.ai"


HEAD = "matchcut-trust"
FORMAT = 1


class Trust:
    """A file with a digest a line. A command that changes, or a file it declares, has another digest.

    What a newer version wrote is not believed, and not written over.
    """

    def __init__(self, home: Path) -> None:
        self.file = home / "trusted"
        try:
            head, *lines = self.file.read_text(encoding="utf-8").splitlines() or [""]
        except FileNotFoundError:
            head, lines = "", []
        self.newer = head.startswith(HEAD) and head != f"{HEAD} {FORMAT}"
        self._known = set() if self.newer else {line.strip() for line in (head, *lines)} - {"", f"{HEAD} {FORMAT}"}

    def has(self, digest: str) -> bool:
        return digest in self._known

    def add(self, pipeline: Pipeline, files: Mapping[str, str]) -> None:
        """Trust every command of a pipeline as it is now, and the address it names."""
        steps = [step for step in (*pipeline.shot, *pipeline.film) if step.kind == "exec"]
        new = {exec.consent(step.settings, files) for step in steps}
        new |= {address} if (address := foreign(pipeline.url)) else set()
        new -= self._known
        if new and self.newer:
            fact = f"{self.file} was written by a newer matchcut"
            raise StoryError.of(fact, "a newer matchcut; nothing was changed", exit_code=1)
        if new:
            self._known |= new
            with told(self.file.parent):
                write(self.file, "\n".join([f"{HEAD} {FORMAT}", *sorted(self._known), ""]).encode())


def foreign(url: str | None) -> str | None:
    """What stands for an address that is neither the service's own nor on this machine; None for those and for none."""
    try:
        parts = urlsplit(url or "")
        host, port = (parts.hostname or "").casefold(), parts.port
    except ValueError:
        host, port = url or "", None
    if not host or host == SERVICE or host.endswith(f".{SERVICE}") or _is_here(host):
        return None
    return hashlib.sha256(f"the key goes to {host}:{port or ''}".encode()).hexdigest()


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
