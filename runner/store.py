"""The store: results kept by their content, in the project's .matchcut folder."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import Problem, StoryError
from .facts import Done
from .footage import OWN
from .takes import Take

FORMAT = 1
"""Of the records in the store, which are JSON."""
_REFLINK = 0x40049409  # FICLONE: shares the blocks of two files until one of them is written
_OURS = "# matchcut keeps this machine's results here; they do not belong in git.\n*\n"


class LocalStore:
    """Objects by the sha256 of their bytes, pictures by the digest of their pixels, records by key.

    Everything is written beside its place, synced and moved in: what stands under a name is whole.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.objects = root / "store" / "objects"
        self.pictures = root / "store" / "pictures"
        self.contacts = root / "store" / "contacts"
        self.records = root / "store" / "takes"
        self.results = root / "store" / "done"
        self.lanes = root / "lanes"
        self.temporary = root / "tmp"

    def make(self) -> None:
        """Make the folders. Raises StoryError where they cannot be made."""
        with told(self.root):
            for folder in (self.objects, self.pictures, self.contacts, self.records, self.results, self.temporary):
                folder.mkdir(parents=True, exist_ok=True)
            ignore = self.root / ".gitignore"
            if not ignore.exists():
                self.write(ignore, _OURS.encode())

    # objects

    def path(self, digest: str) -> Path:
        return self.objects / digest[:2] / digest

    def has(self, digest: str) -> bool:
        return os.path.isfile(f"{self.objects}/{digest[:2]}/{digest}")  # noqa: PTH113 - a path takes longer than the look

    def keep(self, source: Path, digest: str) -> Path:
        """Move a finished file in under its digest; an object that is there already stays as it is."""
        place = self.path(digest)
        with told(self.root):
            if place.is_file():
                source.unlink()
                return place
            place.parent.mkdir(parents=True, exist_ok=True)
            source.chmod(0o444)  # an original is never edited
            _sync(source)
            source.replace(place)
            _sync(place.parent)
        return place

    def sound(self, digest: str, elsewhere: Path | None = None) -> bool:
        """Whether an object has the bytes its name says. A damaged one is set aside, and put right from a good copy."""
        place = self.path(digest)
        if place.is_file() and hash_file(place) == digest:
            return True
        with told(self.root):
            if place.is_file():
                self._set_aside(place)
            if elsewhere is None or not elsewhere.is_file() or hash_file(elsewhere) != digest:
                return False
            copy(elsewhere, place)
            place.chmod(0o444)
        return True

    def _set_aside(self, place: Path) -> str:
        aside = self.root / "store" / "damaged" / place.name
        with told(self.root):
            aside.parent.mkdir(parents=True, exist_ok=True)
            place.replace(aside)
        return f"{self.root.name}/store/damaged/{place.name}"

    def picture(self, digest: str) -> Path:
        return self.pictures / f"{digest}.png"

    def contact(self, clip: str) -> Path:
        """The contact strip of a clip: a cache, drawn again when it is missing."""
        return self.contacts / f"{clip}.jpg"

    # takes that were drawn here

    def drawn(self, key: str, *, whole: bool = True) -> tuple[Take, ...]:
        """The takes of a key, by number; ``whole``: only those whose clips are here."""
        folder = f"{self.records}/{key[:2]}/{key}"  # asked for every shot: making paths of it takes longer than reading
        try:
            names = sorted(os.listdir(folder), key=lambda name: (len(name), name))
        except FileNotFoundError:
            return ()
        found = (_take(f"{folder}/{name}") for name in names if name.endswith(".json"))
        takes = sorted((take for take in found if take is not None), key=lambda take: take.take)
        return tuple(take for take in takes if not whole or self.has(take.clip))

    def all_takes(self) -> list[Take]:
        """Every take that was ever recorded here, by key and number."""
        return [take for path in sorted(self.records.glob("*/*")) for take in self.drawn(path.name, whole=False)]

    def record(self, take: Take) -> None:
        """Write down a take. What was bought never takes the place of another take; a drawing is drawn again."""
        folder = self.records / take.key[:2] / take.key
        name = f"{take.take}.json"
        there = {path.name: other for path in folder.glob("*.json") if (other := _take(path)) is not None}
        if name in there and there[name].identity != take.identity and take.usd is not None:
            name = f"{take.take}-{take.clip[:12]}.json"
        self.write(folder / name, _text(take.as_data()))
        for old, other in there.items():
            if old != name and other.identity == take.identity:
                (folder / old).unlink(missing_ok=True)  # it has another number by now

    def lane(self, lane: str, board: str, shot: str) -> Path:
        return self.lanes / lane / board / f"{shot}.json"

    def noted(self, lane: str, board: str) -> set[str]:
        """The shots a lane knows anything of."""
        folder = self.lanes / lane / board
        names = os.listdir(folder) if folder.is_dir() else []
        return {name.removesuffix(".json") for name in names if name.endswith(".json")}

    def lane_of(self, lane: str, board: str, shot: str) -> dict[str, Any]:
        """What a lane knows of a shot: ``keys`` in the order they were made, ``wanted`` takes and circles by key."""
        return _ours(f"{self.lanes}/{lane}/{board}/{shot}.json") or {}

    def note(
        self, lane: str, board: str, shot: str, *, key: str | None = None, wanted: Mapping[str, int] | None = None,
        circled: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Note that a shot was made with a key, that more takes of one are wanted, or which is circled (None: none)."""
        data = self.lane_of(lane, board, shot)
        keys = [other for other in data.get("keys", []) if other != key]
        new = {**data, "keys": [*keys, key] if key else keys, "wanted": {**data.get("wanted", {}), **(wanted or {})}}
        if circled is not None:
            known = {**data.get("circled", {}), **circled}
            new["circled"] = {name: circle for name, circle in known.items() if circle is not None}
        if new != data:
            self.write(self.lane(lane, board, shot), _text(new))

    def boards(self) -> Iterator[tuple[str, str]]:
        """Every lane and notebook: a storyboard, or ``storyboard/variant``."""
        for folder in sorted([*self.lanes.glob("*/*/"), *self.lanes.glob("*/*/*/")]):
            lane, _, board = folder.relative_to(self.lanes).as_posix().partition("/")
            yield lane, board

    def move_notes(self, board: str, old: str, new: str) -> int:
        """What is noted of a shot goes along to its new id, in every lane; how many files that moved."""
        moved = 0
        for lane, other in self.boards():
            source = self.lane(lane, other, old)
            if other.partition("/")[0] == board and source.is_file():
                mine, theirs = self.lane_of(lane, other, old), self.lane_of(lane, other, new)
                keys = list(dict.fromkeys([*mine.get("keys", []), *theirs.get("keys", [])]))
                data = {
                    **mine,
                    **theirs,
                    "keys": keys,
                    "wanted": {**mine.get("wanted", {}), **theirs.get("wanted", {})},
                }
                if circled := {**mine.get("circled", {}), **theirs.get("circled", {})}:
                    data["circled"] = circled
                self.write(self.lane(lane, other, new), _text(data))
                source.unlink()
                moved += 1
        return moved

    # results of local steps

    def done(self, key: str) -> Done | None:
        """What a local step gave, if its files are still here."""
        data = _json(self.results / f"{key}.json")
        if data is None or newer(data) or not all(self.has(digest) for digest in data["outputs"].values()):
            return None
        return Done(key, data["outputs"], data.get("receipts", {}))

    def finish(self, done: Done) -> None:
        """Write down what a local step gave."""
        data = {"outputs": dict(done.outputs), "receipts": dict(done.receipts)}
        self.write(self.results / f"{done.key}.json", _text(data))

    # files

    def write(self, place: Path, data: bytes) -> None:
        """Write a file whole: beside its place, synced, moved in."""
        with told(self.root):
            write(place, data)

    def replace(self, place: Path, data: bytes) -> None:
        """Write a file whole, unless these bytes stand there already."""
        if not place.is_file() or place.read_bytes() != data:
            self.write(place, data)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder for temporary files, gone afterwards."""
        with told(self.root):
            self.temporary.mkdir(parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(dir=self.temporary))
        try:
            yield folder
        finally:
            try:
                folder.rmdir()  # as it should be: what was made has been moved
            except OSError:
                shutil.rmtree(folder, ignore_errors=True)

    def sweep(self) -> None:
        """Remove what a run that was killed left half-made. Only the holder of the project's lock may."""
        shutil.rmtree(self.temporary, ignore_errors=True)
        for folder in (self.pictures, self.contacts):
            for name in os.listdir(folder) if folder.is_dir() else []:
                if not name.endswith((".png", ".jpg")) or name.startswith("."):
                    (folder / name).unlink(missing_ok=True)

    def verify(self, *, aside: bool = False) -> list[Problem]:
        """Every object against its name, every record against what it names. ``aside``: what is damaged is set aside.

        Otherwise it reads only.
        """
        problems: list[Problem] = []
        damaged = [path for path in sorted(self.objects.glob("*/*")) if hash_file(path) != path.name]
        remedy = "run again: it is put right from its copy in out/, pulled from the shared store, or drawn anew"
        paid = "run again: it is put right from its copy in out/, or pulled from the shared store"
        records = [data for name in self.records.glob("*/*/*.json") if (data := _json(name)) is not None]
        bought = {data.get("clip") for data in records if not str(data.get("provider")).startswith(("animatic", OWN))}
        for path in damaged:
            where = f"; it was set aside as {self._set_aside(path)}" if aside else ""
            problems.append(
                Problem(
                    f"object {path.name[:12]} does not have the bytes its name says{where}",
                    paid if path.name in bought else remedy,
                )
            )
        for path in sorted(self.pictures.glob("*.png")):
            from .media import picture

            try:
                right = picture.digest(picture.read(path)) == path.stem
            except StoryError:
                right = False
            if not right:
                where = f"; it was set aside as {self._set_aside(path)}" if aside else ""
                fact = f"picture {path.stem[:12]} does not have the pixels its name says{where}"
                problems.append(Problem(fact, "run again: it is taken out of its clip again"))
        for path in sorted([*self.records.glob("*/*/*.json"), *self.results.glob("*.json")]):
            data = _json(path)
            if data is None:
                problems.append(Problem(f"record {path.relative_to(self.root)} cannot be read"))
                continue
            named = [data["clip"]] if "clip" in data else list(data.get("outputs", {}).values())
            for digest in named:
                if not self.has(digest):
                    fact = f"record {path.relative_to(self.root)} names object {digest[:12]}, which is missing"
                    problems.append(Problem(fact, _again(data)))
        return problems


def _again(record: Mapping[str, Any]) -> str:
    """What brings a missing clip back, by who made it."""
    maker = str(record.get("provider", ""))
    if "clip" not in record:
        return "run again: the pipeline's command is run anew"
    if maker.startswith("animatic"):
        return "run again: what was drawn is drawn anew"
    if maker == OWN:
        return "run again: own footage is taken in anew"
    back = "run again: it is put right from its copy in out/, or pulled from the shared store"
    return f"{back}; where it is in neither, run says what buying it again would cost"


def write(place: Path, data: bytes) -> None:
    """Write a file whole: beside its place, synced, moved in. Raises OSError."""
    with _beside(place) as part:
        with part.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        part.chmod(0o644)
        part.replace(place)
    _sync(place.parent)


def copy(source: Path, place: Path) -> None:
    """A copy that shares its blocks with the original where the file system can. Raises OSError."""
    with _beside(place) as part:
        if not _reflink(source, part):
            shutil.copyfile(source, part)
        part.chmod(0o644)
        part.replace(place)


def probe(place: Path) -> None:
    """Raises OSError where a file could not be written. Nothing is left behind."""
    made = not place.parent.is_dir()
    with _beside(place):
        pass
    if made:
        place.parent.rmdir()


@contextmanager
def _beside(place: Path) -> Iterator[Path]:
    """A temporary file in the folder of a file, gone afterwards. What fails is said of the file that was meant."""
    place.parent.mkdir(parents=True, exist_ok=True)
    part: str | None = None
    try:
        handle, part = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name[:40]}.")
        os.close(handle)
        yield Path(part)
    except OSError as error:
        if error.filename is None or Path(error.filename).name.startswith(f".{place.name[:40]}."):
            error.filename = str(place)
        raise
    finally:
        if part is not None:
            Path(part).unlink(missing_ok=True)


