"""A revision: a storyboard and what belongs to it, as they were at a commit."""

from __future__ import annotations

import os
import posixpath
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from shutil import copyfile

from .errors import Place, Problem, StoryError, did_you_mean
from .git import Entry, Repository
from .load import load, variants
from .plan import Plan

_LFS = b"version https://git-lfs.github.com/spec/v1\n"
_WORD = re.compile(r"[\w.@+~-]+")
_ESCAPED = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))")
_YAML = (".yaml", ".yml")


@dataclass(frozen=True)
class Revision:
    """A commit, under the name a person gave it."""

    name: str
    commit: str
    repository: Repository

    @cached_property
    def tree(self) -> Mapping[str, Entry]:
        return self.repository.tree(self.commit)


def between(repository: Repository, text: str) -> tuple[Revision, Revision | None]:
    """The two versions that ``REV``, ``A..B`` or ``A...B`` (from where they parted) name; None for the work tree.

    As with git, a side that is left out is HEAD. Raises StoryError.
    """
    one, dots, other = text.partition("..")
    if not dots:
        return Revision(one, repository.commit(one), repository), None
    parted, one, other = other.startswith("."), one or "HEAD", other.removeprefix(".") or "HEAD"
    newer = Revision(other, repository.commit(other), repository)
    if not parted:
        return Revision(one, repository.commit(one), repository), newer
    commit = repository.fork(one, other)
    return Revision(commit[:10], commit, repository), newer


def plan_at(
    revision: Revision,
    path: str,
    home: Path,
    *,
    provider: str | None = None,
    variant: str | None = None,
    allow_outside: bool = False,
    environ: Mapping[str, str] = os.environ,
) -> Plan:
    """The plan of a storyboard as it was, with the takes and the store there are now.

    ``path`` leads to it from the top of the tree; ``home`` is the storyboard whose takes count. A ``variant`` that it
    has now is the storyboard itself where it had no variants then. The files it needs are written to a temporary
    folder. Raises StoryError: places in the revision's files read ``REV:path:line:col``.
    """
    tree = revision.tree
    if path not in tree:
        raise _absent(revision, path, tree)
    with _unpacked(revision, path, tree) as files:
        board = files.root / path
        try:
            had = variant is not None and variants(board, allow_outside=allow_outside)
            loaded = load(
                board, provider=provider, variant=variant if had else None, allow_outside=allow_outside,
                environ=environ, home=home, name=f"{revision.name}:{path}",
                lent=lambda name: files.lent(name, home.parent),
            )  # fmt: skip
        except StoryError as error:
            told = [files.placed(problem) for problem in error.problems]
            raise StoryError(told, exit_code=error.exit_code) from None
        return replace(loaded.plan, warnings=tuple(files.placed(problem) for problem in loaded.plan.warnings))


def renamed(revision: Revision, board: str, is_there: Callable[[str], bool]) -> str | None:
    """Where a storyboard stood under another name: the one file that is not there any more and has its id."""
    tree = revision.tree
    gone = [path for path, entry in tree.items() if entry.kind == "file" and path.endswith(_YAML)]
    gone = [path for path in gone if not is_there(path)]
    said = re.compile(rb"^storyboard: *(['\"]?)%s\1 *(?:#.*)?\r?$" % re.escape(board).encode(), re.MULTILINE)
    texts = revision.repository.read(tree[path].object for path in gone)
    same = [path for path, text in zip(gone, texts, strict=True) if text is not None and said.search(text)]
    return same[0] if len(same) == 1 else None


def _absent(revision: Revision, path: str, tree: Mapping[str, Entry]) -> StoryError:
    near = did_you_mean(path, (name for name in tree if name.endswith(_YAML)))
    return StoryError.of(f"{path} does not exist at {revision.name}", f"did you mean {near}?" if near else None)


@contextmanager
def _unpacked(revision: Revision, path: str, tree: Mapping[str, Entry]) -> Iterator[_Files]:
    with tempfile.TemporaryDirectory(prefix="matchcut-") as folder:
        files = _Files(revision, Path(folder).resolve(), path, tree)
        files.unpack()
        yield files


