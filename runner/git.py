"""Git: what a repository holds, asked of git itself. Nothing is checked out, fetched or written."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Literal

from .errors import StoryError, did_you_mean

Kind = Literal["file", "link", "module"]
_KINDS: dict[str, Kind] = {"120000": "link", "160000": "module"}
_CALL_S_MAX = 120.0
"""How long git may take to answer a question, in seconds."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a revision: its path from the top of the tree, and git's name for its bytes."""

    path: str
    kind: Kind
    object: str


@dataclass(frozen=True)
class Repository:
    """A repository, as seen from a folder of its work tree."""

    folder: Path
    """Where git is asked."""
    prefix: str
    """That folder from the top of the tree: ``""`` or ``"films/lanterns/"``."""
    environ: Mapping[str, str]

    def path(self, file: Path) -> str:
        """A file's path from the top of the tree; the file need not be there."""
        return self.prefix + Path(os.path.relpath(file.absolute(), self.folder)).as_posix()

    def file(self, path: str) -> Path:
        """Where a path of the tree is in the work tree."""
        return self.folder / os.path.relpath(path, self.prefix or ".")

    def commit(self, name: str) -> str:
        """The commit that a branch, a tag or any of git's other words names. Raises StoryError."""
        if name and not name.startswith("-"):
            found = self._ask("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
            if found is not None:
                return found.strip()
        raise self._unknown(name)

    def fork(self, one: str, other: str) -> str:
        """The last commit that two revisions have in common. Raises StoryError."""
        found = self._ask("merge-base", self.commit(one), self.commit(other))
        if found is None:
            more = _DEEPER if self.shallow else None
            raise StoryError.of(f"{one} and {other} have no commit in common", more)
        return found.strip()

    def tree(self, commit: str) -> dict[str, Entry]:
        """Every file of a commit, by its path from the top of the tree."""
        said = self._must("ls-tree", "-r", "-z", "--full-tree", commit)
        found = {}
        for line in said.split("\0")[:-1]:
            facts, _, path = line.partition("\t")
            mode, _, name = facts.split(" ")
            found[path] = Entry(path, _KINDS.get(mode, "file"), name)
        return found

    def read(self, names: Iterable[str]) -> Iterator[bytes | None]:
        """The bytes of each object, in order; None for one that this clone does not have."""
        command = ["git", "cat-file", "--batch"]
        with subprocess.Popen(  # noqa: S603
            command, cwd=self.folder, env=self.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:  # fmt: skip
            assert process.stdin is not None
            assert process.stdout is not None
            for name in names:  # one by one: a pipe that nobody empties would hold both up
                process.stdin.write(f"{name}\n".encode())
                process.stdin.flush()
                yield _object(process.stdout)

    @cached_property
    def shallow(self) -> bool:
        """Whether the clone holds only the newest commits."""
        return (self._ask("rev-parse", "--is-shallow-repository") or "").strip() == "true"

    @cached_property
    def home(self) -> Path:
        """Git's own folder, which all work trees share."""
        return self.folder / self._must("rev-parse", "--git-common-dir").rstrip("\n")

    def _unknown(self, name: str) -> StoryError:
        if name in {"HEAD", "@"}:
            return StoryError.of("this repository has no commit yet", "git commit")
        said = self._must("for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/tags", "refs/remotes")
        refs = said.splitlines()
        fact = f'git knows no revision "{name}"'
        base = re.split("[~^@:]", name, maxsplit=1)[0]
        near = did_you_mean(base, refs)
        if near is not None and near != base:
            return StoryError.of(fact, f"did you mean {near}?")
        if self.shallow:
            return StoryError.of(f"{fact}; this clone is shallow", _DEEPER)
        remotes = self._must("remote").splitlines()
        remote, _, branch = name.partition("/")
        if remote in remotes and branch:
            return StoryError.of(fact, f"git fetch {remote} {branch}")
        return StoryError.of(fact, ", ".join(refs[:8]) or None)

    def _ask(self, *words: str) -> str | None:
        """What git answers, or None where it says no."""
        done = _call(words, self.folder, self.environ)
        return done.stdout if done.returncode == 0 else None

    def _must(self, *words: str) -> str:
        done = _call(words, self.folder, self.environ)
        if done.returncode != 0:
            raise _failed(done.stderr)
        return done.stdout


_DEEPER = "git fetch --unshallow (in a GitHub workflow: actions/checkout with fetch-depth: 0)"


def repository(folder: Path, environ: Mapping[str, str] = os.environ) -> Repository:
    """The repository that a folder lies in; the folder itself need not be there any more. Raises StoryError."""
    there = folder.absolute()
    while not there.is_dir():
        there = there.parent
    env = _environ(environ)
    done = _call(("rev-parse", "--show-prefix"), there, env)
    if done.returncode == 0:
        return Repository(there, done.stdout.rstrip("\n"), env)
    if "not a git repository" in done.stderr:
        fact = f"{folder.absolute()} is not in a git repository"
        raise StoryError.of(fact, "git init, then commit the storyboard")
    raise _failed(done.stderr)


def _environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Git's surroundings: plain words, no questions, no locks, no network.

    In a hook git says where the repository is by paths that hold in one folder alone: those are left out, unless a
    person keeps the work tree apart from the repository.
    """
    env = {**environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1"}
    for name in ("GIT_INDEX_FILE", "GIT_PREFIX", "GIT_LITERAL_PATHSPECS"):
        env.pop(name, None)
    for name in ("GIT_DIR", "GIT_WORK_TREE"):
        if "GIT_WORK_TREE" not in environ:
            env.pop(name, None)
        elif name in env:
            env[name] = str(Path(env[name]).absolute())
    return env


def _call(words: Iterable[str], folder: Path, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603
            ["git", *words], cwd=folder, env=environ, capture_output=True, stdin=subprocess.DEVNULL,  # noqa: S607
            encoding="utf-8", errors="surrogateescape", timeout=_CALL_S_MAX, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        raise StoryError.of("git is not installed, or not in PATH", "install git", exit_code=1) from None
    except subprocess.TimeoutExpired:
        fact = f"git {' '.join(words)} took longer than {_CALL_S_MAX:g} s (call_s_max)"
        raise StoryError.of(fact, exit_code=1) from None


def _failed(said: str) -> StoryError:
    """What git itself complains of; the line it says to type stands as the remedy."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    advice = next((line for line in lines if line.startswith("git ")), None)
    fact = lines[0].removeprefix("fatal: ") if lines else "it failed without a word"
    return StoryError.of(f"git says: {fact}", advice, exit_code=1)


def _object(stream: IO[bytes]) -> bytes | None:
    head = stream.readline().split()
    if len(head) != 3:
        return None
    content = stream.read(int(head[2]))
    stream.read(1)
    return content
