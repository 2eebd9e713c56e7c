"""A git repository for tests: real git, no settings of the machine, no clock.

repo = Repo(tmp_path); repo.write({"storyboard.yaml": ...}); repo.commit(); repo.git("branch", "idea")
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import runner
from runner.document import dump
from runner.errors import StoryError

from .world import board

ENV = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ines", "GIT_AUTHOR_EMAIL": "ines@example.org", "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
    "GIT_COMMITTER_NAME": "Ines", "GIT_COMMITTER_EMAIL": "ines@example.org",
    "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
}  # fmt: skip


@dataclass
class Repo:
    """A repository in a folder, and a storyboard in it."""

    folder: Path
    name: str = "storyboard.yaml"
    fresh: bool = True

    def __post_init__(self) -> None:
        if self.fresh:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.git("init", "--quiet", "--initial-branch=main")

    @property
    def file(self) -> Path:
        return self.folder / self.name

    def git(self, *words: str) -> str:
        done = subprocess.run(["git", *words], cwd=self.folder, env=ENV, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def write(self, files: Mapping[str, str | bytes]) -> None:
        for name, content in files.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_bytes(content.encode() if isinstance(content, str) else content)

    def board(self, *shots: Any, **top: Any) -> None:
        """Write the storyboard: see world.board."""
        self.write({self.name: dump(board(*shots, **top))})

    def commit(self) -> str:
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--allow-empty", "--message", "shots")
        return self.git("rev-parse", "HEAD")

    def diff(self, revision: str = "HEAD", **options: Any) -> runner.Diff:
        return runner.diff(self.file, revision, environ=ENV, **options)

    def told(self, revision: str = "HEAD", **options: Any) -> list[str]:
        """What is wrong, where a diff cannot be had."""
        try:
            self.diff(revision, **options)
        except StoryError as error:
            return [str(problem).replace(str(self.folder), "FOLDER") for problem in error.problems]
        return []
