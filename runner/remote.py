"""The shared store: what was bought and made, kept by content where everybody on the production can fetch it."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from .errors import Problem, StoryError
from .facts import Done
from .shelf import Shelf, said
from .store import LocalStore, hash_file, told
from .takes import Take

T = TypeVar("T")
FORMAT = 1
"""Of the records there."""
TRIES_MAX = 4
"""How often one thing is asked of the store before that is a failure."""
PAUSE_S = 0.5
"""The first pause between tries; each next one is twice as long."""
CHUNK_BYTES = 8 * 2**20
"""How much is read at a time. An interrupted pull goes on after the last whole one."""

Moved = Literal["put", "got", "there"]


class SharedStore:
    """A store on a shelf, laid out by content as the local one is.

    Nothing that stands there is overwritten. What is put is read back and held against its name before it counts as
    put; what is got is held against its name before it is moved in. A store that fails is asked ``tries_max`` times.
    """

    def __init__(
        self, shelf: Shelf, local: LocalStore, *, tries_max: int = TRIES_MAX, chunk_bytes: int = CHUNK_BYTES,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        self.shelf, self.local = shelf, local
        self.tries_max, self.chunk_bytes, self._sleep = tries_max, chunk_bytes, sleep
        self.noticed: list[str] = []
        """What went wrong and was made good, in the order it was noticed."""
        name = hashlib.sha256(shelf.url.encode()).hexdigest()[:16]
        self._memory = local.root / "shared" / f"{name}.txt"
        self._guard = threading.Lock()
        self._seen: set[str] | None = None
        self._stopped = False
        self._alone: dict[str, threading.Lock] = {}

    def _one(self, name: str) -> threading.Lock:
        """Two takes may have the very same clip: it is moved once."""
        with self._guard:
            return self._alone.setdefault(name, threading.Lock())

    def stop(self) -> None:
        """Ask the store for nothing more: whoever waits for it gets a StoryError."""
        self._stopped = True

    @property
    def url(self) -> str:
        return self.shelf.url

    def present(self) -> None:
        """Raises StoryError where there is nothing at its address at all."""
        if self.shelf.gone:
            fact = f"the shared store {self.url} is not there: no such folder"
            raise StoryError.of(fact, "mount it, or see to `store:`; matchcut store push makes a new one", exit_code=1)

    # whole files, named by their bytes

    def put_object(self, digest: str, source: Path) -> Moved:
        """Put a file under its digest and read it back. Raises StoryError."""
        if hash_file(source) != digest:
            fact = f"object {digest[:12]} is damaged on this machine, and was not pushed"
            raise StoryError.of(fact, "matchcut store verify, then matchcut store pull", exit_code=1)
        return self._put(object_name(digest), source, digest)

    def put_picture(self, digest: str, source: Path) -> Moved:
        """Put a frame's PNG below the digest of its pixels, if none is there. Raises StoryError."""
        folder = picture_folder(digest)
        if any(self._known(name) for name in self._names(folder)):
            return "there"
        if not _shows(source, digest):
            fact = f"picture {digest[:12]} is damaged on this machine, and was not pushed"
            raise StoryError.of(fact, "matchcut store verify", exit_code=1)
        named = hash_file(source)
        return self._put(f"{folder}/{named}.png", source, named)

    def _names(self, folder: str) -> list[str]:
        return sorted(self._often(folder, lambda: [name for name, _ in self.shelf.names(folder)]))

    def _put(self, name: str, source: Path, digest: str) -> Moved:
        with self._one(name):
            return self._put_alone(name, source, digest)

    def _put_alone(self, name: str, source: Path, digest: str) -> Moved:
        size = source.stat().st_size
        moved: Moved = "there"
        for _ in range(self.tries_max):
            found = self._often(name, lambda: self.shelf.size(name))
            if found == size and self._known(name):
                return moved
            if found is None:
                if not self._often(name, lambda: self.shelf.put(name, source)):
                    continue  # another one was quicker: it is read and held against its name
                moved = "put"
            if self._read_back(name, digest) == digest:
                self._remember(name)
                return moved
            self._set_aside(name)
            self._forget(name)
        raise self._tired(name, "what is put there does not come back as it was put")

    def get_object(self, digest: str) -> Moved:
        """Fetch a file into the local store. Raises StoryError; FileNotFoundError where it is not to be had."""
        with self._one(object_name(digest)):
            return "there" if self.local.has(digest) else self._get_alone(digest)

    def _get_alone(self, digest: str) -> Moved:
        name = object_name(digest)
        part = self.local.root / "partial" / digest
        before: str | None = None
        for _ in range(self.tries_max):
            found = self._filled(name, part)
            if found == digest:
                self.local.keep(part, digest)
                self._remember(name)
                return "got"
            part.unlink(missing_ok=True)
            self._notice(f"{name} came with other bytes than its name says; they were thrown away")
            if found == before:
                break  # twice the same: it is not the way here that changes it
            before = found
        self._forget(name)
        fact = f"object {digest[:12]} is damaged in {self.url}: it does not have the bytes its name says"
        remedy = "matchcut store verify --shared, then matchcut store push where it is whole"
        raise StoryError.of(fact, remedy, exit_code=1)

    def get_picture(self, digest: str) -> Moved:
        """Fetch a frame's PNG into the local store. Raises StoryError; FileNotFoundError where it is not to be had."""
        place = self.local.picture(digest)
        if place.is_file():
            return "there"
        for name in self._names(picture_folder(digest)):
            data = self._right(name)
            if data is None:
                continue
            with self.local.scratch() as folder:
                (folder / "picture.png").write_bytes(data)
                if not _shows(folder / "picture.png", digest):
                    self._notice(f"{name} does not have the pixels its name says")
                    continue
            self.local.write(place, data)
            self._remember(name)
            return "got"
        raise FileNotFoundError(picture_folder(digest))

    def _right(self, name: str) -> bytes | None:
        """A small file whose bytes are what its name says; None where there is none any more. Raises StoryError."""
        for _ in range(self.tries_max):
            try:
                data = self._whole(name)
            except FileNotFoundError:
                return None  # it was set aside meanwhile
            if hashlib.sha256(data).hexdigest() == digest_of(name):
                return data
            self._notice(f"{name} came with other bytes than its name says; they were thrown away")
        fact = f"{name} is damaged in {self.url}"
        raise StoryError.of(fact, "matchcut store verify --shared: it is set aside", exit_code=1)

    # records: small files below a key, each named by its own bytes

    def put_take(self, take: Take) -> None:
        """Write down a take that was bought, for whoever asks for its key. Its clip is put first."""
        self._put_record(f"takes/{take.key[:2]}/{take.key}", replace(take, lost=False).as_data())

    def takes(self, key: str) -> tuple[Take, ...]:
        """The takes of a key that anybody bought, by number."""
        found: dict[tuple[str, str, str], Take] = {}
        for data in self._records(f"takes/{key[:2]}/{key}"):
            take = Take.from_data(data)
            before = found.get(take.identity)
            if before is not None:  # frames that were taken out later are in a record of their own
                take = replace(before, frames={**take.frames, **before.frames})
            found[take.identity] = take
        return tuple(sorted(found.values(), key=lambda take: (take.take, take.clip)))

    def put_done(self, done: Done) -> None:
        """Write down what a command of the pipeline gave. Its outputs are put first."""
        data = {"outputs": dict(done.outputs), "receipts": dict(done.receipts)}
        self._put_record(f"done/{done.key[:2]}/{done.key}", data)

    def done(self, key: str) -> Done | None:
        """What a command of the pipeline gave somewhere; the same one for everybody."""
        for data in self._records(f"done/{key[:2]}/{key}"):
            return Done(key, data["outputs"], data.get("receipts", {}))
        return None

    def _put_record(self, folder: str, data: Mapping[str, Any]) -> None:
        text = (json.dumps({"matchcut": FORMAT, **data}, ensure_ascii=False, indent=1) + "\n").encode()
        digest = hashlib.sha256(text).hexdigest()
        name = f"{folder}/{digest}.json"
        for _ in range(self.tries_max):
            if self._known(name) and self._often(name, lambda: self.shelf.size(name)) == len(text):
                return
            self._often(name, lambda: self.shelf.create(name, text))
            if self._read_back(name, digest) == digest:
                self._remember(name)
                return
            self._set_aside(name)
            self._forget(name)
        raise self._tired(name, "what is put there does not come back as it was put")

    def _records(self, folder: str) -> Iterator[dict[str, Any]]:
        for name in self._names(folder):
            text = self._right(name)
            if text is None:
                continue
            data: dict[str, Any] = json.loads(text)
            version = data.pop("matchcut", None)
            if version != FORMAT:
                fact = f"{name} in {self.url} has format {version}; this matchcut reads format {FORMAT}"
                raise StoryError.of(fact, "a newer matchcut", exit_code=1)
            yield data

    # every byte against its name

    def inventory(self) -> list[tuple[str, int]]:
        """Every file that is named by content, with its bytes."""
        folders = ("objects", "pictures", "takes", "done")
        return [item for folder in folders for item in self._often(folder, lambda f=folder: list(self.shelf.names(f)))]  # type: ignore[misc]

    def verify(self, name: str) -> Problem | None:
        """Hold one file against its name. A damaged one is set aside, once two readings of it agree."""
        try:
            right = self._read_back(name, digest_of(name)) == digest_of(name)
        except FileNotFoundError:
            return None  # gone meanwhile
        except StoryError as error:
            return error.problems[0]
        if right:
            self._remember(name)
            return None
        self._forget(name)
        aside = self._set_aside(name)
        fact = f"{name} does not have what its name says; it was set aside as {aside}"
        return Problem(fact, "matchcut store push, on a machine that has it whole")

    def remove(self, name: str) -> None:
        """Take a file away for ever. Raises StoryError."""
        self._often(name, lambda: self.shelf.remove(name))
        self._forget(name)

    # the way there and back

    def _filled(self, name: str, part: Path) -> str:
        """Fetch a file beside its place, on from where an earlier attempt ended; the digest of what came."""
        size = self._often(name, lambda: self.shelf.size(name))
        if size is None:
            raise FileNotFoundError(name)
        with told(self.local.root):
            part.parent.mkdir(parents=True, exist_ok=True)
            with part.open("ab") as stream:
                if stream.tell() > size:
                    stream.truncate(0)
                at = stream.seek(0, os.SEEK_END)
                while at < size:
                    data = self._chunk(name, at, min(at + self.chunk_bytes, size))
                    stream.write(data)
                    at += len(data)
            return hash_file(part)

    def _chunk(self, name: str, start: int, end: int) -> bytes:
        def ask() -> bytes:
            data = self.shelf.read(name, start, end)
            if len(data) != end - start:
                raise OSError(f"{len(data)} bytes came where {end - start} were asked for")
            return data

        return self._often(name, ask)

    def _whole(self, name: str) -> bytes:
        size = self._often(name, lambda: self.shelf.size(name))
        if size is None:
            raise FileNotFoundError(name)
        return b"".join(
            self._chunk(name, at, min(at + self.chunk_bytes, size)) for at in range(0, size, self.chunk_bytes)
        )

    def _read_back(self, name: str, wanted: str) -> str:
        """The digest of a file as the store has it: one that is not what is wanted counts once it came twice."""
        seen: set[str] = set()
        for _ in range(self.tries_max):
            digest = hashlib.sha256()
            try:
                size = self._often(name, lambda: self.shelf.size(name)) or 0
                for at in range(0, size, self.chunk_bytes):
                    digest.update(self._chunk(name, at, min(at + self.chunk_bytes, size)))
            except FileNotFoundError:
                return ""
            found = digest.hexdigest()
            if found != wanted:
                self._notice(f"{name} reads otherwise than its name says")
            if found == wanted or found in seen:
                return found
            seen.add(found)
        raise self._tired(name, "it reads differently each time")

    def _set_aside(self, name: str) -> str:
        aside = f"damaged/{name.replace('/', '_')}.{os.urandom(4).hex()}"

        def move() -> None:
            try:
                self.shelf.move(name, aside)
            except FileNotFoundError:
                return  # somebody else did

        self._often(name, move)
        self._notice(f"{name} was damaged in the store and was set aside as {aside}")
        return aside

    def _often(self, name: str, act: Callable[[], T]) -> T:
        """Do something until the store does it, at most ``tries_max`` times. Raises StoryError."""
        pause = PAUSE_S
        for attempt in range(1, self.tries_max + 1):
            if self._stopped:
                raise StoryError.of("stopped", exit_code=1)
            try:
                return act()
            except FileNotFoundError:
                raise
            except PermissionError as error:
                fact = f"{self.url} does not let us: {said(error)} ({name})"
                raise StoryError.of(fact, "look at the credentials in the environment", exit_code=1) from error
            except OSError as error:
                self._notice(f"{name}: {said(error)}")
                if attempt == self.tries_max:
                    raise self._tired(name, said(error)) from error
                self._sleep(pause)
                pause *= 2
        raise AssertionError

    def _tired(self, name: str, why: str) -> StoryError:
        fact = f"{self.url} failed {self.tries_max} times, the most it is asked (tries_max): {why} ({name})"
        return StoryError.of(fact, "the same again: what is there already is not moved again", exit_code=1)

    def _notice(self, fact: str) -> None:
        with self._guard:
            self.noticed.append(fact)

    # what this machine has held against its name there, so that it is not read again each time

    def _known(self, name: str) -> bool:
        return name in self._read_memory()

    def _read_memory(self) -> set[str]:
        with self._guard:
            if self._seen is None:
                try:
                    self._seen = set(self._memory.read_text(encoding="utf-8").splitlines())
                except FileNotFoundError:
                    self._seen = set()
            return self._seen

    def _remember(self, name: str) -> None:
        seen = self._read_memory()
        with self._guard, told(self.local.root):
            if name not in seen:
                seen.add(name)
                self._memory.parent.mkdir(parents=True, exist_ok=True)
                with self._memory.open("a", encoding="utf-8") as stream:
                    stream.write(f"{name}\n")

    def _forget(self, name: str) -> None:
        seen = self._read_memory()
        with self._guard, told(self.local.root):
            if name in seen:
                seen.discard(name)
                self._memory.write_text("".join(f"{other}\n" for other in sorted(seen)), encoding="utf-8")


def object_name(digest: str) -> str:
    return f"objects/{digest[:2]}/{digest}"


def picture_folder(pixels: str) -> str:
    """Where the PNGs of a picture lie, each named by its bytes: another library packs the same pixels otherwise."""
    return f"pictures/{pixels[:2]}/{pixels}"


def digest_of(name: str) -> str:
    """What the bytes of a file there must have as their digest."""
    return name.rpartition("/")[2].partition(".")[0]


def _shows(png: Path, digest: str) -> bool:
    """Whether a PNG has the pixels of a digest."""
    from .media import picture

    try:
        return picture.digest(picture.read(png)) == digest
    except StoryError:
        return False
