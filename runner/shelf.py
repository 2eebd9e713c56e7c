"""A shelf: where a shared store's files lie, in a folder or in any object store that fsspec reaches."""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from .errors import StoryError

_CREATES = frozenset({"s3", "s3a", "gs", "gcs", "memory"})
"""File systems of fsspec whose create-if-absent is one act of the store."""
_REPLACES = frozenset({"s3", "s3a"})
"""Those that replace a file only while it is the one that was read: ``If-Match`` on its ETag."""
_FOLDERS = frozenset({"sftp", "ssh", "ftp", "smb", "hdfs", "webhdfs"})
"""Those where a file that is being written can be seen half-written: it is written beside its place, then moved."""
_PACKAGES = {
    "s3": '"matchcut[remote]"', "s3a": '"matchcut[remote]"', "gs": "gcsfs", "gcs": "gcsfs", "sftp": "paramiko",
    "ssh": "paramiko", "az": "adlfs", "abfs": "adlfs", "smb": "smbprotocol",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sheet:
    """A small file with the stamp by which it is known again."""

    data: bytes
    stamp: Any


class Shelf(Protocol):
    """Files by name. Every method raises OSError for what the store refuses or fails at."""

    @property
    def url(self) -> str: ...

    @property
    def conditional(self) -> bool:
        """Whether two who create the same name at once are told apart by the store itself."""
        ...

    @property
    def gone(self) -> bool:
        """Whether there is nothing at its address at all, as where a disk is not mounted. Asks no network."""
        ...

    def size(self, name: str) -> int | None:
        """Bytes of a file; None where there is none."""
        ...

    def read(self, name: str, start: int, end: int) -> bytes:
        """Some bytes of a file. Raises FileNotFoundError."""
        ...

    def put(self, name: str, source: Path) -> bool:
        """Put a file there whole; False where one stands already: it stays."""
        ...

    def create(self, name: str, data: bytes) -> bool:
        """The same for a few bytes."""
        ...

    def get(self, name: str) -> Sheet | None:
        """A small file; None where there is none."""
        ...

    def replace(self, name: str, data: bytes, sheet: Sheet) -> bool:
        """Write a small file anew if it is still the one that was read; False if not."""
        ...

    def remove(self, name: str) -> None: ...

    def move(self, name: str, to: str) -> None: ...

    def names(self, folder: str) -> Iterator[tuple[str, int]]:
        """Every file below a folder, with its bytes."""
        ...


def shelf(url: str, project: Path) -> Shelf:
    """The shelf at an address. ``file://`` without a root is relative to the project. Raises StoryError."""
    scheme, _, rest = url.partition("://")
    if scheme == "file":
        return Folder(project / Path(rest).expanduser())
    return Bucket(url)


class Folder:
    """A folder: on this machine, or mounted. Needs nothing but Python."""

    conditional = True

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.abspath(root))  # noqa: PTH100 - resolve() would follow links that may move
        self.url = f"file://{self.root}"

    @property
    def gone(self) -> bool:
        return not self.root.is_dir()

    def size(self, name: str) -> int | None:
        try:
            return (self.root / name).stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return None

    def read(self, name: str, start: int, end: int) -> bytes:
        with (self.root / name).open("rb") as stream:
            stream.seek(start)
            return stream.read(end - start)

    def put(self, name: str, source: Path) -> bool:
        with self._beside(name) as part:
            shutil.copyfile(source, part)
            return self._moved_in(part, self.root / name)

    def create(self, name: str, data: bytes) -> bool:
        with self._beside(name) as part:
            part.write_bytes(data)
            return self._moved_in(part, self.root / name)

    def get(self, name: str) -> Sheet | None:
        try:
            data = (self.root / name).read_bytes()
        except FileNotFoundError:
            return None
        return Sheet(data, None)

    def replace(self, name: str, data: bytes, sheet: Sheet) -> bool:
        import fcntl

        handle = os.open(self.root / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            now = self.get(name)
            if now is None or now.data != sheet.data:
                return False
            with self._beside(name) as part:
                part.write_bytes(data)
                part.replace(self.root / name)
            return True
        finally:
            os.close(handle)

    def remove(self, name: str) -> None:
        (self.root / name).unlink(missing_ok=True)

    def move(self, name: str, to: str) -> None:
        (self.root / to).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).replace(self.root / to)

    def names(self, folder: str) -> Iterator[tuple[str, int]]:
        for place in sorted((self.root / folder).rglob("*")):
            if place.is_file() and not place.name.startswith("."):
                yield place.relative_to(self.root).as_posix(), place.stat().st_size

    @contextmanager
    def _beside(self, name: str) -> Iterator[Path]:
        folder = (self.root / name).parent
        folder.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=folder, prefix=".part-")
        os.close(handle)
        try:
            yield Path(part)
        finally:
            Path(part).unlink(missing_ok=True)

    def _moved_in(self, part: Path, place: Path) -> bool:
        handle = os.open(part, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        part.chmod(0o644)
        try:
            os.link(part, place)  # unlike a rename, this never takes the place of a file
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK):
                raise
            if place.exists():  # a file system without links
                return False
            part.rename(place)
        return True


