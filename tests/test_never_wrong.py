"""The quick answer is never wrong: whatever happens to whichever file, it is given only where a look at all would give it.

MATCHCUT_CHANGES says how many sequences of changes are tried.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from runner import __version__, api, fast
from runner.cli.run import nothing, remember
from runner.errors import StoryError
from runner.work import Event

from .benchmarks.long import LongFilm

ARGV = ["run", "storyboard.yaml"]
EXAMPLES = int(os.environ.get("MATCHCUT_CHANGES", "25"))
CLIP = "out/clips/001_0000_00000_tk01.mp4"
FILES = (
    "storyboard.yaml", "long.yaml", "tiny.json", "storyboard.takes/00001.yaml", CLIP,
    "out/frames/0000_00001_tk01_last.png", "out/manifest.json", "matchcut.toml", "00001", "storyboard.takes/none.yaml",
)  # fmt: skip
"""Those at the end are not there at first."""


class House:
    """A finished film of three bought shots, and what its files were when the last record was written."""

    def __init__(self, folder: Path) -> None:
        self.film = LongFilm(folder, 3, "paid")
        self.film.fill()
        self.environ = {"RUNWARE_API_KEY": "none", "MATCHCUT_JOBS": "1", "HOME": str(folder)}
        self.first = self.files()
        self.times = {name: (folder / name).stat().st_mtime_ns for name in self.first}
        self.recorded: Mapping[str, bytes] = self.first

    def files(self) -> dict[str, bytes]:
        """Every file of the project and its output."""
        folder = self.film.folder
        found = (Path(place, name) for place, _, names in os.walk(folder) for name in names)
        return {str(p.relative_to(folder)): p.read_bytes() for p in found if ".matchcut" not in p.parts}

    def quick(self) -> str | None:
        return fast.answer(ARGV, __version__)

    def slow(self, tell: Callable[[Event], None] = lambda _: None) -> str | None:
        """What a run says that looks at everything, if that is that there is nothing to do."""
        begun = fast.begin(ARGV)
        try:
            loaded = api.load("storyboard.yaml", environ=self.environ)
            outcome = api.run(loaded, spend=False, tell=tell)
        except StoryError:
            return None
        if outcome.exit_code or outcome.problems or outcome.made or outcome.changed:
            return None
        remember(ARGV, [(loaded, outcome)], begun, None)
        if self.quick() is not None:
            self.recorded = self.files()
        return nothing(outcome)

    def restored(self) -> None:
        """Everything as it was at first, and answered quickly again."""
        for name in self.files().keys() - self.first.keys():
            (self.film.folder / name).unlink()
        for name, data in self.first.items():
            path = self.film.folder / name
            if not path.is_file() or path.read_bytes() != data:
                path.write_bytes(data)
        for _ in range(3):
            if self.quick() is None:
                self.slow()
        assert self.quick() is not None, "it is never answered quickly"

    def check(self) -> None:
        """A quick answer is given only where nothing is different, and is what a look at all says."""
        quick = self.quick()
        if quick is not None:
            assert self.recorded == self.files()
        slow = self.slow()
        assert quick in (None, slow)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("never") / "film")
    with chdir(made.film.folder):
        yield made


def times(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_atime_ns, found.st_mtime_ns


def rewritten(path: Path) -> None:
    path.write_bytes(path.read_bytes())


def edited(path: Path) -> None:
    """Other bytes of the same length in place, under the old time of change."""
    before, data = times(path), path.read_bytes()
    middle = len(data) // 2
    path.write_bytes(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])
    os.utime(path, ns=before)


def grown(path: Path) -> None:
    with path.open("ab") as stream:
        stream.write(b"\n")


def touched(path: Path) -> None:
    path.touch()


def aged(path: Path) -> None:
    os.utime(path, ns=(1, 1_000_000_000))


def replaced(path: Path, change: Callable[[Path], None] = lambda _: None) -> None:
    """Another file in its place, of the same size and under the same time of change."""
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    change(other)
    os.utime(other, ns=times(path))
    other.replace(path)


def swapped(path: Path) -> None:
    replaced(path, edited)


def removed(path: Path) -> None:
    path.unlink()


def away_and_back(path: Path) -> None:
    path.rename(path.with_name("away"))
    path.with_name("away").rename(path)


def made_anew(path: Path) -> None:
    """Its folder is another one, with the same in it."""
    folder = path.parent if path.parent.name else path.absolute().parent / "out"
    kept = {p: (p.read_bytes(), times(p)) for p in folder.iterdir() if p.is_file()}
    for p, (data, before) in kept.items():
        p.unlink()
        p.write_bytes(data)
        os.utime(p, ns=before)


CHANGES = (rewritten, edited, grown, touched, aged, replaced, swapped, removed, away_and_back, made_anew)


def changed(house: House, name: str, change: Callable[[Path], None]) -> None:
    """A change, also to a file that is not there: then it is written first."""
    path = Path(name)
    if not path.exists():
        path.write_bytes(house.first.get(name, b"jobs = 1\n"))
    change(path)


def put_back(house: House, name: str, _: Callable[[Path], None]) -> None:
    """What was there at first, under its old time of change."""
    path = Path(name)
    path.unlink(missing_ok=True)
    if name in house.first:
        path.write_bytes(house.first[name])
        os.utime(path, ns=(house.times[name], house.times[name]))


def while_running(house: House, name: str, change: Callable[[Path], None]) -> None:
    """A change in the middle of a run that has nothing to do."""
    left = [1]

    def tell(_: Event) -> None:
        if left:
            left.pop()
            changed(house, name, change)

    house.slow(tell)


ACTS = (changed, changed, put_back, while_running)
steps = st.tuples(st.sampled_from(ACTS), st.sampled_from(FILES), st.sampled_from(CHANGES), st.booleans())


@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES <= 25, phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(st.lists(steps, min_size=1, max_size=4))
def test_a_quick_answer_is_what_a_look_at_everything_gives(house: House, steps: list[tuple[object, ...]]) -> None:
    house.restored()
    for act, name, change, look in steps:
        with suppress(FileNotFoundError):
            act(house, name, change)  # type: ignore[operator]
        if look:
            house.check()
    house.check()


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: str(change.__name__))
def test_every_change_to_every_file_is_looked_into(house: House, change: Callable[[Path], None]) -> None:
    house.restored()
    for name in FILES:
        with suppress(FileNotFoundError):
            changed(house, name, change)
        assert house.quick() is None, name
        house.restored()
