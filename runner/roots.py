"""What a store must keep: everything a takes file names, in the folder and in every branch and tag of git."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .errors import StoryError

_DIGEST = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_TAKES = re.compile(rb"(?:\A|/)[^/]+\.takes/[^/]+\.yaml\Z")
GIT_S_MAX = 300.0


@dataclass(frozen=True, slots=True)
class Roots:
    """Every digest that a takes file names, whatever it is of, and where was looked."""

    digests: frozenset[str]
    files: int
    """Takes files that were read, each version once."""
    refs: int | None
    """Branches, tags and other names of git; None where there is no git."""


def roots(folder: Path) -> Roots:
    """What the takes files of a project name: those beside its storyboards, and those in any commit with a name.

    A file is not understood but searched: one with a conflict in it, or of a later format, keeps what it names as
    well. Raises StoryError where git is there and does not answer.
    """
    here = [path.read_bytes() for path in sorted(folder.glob("*.takes/*.yaml"))]
    found = set(_digests(here))
    names = _refs(folder)
    if names is None:
        return Roots(frozenset(found), len(here), None)
    blobs = sorted({blob for name in names for blob in _blobs(folder, name)} | set(_staged(folder)))
    texts = list(_contents(folder, blobs))
    return Roots(frozenset(found | set(_digests(texts))), len(here) + len(texts), len(names))


def _digests(texts: Iterable[bytes]) -> Iterator[str]:
    for text in texts:
        yield from (match.decode() for match in _DIGEST.findall(text))


def _refs(folder: Path) -> list[str] | None:
    """Every commit with a name: branches, tags, those of remotes, the stash, and what every work tree has out."""
    try:
        inside = subprocess.run(  # noqa: S603
            ["git", "-C", str(folder), "rev-parse", "--is-inside-work-tree"], capture_output=True, check=False  # noqa: S607
        )  # fmt: skip
    except FileNotFoundError:
        return None
    if inside.returncode != 0:
        if b"not a git repository" not in inside.stderr:
            raise _unanswered(inside.stderr)
        return None
    names = _git(folder, "for-each-ref", "--format=%(objectname)").decode().split()
    trees = _git(folder, "worktree", "list", "--porcelain").decode().splitlines()
    heads = [line.split()[1] for line in trees if line.startswith("HEAD ")]
    return sorted({name for name in [*names, *heads] if set(name) != {"0"}})


def _blobs(folder: Path, name: str) -> Iterator[str]:
    """The takes files of a commit, wherever in the repository they are: a project may have moved."""
    kind = _git(folder, "cat-file", "-t", f"{name}^{{}}").strip()
    if kind not in (b"commit", b"tree"):
        return
    for line in _git(folder, "ls-tree", "-r", "-z", "--full-tree", name).split(b"\0"):
        told, _, path = line.partition(b"\t")
        if _TAKES.search(path):
            yield told.split()[2].decode()


def _staged(folder: Path) -> Iterator[str]:
    """The takes files that are staged, all sides of a conflict."""
    top = _git(folder, "rev-parse", "--show-toplevel").decode().rstrip("\n")
    for line in _git(Path(top), "ls-files", "--stage", "-z").split(b"\0"):
        told, _, path = line.partition(b"\t")
        if _TAKES.search(path):
            yield told.split()[1].decode()


def _contents(folder: Path, blobs: list[str]) -> Iterator[bytes]:
    if not blobs:
        return
    told = _git(folder, "cat-file", "--batch", given="".join(f"{blob}\n" for blob in blobs).encode())
    at = 0
    for blob in blobs:
        end = told.index(b"\n", at)
        head = told[at:end].split()
        if len(head) != 3:
            raise _unanswered(f"{blob} is missing".encode())
        size = int(head[2])
        yield told[end + 1 : end + 1 + size]
        at = end + 2 + size


def _git(folder: Path, *words: str, given: bytes = b"") -> bytes:
    done = subprocess.run(  # noqa: S603
        ["git", "-C", str(folder), *words], input=given, capture_output=True, check=False, timeout=GIT_S_MAX  # noqa: S607
    )  # fmt: skip
    if done.returncode != 0:
        raise _unanswered(done.stderr)
    return done.stdout


def _unanswered(said: bytes) -> StoryError:
    line = next(iter(said.decode(errors="replace").strip().splitlines()), "it says nothing")
    fact = f"git does not say which takes files there are: {line}"
    return StoryError.of(fact, "repair the repository: without it nothing is removed", exit_code=1)