def _reflink(source: Path, place: Path) -> bool:
    try:
        import fcntl

        with source.open("rb") as theirs, place.open("wb") as ours:
            fcntl.ioctl(ours.fileno(), _REFLINK, theirs.fileno())
    except (ImportError, OSError):
        return False
    return True


def hash_file(path: Path) -> str:
    """sha256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def told(folder: Path) -> Iterator[None]:
    """What a disk refuses, in plain words; ``folder`` is what was to be written in."""
    try:
        yield
    except OSError as error:
        place = str(error.filename or folder)
        kept = "nothing that was made is lost"
        facts = {
            errno.ENOSPC: ("the disk is full", f"free some space and run again: {kept}"),
            errno.EDQUOT: ("the disk quota is used up", f"free some space and run again: {kept}"),
            errno.EFBIG: (f"{place} may not grow so large", f"a higher limit (ulimit -f), and run again: {kept}"),
            errno.EROFS: (f"{place} is on a read-only disk", "a folder that can be written"),
            errno.EACCES: (
                f"{place} cannot be written: permission denied",
                "a folder that can be written, or chmod u+w",
            ),
            errno.EPERM: (f"{place} cannot be written: not permitted", "a folder that can be written"),
            errno.ENOTDIR: (f"{place}: what should be a folder is a file", "another name"),
            errno.EEXIST: (f"{place}: what should be a folder is a file", "another name"),
        }
        fact, remedy = facts.get(error.errno or 0, (f"{place}: {error.strerror or error}", None))
        raise StoryError.of(fact, remedy, exit_code=1) from error


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _json(path: Path | str) -> dict[str, Any] | None:
    try:
        data = json.loads(_bytes(path))
    except (FileNotFoundError, ValueError):
        return None
    return data if isinstance(data, dict) else None


def newer(data: Mapping[str, Any]) -> bool:
    """Whether a record was written in a format that this version does not know. One that says none is of the first."""
    version = data.get("matchcut", FORMAT)
    return type(version) is not int or version > FORMAT


def _ours(path: Path | str) -> dict[str, Any] | None:
    """A record that is more than a cache: StoryError where a newer version wrote it."""
    data = _json(path)
    if data is not None and newer(data):
        fact = f"{path} has format {data['matchcut']}; this matchcut reads up to {FORMAT}"
        raise StoryError.of(fact, "a newer matchcut; nothing was changed", exit_code=1)
    return data and {name: value for name, value in data.items() if name != "matchcut"}


def _take(path: Path | str) -> Take | None:
    data = _ours(path)
    return Take.from_data(data) if data else None


_SMALL = 16384


def _bytes(path: Path | str) -> bytes:
    """A file, mostly a small one: read with as few calls as can be."""
    handle = os.open(path, os.O_RDONLY)
    try:
        data = os.read(handle, _SMALL)
        while len(data) >= _SMALL and (more := os.read(handle, _SMALL * 16)):
            data += more
        return data
    finally:
        os.close(handle)


def _text(data: Mapping[str, Any]) -> bytes:
    return (json.dumps({"matchcut": FORMAT, **data}, ensure_ascii=False, indent=1) + "\n").encode()