@dataclass
class _Files:
    """The files of a revision that a storyboard names, however far: written where they stand in the tree."""

    revision: Revision
    root: Path
    board: str
    """The storyboard, from the top of the tree."""
    tree: Mapping[str, Entry]
    made: set[str] = field(default_factory=set)
    gaps: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    """What could not be written, with why and what to do; by its path as the storyboard names it."""
    homes: list[str] = field(default_factory=list)
    """Folders in which a file is known by its bare name."""

    @property
    def folder(self) -> str:
        return posixpath.dirname(self.board)

    def lent(self, name: str, folder: Path) -> Path | None:
        """A clip that git does not keep is that of here and now."""
        path = posixpath.normpath(posixpath.join(self.folder, name))
        there = folder / name
        return there if path not in self.tree and name not in self.gaps and there.is_file() else None

    def unpack(self) -> None:
        (self.root / self.folder).mkdir(parents=True, exist_ok=True)
        self.homes.append(self.folder)
        todo = {self.board, *self._links()}
        for path in (path for path, entry in self.tree.items() if entry.kind == "module"):
            fact = f"lies in the submodule {path}, which a comparison of revisions does not look into"
            self.gaps[self._named(path)] = fact, "keep it in this repository"
        while todo:
            self.made |= todo
            todo = self._write(sorted(todo)) - self.made

    def placed(self, problem: Problem) -> Problem:
        """A problem of an unpacked file, with its place in the revision and the true reason why something lacks."""
        fact = problem.fact.replace(f"{self.root / self.folder}/", "").replace(f"{self.root}/", "")
        remedy = problem.remedy
        for name, (why, way) in self.gaps.items():
            if fact.startswith((f"{name} ", f"{name}/")):
                fact, remedy = f"{fact.partition(' does not exist')[0]} {why}", way
            elif f'"{name}"' in fact:
                fact, remedy = f"{name} {why}", way
        return replace(problem, fact=fact, remedy=remedy, place=self._place(problem.place))

    def _place(self, place: Place | None) -> Place | None:
        if place is None or place.file.startswith(f"{self.revision.name}:"):
            return place
        inside = place.file.removeprefix(f"{self.root}/")
        for path in (inside, posixpath.normpath(posixpath.join(self.folder, inside))):
            if path in self.made:
                return replace(place, file=f"{self.revision.name}:{path}")
        return place

    def _named(self, path: str) -> str:
        return posixpath.relpath(path, self.folder or ".")

    def _links(self) -> set[str]:
        """Every link in the storyboard's folder: what it leads to is in reach by its bare name, too."""
        inside = f"{self.folder}/" if self.folder else ""
        links = [e for e in self.tree.values() if e.kind == "link" and e.path.startswith(inside)]
        found = set()
        for entry, content in zip(links, self.revision.repository.read(e.object for e in links), strict=True):
            target = posixpath.join(posixpath.dirname(entry.path), os.fsdecode(content or b""))
            target = posixpath.normpath(target)
            if target.startswith("../"):
                self.gaps[self._named(entry.path)] = "is a link that leads out of the repository", "a file of its own"
                continue
            found |= {entry.path} | ({target} & self.tree.keys())
            self.homes += [target] if target not in self.tree else []
        return found

    def _write(self, paths: list[str]) -> set[str]:
        """Write some files; those that their texts name."""
        entries = [self.tree[path] for path in paths if self.tree[path].kind != "module"]
        named: set[str] = set()
        for entry, content in zip(entries, self.revision.repository.read(e.object for e in entries), strict=True):
            file = self.root / entry.path
            file.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                self.gaps[self._named(entry.path)] = "is not in this partial clone", "a clone without --filter"
            elif entry.kind == "link":
                file.symlink_to(os.fsdecode(content))
            elif content.startswith(_LFS):
                self._large(entry.path, file, content)
            else:
                file.write_bytes(content)
                if entry.path.endswith(_YAML) or entry.path == self.board:
                    named |= self._names(content.decode("utf-8", "replace"), posixpath.dirname(entry.path))
        return named

    def _names(self, text: str, folder: str) -> set[str]:
        """The files of the tree that a text may mean: by their names near the storyboard, by their paths elsewhere."""
        text += (
            _ESCAPED.sub(lambda hit: chr(int(hit[1] or hit[2] or hit[3], 16) % 0x110000), text) if "\\" in text else ""
        )
        words = set(_WORD.findall(text))
        climbs = "../" in text
        found = set()
        for path, entry in self.tree.items():
            if entry.kind == "module" or self._named(path) in self.gaps:
                continue
            name = posixpath.basename(path)
            if any(path.startswith(f"{home}/") or home in {"", "."} for home in self.homes):
                if name in words or (not _WORD.fullmatch(name) and name in text):
                    found.add(path)
            elif climbs and any(posixpath.relpath(path, start or ".") in text for start in {folder, self.folder}):
                found.add(path)
        return found

    def _large(self, path: str, file: Path, pointer: bytes) -> None:
        """A file that git keeps elsewhere (LFS): from the clone's stock, or from the work tree if it is that one."""
        hit = re.search(rb"^oid sha256:([0-9a-f]{64})$", pointer, re.MULTILINE)
        digest = hit[1].decode() if hit else ""
        stock = self.revision.repository.home / "lfs" / "objects" / digest[:2] / digest[2:4] / digest
        for place in (stock, self.revision.repository.file(path)):
            if place.is_file() and sha256(place.read_bytes()).hexdigest() == digest:
                copyfile(place, file)
                return
        why = f"is kept by Git LFS, and this clone does not have it as it was at {self.revision.name}"
        self.gaps[self._named(path)] = why, f"git lfs fetch origin {self.revision.name}"
