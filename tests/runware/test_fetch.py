"""Fetching a clip: it comes whole or not at all, from where it may come from."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from runner.errors import StoryError

from .service import CLIP_URL, VIDEO, Broken, Desk, Flood, Reply, ack, error_of


def box(name: bytes, content: bytes) -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + name + content


FTYP = box(b"ftyp", b"isom\0\0\2\0isommp41")
CLIP = FTYP + box(b"moov", bytes(400)) + box(b"mdat", bytes(range(256)) * 20)
MOV = box(b"ftyp", b"qt  \0\0\2\0qt  ") + CLIP[len(FTYP) :]
WEBM = b"\x1a\x45\xdf\xa3" + bytes(300)


def desk_of(folder: Path, get: Callable[[httpx.Request], Reply], **options: object) -> Desk:
    return Desk(folder, lambda task, request: ack(), get, **options)  # type: ignore[arg-type]


def served(content: bytes, **headers: str) -> Callable[[httpx.Request], Reply]:
    return lambda request: httpx.Response(200, content=content, headers=headers)


def in_turn(*replies: Reply) -> Callable[[httpx.Request], Reply]:
    left = iter(replies)
    return lambda request: next(left)


def nothing_left(folder: Path) -> bool:
    return not (folder / "in").exists() or [] == list((folder / "in").iterdir())


@pytest.mark.parametrize(("content", "suffix"), [(CLIP, ".mp4"), (MOV, ".mov"), (WEBM, ".webm")])
def test_a_clip_is_named_by_its_number_and_what_it_is(tmp_path: Path, content: bytes, suffix: str) -> None:
    desk = desk_of(tmp_path, served(content))
    path = desk.fetch(f"{CLIP_URL}?sig=1")
    assert (f"{VIDEO}{suffix}", content) == (path.name, path.read_bytes())
    assert [path] == list(path.parent.iterdir())
    (request,) = desk.wire.requests
    assert f"{CLIP_URL}?sig=1" == str(request.url)
    assert "Authorization" not in request.headers


@pytest.mark.parametrize("status", [404, 408, 422, 425, 429, 500, 502, 503])
def test_a_clip_that_is_not_ready_is_asked_for_again(tmp_path: Path, status: int) -> None:
    replies = [*(httpx.Response(status) for _ in range(5)), httpx.Response(200, content=CLIP)]
    desk = desk_of(tmp_path, in_turn(*replies))
    assert CLIP == desk.fetch().read_bytes()
    assert 1 + 2 + 4 + 8 + 16 == desk.clock.time - 1000


def test_a_clip_that_never_becomes_ready_is_lost_after_minutes(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, lambda request: httpx.Response(404))
    error = error_of(desk.fetch)
    assert ("asset", True) == (error.trouble, error.started)
    assert "vm.runware.ai does not have the clip ready (HTTP 404), for 5 minutes" == error.fact
    assert 240 < desk.clock.time - 1000 <= 300
    assert nothing_left(tmp_path)


def test_the_server_says_when_to_come_again(tmp_path: Path) -> None:
    desk = desk_of(
        tmp_path, in_turn(httpx.Response(503, headers={"Retry-After": "50"}), httpx.Response(200, content=CLIP))
    )
    desk.fetch()
    assert 50 == desk.clock.time - 1000


@pytest.mark.parametrize("status", [400, 401, 403, 410, 451])
def test_a_clip_that_is_refused_is_an_error_at_once(tmp_path: Path, status: int) -> None:
    desk = desk_of(tmp_path, lambda request: httpx.Response(status))
    assert f"HTTP {status}" in error_of(desk.fetch).fact
    assert 1 == len(desk.wire.requests)


def ranges(*, cut: int, tag: str | None = '"v1"', then: str = "") -> Callable[[httpx.Request], Reply]:
    """A server that breaks off after some bytes the first time, and knows ranges."""
    seen = []

    def get(request: httpx.Request) -> Reply:
        seen.append(request)
        headers = {"Content-Length": str(len(CLIP)), **({"ETag": tag} if tag else {})}
        asked = request.headers.get("Range")
        if len(seen) == 1:
            return httpx.Response(200, headers=headers, stream=Broken(CLIP[:cut]))
        if asked is None or then == "whole":
            return httpx.Response(200, headers=headers, content=CLIP)
        if then == "416":
            return httpx.Response(416)
        at = int(asked.removeprefix("bytes=").removesuffix("-"))
        told = at + 7 if then == "wrong" else at
        total = len(CLIP) + 1 if then == "longer" else len(CLIP)
        more = {"Content-Range": f"bytes {told}-{len(CLIP) - 1}/{total}", "Content-Length": str(len(CLIP) - at)}
        return httpx.Response(206, headers={**headers, **more}, content=CLIP[at:])

    return get


def test_a_clip_that_broke_off_is_resumed_where_it_broke_off(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, ranges(cut=3000))
    assert CLIP == desk.fetch().read_bytes()
    assert [(None, None), ("bytes=3000-", '"v1"')] == [
        (request.headers.get("Range"), request.headers.get("If-Range")) for request in desk.wire.requests
    ]


@pytest.mark.parametrize("tag", [None, 'W/"weak"'])
def test_without_a_mark_of_the_version_it_comes_from_the_start(tmp_path: Path, tag: str | None) -> None:
    desk = desk_of(tmp_path, ranges(cut=3000, tag=tag))
    assert CLIP == desk.fetch().read_bytes()
    assert "Range" not in desk.wire.requests[1].headers


@pytest.mark.parametrize("then", ["whole", "wrong", "longer", "416"])
def test_a_range_that_is_not_kept_to_begins_from_the_start(tmp_path: Path, then: str) -> None:
    assert CLIP == desk_of(tmp_path, ranges(cut=3000, then=then)).fetch().read_bytes()


def test_a_clip_shorter_than_its_length_is_not_believed(tmp_path: Path) -> None:
    short = httpx.Response(200, headers={"Content-Length": str(len(CLIP))}, stream=httpx.ByteStream(CLIP[:-9]))
    desk = desk_of(tmp_path, in_turn(short, httpx.Response(200, content=CLIP)))
    assert CLIP == desk.fetch().read_bytes()


def test_a_connection_that_always_breaks_at_once_is_an_error_at_last(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, lambda request: httpx.ReadError("reset"))
    assert "asset" == error_of(desk.fetch).trouble
    assert nothing_left(tmp_path)


def test_a_slow_clip_that_comes_in_many_pieces_is_not_given_up(tmp_path: Path) -> None:
    def get(request: httpx.Request) -> Reply:
        at = int(request.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        desk.clock.time += 200
        headers = {"ETag": '"v1"', "Content-Length": str(len(CLIP) - at)}
        if at:
            headers["Content-Range"] = f"bytes {at}-{len(CLIP) - 1}/{len(CLIP)}"
        body = Broken(CLIP[at : at + 500])
        if at + 500 >= len(CLIP):
            return httpx.Response(206, headers=headers, content=CLIP[at:])
        return httpx.Response(206 if at else 200, headers=headers, stream=body)

    desk = desk_of(tmp_path, get)
    assert CLIP == desk.fetch().read_bytes()
    assert len(desk.wire.requests) > 10


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<!DOCTYPE html><html>please wait</html>", "a web page"),
        (b'{"errors": [{"code": "x"}]}', "JSON"),
        (b"", "nothing"),
        (b"GIF89a" + bytes(100), "no clip"),
        (CLIP[:-100], "cut off"),
        (FTYP + box(b"mdat", bytes(500)), "cut off"),
        (CLIP + b"\0\0", "cut off"),
    ],
)
def test_what_is_no_whole_clip_is_not_kept(tmp_path: Path, content: bytes, words: str) -> None:
    error = error_of(desk_of(tmp_path, served(content)).fetch)
    assert "asset" == error.trouble
    assert words in error.fact
    assert nothing_left(tmp_path)


def test_what_is_no_clip_is_seen_at_its_first_bytes(tmp_path: Path) -> None:
    floods: list[Flood] = []

    def get(request: httpx.Request) -> Reply:
        floods.append(Flood(64 << 20, b"<!DOCTYPE html><html>"))
        return httpx.Response(200, stream=floods[-1])

    assert "a web page" in error_of(desk_of(tmp_path, get).fetch).fact
    assert 0 == sum(flood.read for flood in floods)


def test_a_clip_that_is_said_to_be_huge_is_not_begun(tmp_path: Path) -> None:
    flood = Flood(64 << 20, CLIP)
    get = in_turn(httpx.Response(200, headers={"Content-Length": str(3 * 1024**3)}, stream=flood))
    error = error_of(desk_of(tmp_path, get).fetch)
    assert ("the clip is larger than 2 GiB (CLIP_BYTES_MAX)", 0) == (error.fact, flood.read)


@pytest.mark.parametrize(
    "address",
    [
        "http://vm.runware.ai/a.mp4",
        "https://evil.example/a.mp4",
        "https://runware.ai.evil.example/a.mp4",
        "https://evilrunware.ai/a.mp4",
        "https://vm.runware.ai:8443/a.mp4",
        "https://me:pw@vm.runware.ai/a.mp4",
        "https://127.0.0.1/a.mp4",
        "http://127.0.0.1:8787/a.mp4",
        "file:///etc/passwd",
        "ftp://vm.runware.ai/a.mp4",
        "/a.mp4",
        "",
        "https://",
        "https://[::1/a",
        "https://inner.runware.ai/a.mp4",
        "https://mapped.runware.ai/a.mp4",
        "https://meta.runware.ai/a.mp4",
    ],
)
def test_a_clip_is_not_fetched_from_just_anywhere(tmp_path: Path, address: str) -> None:
    names = {
        "inner.runware.ai": "10.1.2.3",
        "mapped.runware.ai": "::ffff:192.168.1.1",
        "meta.runware.ai": "169.254.169.254",
    }
    desk = desk_of(tmp_path, served(CLIP), names=names)
    error = error_of(lambda: desk.fetch(address))
    assert ("asset", []) == (error.trouble, desk.wire.requests)


@pytest.mark.parametrize(
    "address",
    [
        "https://im.runware.ai/a.mp4",
        "https://cdn.me.example/a",
        "https://my.bucket.example/a",
        "https://own.example:8443/a",
    ],
)
def test_hosts_that_the_user_lists_are_allowed(tmp_path: Path, address: str) -> None:
    desk = desk_of(tmp_path, served(CLIP), hosts=("cdn.me.example", "*.bucket.example", "own.example:8443"))
    assert CLIP == desk.fetch(address).read_bytes()


def test_a_stand_in_on_this_machine_may_give_clips_from_its_own_port_only(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, served(CLIP), url="http://127.0.0.1:8787/v1")
    assert CLIP == desk.fetch("http://127.0.0.1:8787/clips/a.mp4").read_bytes()
    assert CLIP == desk.fetch("http://localhost:8787/clips/a.mp4").read_bytes()
    assert "asset" == error_of(lambda: desk.fetch("http://127.0.0.1:22/a.mp4")).trouble
    assert "asset" == error_of(lambda: desk.fetch("http://10.0.0.1:8787/a.mp4")).trouble


def moved(to: str) -> Callable[[httpx.Request], Reply]:
    def get(request: httpx.Request) -> Reply:
        if "moved" in str(request.url):
            return httpx.Response(200, content=CLIP)
        return httpx.Response(302, headers={"Location": to})

    return get


@pytest.mark.parametrize("to", ["/moved.mp4", "https://im.runware.ai/moved.mp4"])
def test_a_redirect_to_where_clips_may_be_is_followed(tmp_path: Path, to: str) -> None:
    assert CLIP == desk_of(tmp_path, moved(to)).fetch().read_bytes()


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example/moved.mp4",
        "http://vm.runware.ai/moved.mp4",
        "http://169.254.169.254/moved",
        "https://10.0.0.1/moved.mp4",
        "http://127.0.0.1:8787/moved.mp4",
        "https://inner.runware.ai/moved.mp4",
        "file:///moved",
    ],
)
def test_a_redirect_to_anywhere_else_is_not(tmp_path: Path, to: str) -> None:
    desk = desk_of(tmp_path, moved(to), names={"inner.runware.ai": "192.168.0.1"}, hosts=("10.0.0.1",))
    assert "asset" == error_of(desk.fetch).trouble
    assert 1 == len(desk.wire.requests)


def test_redirects_in_a_circle_end(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, lambda request: httpx.Response(302, headers={"Location": CLIP_URL}))
    assert "redirected more than 3 times" in error_of(desk.fetch).fact
    assert 4 == len(desk.wire.requests)


def test_a_clip_within_the_answer_is_a_file_too(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, lambda request: AssertionError())
    path = desk.fetch(f"data:video/mp4;base64,{base64.b64encode(CLIP).decode()}")
    assert CLIP == path.read_bytes()


@pytest.mark.parametrize(
    "source", ["data:video/mp4;base64,@@@@", "data:video/mp4,abc", "data:", "data:x;base64,PGh0bWw+"]
)
def test_a_clip_within_the_answer_that_is_none_is_an_error(tmp_path: Path, source: str) -> None:
    assert "asset" == error_of(lambda: desk_of(tmp_path, served(CLIP)).fetch(source)).trouble
    assert nothing_left(tmp_path)


@pytest.mark.parametrize("video", ["../../etc/passwd", "a/b", "", ".hidden", "x" * 400, "\ud800"])
def test_a_number_that_is_no_file_name_does_not_become_one(tmp_path: Path, video: str) -> None:
    path = desk_of(tmp_path, served(CLIP)).fetch(CLIP_URL, video)
    assert tmp_path / "in" == path.parent
    assert 32 + 4 == len(path.name)


def test_a_disk_that_refuses_is_told_in_plain_words(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("a file where the folder should be")
    with pytest.raises(StoryError, match="in"):
        desk_of(tmp_path, served(CLIP)).fetch()
