"""The shared store: by content, never overwriting, held against its names both ways, on a folder and on a real S3 server."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.errors import Problem, StoryError
from runner.facts import Done
from runner.media import picture
from runner.remote import SharedStore, object_name, picture_folder
from runner.sharing import pull_done, pull_take, push_done, push_take, together
from runner.shelf import Bucket, Folder, Shelf, shelf
from runner.store import LocalStore
from runner.takes import Take

from .buckets import bucket
from .faulty import Faulty

T = TypeVar("T")
WORLDS = int(os.environ.get("MATCHCUT_STORES", "25"))


@pytest.fixture(scope="module")
def buckets() -> Iterator[str]:
    with bucket("shelves") as url:
        yield url


@pytest.fixture(params=["folder", "s3", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shelf]:
    if request.param == "folder":
        yield Folder(tmp_path / "shared")
    elif request.param == "memory":
        yield Bucket(f"memory://{tmp_path.name}")
    else:
        yield Bucket(f"{request.getfixturevalue('buckets')}/{tmp_path.name}")


def store(folder: Path) -> LocalStore:
    made = LocalStore(folder / ".matchcut")
    made.make()
    return made


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def keep(local: LocalStore, data: bytes) -> str:
    with local.scratch() as folder:
        (folder / "clip").write_bytes(data)
        local.keep(folder / "clip", digest(data))
    return digest(data)


def frame(local: LocalStore, shade: int) -> str:
    rgb = np.full((4, 6, 3), shade, np.uint8)
    local.write(local.picture(picture.digest(rgb)), picture.png(rgb))
    return picture.digest(rgb)


def take(local: LocalStore, number: int, data: bytes = b"") -> Take:
    """A bought take whose clip and frames are here."""
    clip = keep(local, data or os.urandom(200) + bytes([number]))
    frames = {"first": {"digest": frame(local, number)}, "last": {"digest": frame(local, number + 100)}}
    return Take(number, digest(bytes([number])), clip, "runware", "klingai:5@3", frames=frames, bytes=201)


def shared(place: Shelf, local: LocalStore, **options: int) -> SharedStore:
    return SharedStore(place, local, sleep=lambda _: None, **options)


def verified(there: SharedStore) -> list[Problem]:
    found = [there.verify(name) for name, _ in there.inventory()]
    return [problem for problem in found if problem is not None]


# The shelf


def test_a_name_is_created_once_and_stays_as_it_is(place: Shelf, tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"other bytes")
    assert place.create("a/b", b"first")
    assert not place.create("a/b", b"second")
    assert not place.put("a/b", tmp_path / "other")
    assert place.put("a/c", tmp_path / "other")
    assert (5, None) == (place.size("a/b"), place.size("a/none"))
    assert (b"irs", b"other bytes") == (place.read("a/b", 1, 4), place.read("a/c", 0, 11))
    assert [("a/b", 5), ("a/c", 11)] == list(place.names("a"))
    assert [] == list(place.names("nothing"))
    with pytest.raises(FileNotFoundError):
        place.read("a/none", 0, 1)


def test_a_small_file_is_replaced_only_as_it_was_read(place: Shelf) -> None:
    place.create("leases/k", b"first")
    sheet = place.get("leases/k")
    assert sheet is not None
    assert place.replace("leases/k", b"second", sheet)
    assert not place.replace("leases/k", b"third", sheet)
    now = place.get("leases/k")
    assert now is not None
    assert b"second" == now.data
    place.move("leases/k", "damaged/k")
    assert place.get("leases/k") is None
    assert not place.replace("leases/k", b"third", now)
    place.remove("damaged/k")
    place.remove("damaged/k")
    assert [] == list(place.names("damaged"))


def test_of_many_who_create_a_name_at_once_one_does(place: Shelf) -> None:
    won: list[int] = []
    ready = threading.Barrier(6)

    def one(n: int) -> None:
        ready.wait()
        if place.create("leases/race", b"%d" % n):
            won.append(n)

    threads = [threading.Thread(target=one, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sheet = place.get("leases/race")
    assert sheet is not None
    assert [int(sheet.data)] == won


# Push and pull


def test_what_is_pushed_is_pulled_elsewhere_byte_for_byte(place: Shelf, tmp_path: Path) -> None:
    mine, theirs = store(tmp_path / "mine"), store(tmp_path / "theirs")
    some = [take(mine, n) for n in range(1, 6)]
    graded = Done("d" * 64, {"clip": keep(mine, b"a graded clip")}, {"clip": {"frames": {}}})
    here = shared(place, mine)
    done = together(here, [*(partial(push_take, here, "0010", t) for t in some), partial(push_done, here, graded)])
    assert (16, 0, [], []) == (done.files, done.there, done.problems, done.absent)
    again = together(shared(place, mine), [partial(push_take, shared(place, mine), "0010", t) for t in some])
    assert (0, 15) == (again.files, again.there), "nothing is moved twice"

    there = shared(place, theirs)
    done = together(there, [partial(pull_take, there, "0010", t) for t in some])
    done.add(pull_done(there, graded.key))
    assert (16, []) == (done.files, done.problems)
    for one in some:
        assert mine.path(one.clip).read_bytes() == theirs.path(one.clip).read_bytes()
        assert (one,) == there.takes(one.key)
        for name in ("first", "last"):
            pixels = one.frames[name]["digest"]
            assert mine.picture(pixels).read_bytes() == theirs.picture(pixels).read_bytes()
    assert graded == theirs.done(graded.key)
    assert () == there.takes("f" * 64)
    assert there.done("f" * 64) is None


def test_a_pull_that_was_interrupted_goes_on_where_it_was(tmp_path: Path) -> None:
    mine, theirs = store(tmp_path / "mine"), store(tmp_path / "theirs")
    folder = Folder(tmp_path / "shared")
    one = take(mine, 1, os.urandom(1000))
    push_take(shared(folder, mine), "0010", one)
    part = theirs.root / "partial" / one.clip
    part.parent.mkdir()
    part.write_bytes(mine.path(one.clip).read_bytes()[:300])
    asked: list[tuple[int, int]] = []

    class Counting(Folder):
        def read(self, name: str, start: int, end: int) -> bytes:
            asked.append((start, end))
            return super().read(name, start, end)

    assert "got" == shared(Counting(tmp_path / "shared"), theirs, chunk_bytes=400).get_object(one.clip)
    assert [(300, 700), (700, 1000)] == asked
    assert mine.path(one.clip).read_bytes() == theirs.path(one.clip).read_bytes()
    assert not part.exists()


def test_a_part_that_does_not_belong_is_thrown_away_and_fetched_anew(tmp_path: Path) -> None:
    mine, theirs = store(tmp_path / "mine"), store(tmp_path / "theirs")
    one = take(mine, 1, os.urandom(1000))
    place = Folder(tmp_path / "shared")
    push_take(shared(place, mine), "0010", one)
    for wrong in (b"x" * 300, b"x" * 2000):
        part = theirs.root / "partial" / one.clip
        part.parent.mkdir(exist_ok=True)
        part.write_bytes(wrong)
        assert "got" == shared(place, theirs).get_object(one.clip)
        assert mine.path(one.clip).read_bytes() == theirs.path(one.clip).read_bytes()
        theirs.path(one.clip).unlink()


def test_a_damaged_object_is_never_taken_in_and_is_set_aside_by_verify_and_put_right_by_push(
    place: Shelf, tmp_path: Path
) -> None:
    mine, theirs = store(tmp_path / "mine"), store(tmp_path / "theirs")
    one = take(mine, 1)
    push_take(shared(place, mine), "0010", one)
    pixels = one.frames["last"]["digest"]
    ((framed, _),) = place.names(picture_folder(pixels))
    for name in (object_name(one.clip), framed):
        place.remove(name)
        place.create(name, b"\0" * 201)
    there = shared(place, theirs)
    done = pull_take(there, "0010", one)
    assert [
        f"0010 take 1: object {one.clip[:12]} is damaged in {place.url}: it does not have the bytes its name says"
    ] == [p.fact for p in done.problems]
    assert not theirs.has(one.clip)
    problems = verified(there)
    assert [object_name(one.clip), framed] == [problem.fact.split()[0] for problem in problems]
    assert 2 == len(list(place.names("damaged")))
    assert [f"0010 take 1: its clip {one.clip[:12]} is not in {place.url}"] == pull_take(there, "0010", one).absent

    assert 2 == push_take(shared(place, mine), "0010", one).files
    assert [] == verified(there)
    assert 3 == pull_take(there, "0010", one).files
    assert mine.path(one.clip).read_bytes() == theirs.path(one.clip).read_bytes()


def test_what_is_damaged_here_is_not_pushed(tmp_path: Path) -> None:
    mine, place = store(tmp_path), Folder(tmp_path / "shared")
    one = take(mine, 1)
    mine.path(one.clip).chmod(0o644)
    mine.path(one.clip).write_bytes(b"damaged")
    with pytest.raises(StoryError, match="is damaged on this machine, and was not pushed"):
        push_take(shared(place, mine), "0010", one)
    assert [] == list(place.names("objects"))


@pytest.mark.parametrize("seed", range(WORLDS))
def test_a_store_that_fails_truncates_and_corrupts_loses_nothing_and_is_always_noticed(
    seed: int, tmp_path: Path
) -> None:
    inner = Folder(tmp_path / "shared")
    mine, theirs = store(tmp_path / "mine"), store(tmp_path / "theirs")
    some = [take(mine, n, hashlib.sha512(b"%d %d" % (seed, n)).digest() * n) for n in range(1, 4)]
    rate = (0.1, 0.3, 0.5)[seed % 3]

    pushing = shared(Faulty(inner, seed, rate), mine)
    told = until_done(lambda: [push_take(pushing, "0010", one).problems for one in some])
    assert len(pushing.shelf.faults) <= len(pushing.noticed) + told  # type: ignore[attr-defined]

    pulling = shared(Faulty(inner, seed + 1, rate), theirs)
    told = until_done(lambda: [pull_take(pulling, "0010", one).problems for one in some])
    assert len(pulling.shelf.faults) <= len(pulling.noticed) + told  # type: ignore[attr-defined]
    for one in some:
        assert mine.path(one.clip).read_bytes() == theirs.path(one.clip).read_bytes()
        assert until(partial(pulling.takes, one.key)) == (one,)
    assert [] == theirs.verify()
    calm = shared(inner, theirs)
    assert [] == verified(calm)


@given(seed=st.integers(0, 2**32), size=st.integers(0, 3000), chunk=st.integers(1, 1200), rate=st.floats(0, 0.5))
@settings(max_examples=WORLDS, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_never_a_wrong_byte_is_accepted_in_chunks_of_any_size(
    seed: int, size: int, chunk: int, rate: float, tmp_path: Path
) -> None:
    home = tmp_path / f"{seed}-{size}-{chunk}"
    inner = Folder(home / "shared")
    mine, theirs = store(home / "mine"), store(home / "theirs")
    data = (hashlib.sha512(b"%d" % seed).digest() * 50)[:size]
    clip = keep(mine, data)
    chunk = max(chunk, size // 4)
    pushing = Faulty(inner, seed, rate)  # one for all attempts: a new one would have the same bad luck each time
    until(lambda: shared(pushing, mine, chunk_bytes=chunk, tries_max=9).put_object(clip, mine.path(clip)))
    pulling = Faulty(inner, seed + 1, rate)
    until(lambda: shared(pulling, theirs, chunk_bytes=chunk, tries_max=9).get_object(clip))
    assert data == theirs.path(clip).read_bytes()
    assert data == inner.read(object_name(clip), 0, size)


def until_done(act: Callable[[], Sequence[Sequence[Problem]]]) -> int:
    """Do something until it tells no problem; how many it told."""
    told = 0
    for _ in range(300):
        try:
            problems = [problem for some in act() for problem in some]
        except StoryError as error:
            told += len(error.problems)
            continue
        told += len(problems)
        if not problems:
            return told
    raise AssertionError("it never ends")


def until(act: Callable[[], T]) -> T:
    for _ in range(300):
        try:
            return act()
        except StoryError:
            continue
    raise AssertionError("it never ends")


def test_a_store_that_is_down_is_asked_so_often_and_that_is_said(tmp_path: Path) -> None:
    mine = store(tmp_path)
    pauses: list[float] = []
    down = SharedStore(Faulty(Folder(tmp_path / "shared"), 1, rate=1.0), mine, sleep=pauses.append)
    with pytest.raises(StoryError) as caught:
        down.takes("a" * 64)
    (problem,) = caught.value.problems
    assert "faulty:// failed 4 times, the most it is asked (tries_max): it fails" in problem.fact
    assert [0.5, 1.0, 2.0] == pauses
    assert 1 == caught.value.exit_code


def test_a_record_of_a_later_format_is_refused_and_left_alone(tmp_path: Path) -> None:
    place, text = Folder(tmp_path / "shared"), b'{"matchcut": 2, "take": "otherwise"}'
    name = f"takes/aa/{'a' * 64}/{digest(text)}.json"
    place.create(name, text)
    with pytest.raises(StoryError, match="has format 2; this matchcut reads format 1"):
        shared(place, store(tmp_path)).takes("a" * 64)
    assert text == place.read(name, 0, 100)


# Addresses


@pytest.mark.parametrize(
    ("url", "fact", "remedy"),
    [
        ("nowhere://x", "nothing here knows nowhere://", "file://, s3://"),
        ("gs://bucket/x", "what reaches gs:// is not installed", "pip install gcsfs"),
        ("sftp://host/x", "what reaches sftp:// is not installed", "pip install paramiko"),
    ],
)
def test_what_cannot_be_reached_is_said_with_what_to_install(url: str, fact: str, remedy: str, tmp_path: Path) -> None:
    with pytest.raises(StoryError) as caught:
        shelf(url, tmp_path).size("x")
    (problem,) = caught.value.problems
    assert fact in problem.fact
    assert remedy in (problem.remedy or "")


def test_a_folder_may_be_named_from_the_project_or_from_the_root(tmp_path: Path) -> None:
    assert f"file://{tmp_path}/shared" == shelf("file://../shared", tmp_path / "project").url
    assert "file:///srv/clips" == shelf("file:///srv/clips", tmp_path).url