class Bucket:
    """What fsspec reaches: S3, Google Cloud Storage, SFTP and others. Credentials come from the environment alone."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.scheme = url.partition("://")[0]
        self.conditional = self.scheme in _CREATES
        self.gone = False  # only asking would tell
        self._guard = threading.Lock()
        self._opened: tuple[Any, str] | None = None

    def _open(self) -> tuple[Any, str]:
        """The file system and the root in it, opened when it is first asked: a run may need nothing from there."""
        with self._guard:
            if self._opened is None:
                with _here(self.scheme):
                    import fsspec

                    # What was listed or opened once is not believed: others write there too.
                    fs, root = fsspec.core.url_to_fs(self.url, skip_instance_cache=True, use_listings_cache=False)
                self._opened = fs, str(root).rstrip("/")
            return self._opened

    @property
    def fs(self) -> Any:
        return self._open()[0]

    @property
    def root(self) -> str:
        return self._open()[1]

    def _at(self, name: str) -> str:
        return f"{self.root}/{name}"

    def size(self, name: str) -> int | None:
        info = self._info(name)
        return None if info is None else int(info["size"])

    def _info(self, name: str) -> dict[str, Any] | None:
        with _ours():
            try:
                info: dict[str, Any] = self.fs.info(self._at(name))
            except FileNotFoundError:
                return None
        return info if info.get("type") != "directory" else None

    def read(self, name: str, start: int, end: int) -> bytes:
        with _ours():
            return bytes(self.fs.cat_file(self._at(name), start=start, end=end))

    def put(self, name: str, source: Path) -> bool:
        place = self._at(name)
        if self.scheme not in _FOLDERS:
            with _ours():
                try:
                    self.fs.put_file(str(source), place, mode="create")
                except FileExistsError:
                    return False
                return True
        if self.size(name) is not None:
            return False
        part = f"{place}.{os.urandom(4).hex()}.part"
        with _ours():
            self._parent(place)
            self.fs.put_file(str(source), part)
            if self.fs.exists(place):
                self.fs.rm_file(part)
                return False
            self.fs.mv(part, place)
        return True

    def create(self, name: str, data: bytes) -> bool:
        place = self._at(name)
        if self.scheme not in _FOLDERS:
            with _ours():
                try:
                    self.fs.pipe_file(place, data, mode="create")
                except FileExistsError:
                    return False
                return True
        if self.size(name) is not None:
            return False
        with _ours():
            self._parent(place)
            self.fs.pipe_file(place, data)
        return True

    def _parent(self, place: str) -> None:
        self.fs.makedirs(place.rpartition("/")[0], exist_ok=True)

    def get(self, name: str) -> Sheet | None:
        info = self._info(name)  # the stamp comes first: what changes after it is not taken for what was read
        if info is None:
            return None
        with _ours():
            try:
                return Sheet(bytes(self.fs.cat_file(self._at(name))), info.get("ETag"))
            except FileNotFoundError:
                return None

    def replace(self, name: str, data: bytes, sheet: Sheet) -> bool:
        place = self._at(name)
        if self.scheme in _REPLACES:
            with _ours():
                try:
                    self.fs.pipe_file(place, data, IfMatch=sheet.stamp)
                except FileNotFoundError:
                    return False
                except OSError as error:
                    if _code(error) in ("PreconditionFailed", "ConditionalRequestConflict"):
                        return False
                    raise
                return True
        now = self.get(name)
        if now is None or now.data != sheet.data:
            return False
        with _ours():
            self.fs.pipe_file(place, data)
        after = self.get(name)
        return after is not None and after.data == data

    def remove(self, name: str) -> None:
        with _ours():
            try:
                self.fs.rm_file(self._at(name))
            except FileNotFoundError:
                return

    def move(self, name: str, to: str) -> None:
        with _ours():
            if self.scheme in _FOLDERS:
                self._parent(self._at(to))
            self.fs.mv(self._at(name), self._at(to))

    def names(self, folder: str) -> Iterator[tuple[str, int]]:
        with _ours():
            try:
                found = self.fs.find(self._at(folder), detail=True)
            except FileNotFoundError:
                return
        for place, info in sorted(found.items()):
            name = str(place)[len(self.root) + 1 :]
            if not name.endswith(".part"):
                yield name, int(info["size"])


def _code(error: BaseException) -> str:
    """The store's own word for a failure."""
    response = getattr(error.__cause__, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


@contextmanager
def _here(scheme: str) -> Iterator[None]:
    """A file system whose package is missing, or that cannot be opened, is the author's to repair."""
    try:
        yield
    except ImportError as error:
        package = _PACKAGES.get(scheme)
        wanted = package or (re.sub(r"\s+", " ", str(error)).strip() or scheme)
        fact = f"what reaches {scheme}:// is not installed"
        # Without fsspec itself its package alone would not do.
        more = "" if package is None or "matchcut" in package else ' "matchcut[remote]"'
        raise StoryError.of(fact, f"pip install {wanted}{more}" if package else wanted, exit_code=1) from error
    except ValueError as error:
        if "rotocol" not in str(error):
            raise StoryError.of(f"the shared store cannot be opened: {error}", exit_code=1) from error
        known = "file://, s3://, gs://, sftp:// or another that fsspec knows"
        raise StoryError.of(f"nothing here knows {scheme}://", known, exit_code=1) from error
    except Exception as error:
        raise StoryError.of(f"the shared store cannot be opened: {said(error)}", exit_code=1) from error


@contextmanager
def _ours() -> Iterator[None]:
    """Every file system raises failures of its own kind; here they become OSError."""
    try:
        yield
    except (OSError, StoryError):
        raise
    except Exception as error:
        raise OSError(errno.EIO, said(error)) from error


def said(error: BaseException) -> str:
    """What a failure says, in one line."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return re.sub(r"\s+", " ", text).strip() or type(error).__name__
