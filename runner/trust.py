"""Trust: which commands a person has read and allows to run, remembered outside every project."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .kinds import exec  # noqa: A004
from .pipeline import Pipeline
from .store import told, write


class Trust:
    """A file with a digest a line. A command that changes, or a file it declares, has another digest."""

    def __init__(self, home: Path) -> None:
        self.file = home / "trusted"
        try:
            self._known = set(self.file.read_text(encoding="utf-8").split())
        except FileNotFoundError:
            self._known = set()

    def has(self, digest: str) -> bool:
        return digest in self._known

    def add(self, pipeline: Pipeline, files: Mapping[str, str]) -> None:
        """Trust every command of a pipeline as it is now."""
        steps = [step for step in (*pipeline.shot, *pipeline.film) if step.kind == "exec"]
        new = {exec.consent(step.settings, files) for step in steps} - self._known
        if new:
            self._known |= new
            with told(self.file.parent):
                write(self.file, ("\n".join(sorted(self._known)) + "\n").encode())
