"""Clips at their addresses: ranges, heads, lifetimes, the drawn ones, and where results are carried to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from runner.executors.local import Local
from runner.media.decode import frame
from runner.media.picture import png
from runner.media.probe import probe
from runner.server.clips import Drawn, Want
from runner.server.courier import on_this_machine

from .house import KLING, House, house, picture, video


def play(scene: Callable[[House], Awaitable[None]], **options: Any) -> None:
    async def go() -> None:
        async with house(**options) as home:
            await scene(home)

    asyncio.run(go())


def test_a_file_can_be_had_whole_in_parts_and_by_its_head() -> None:
    async def scene(home: House) -> None:
        (item,) = (await home.wait(await home.submit()))["data"]
        get, url = home.client.get, item["videoURL"]
        whole = await get(url)
        size = len(whole.content)
        assert (200, "video/mp4", "bytes") == (
            whole.status_code,
            whole.headers["content-type"],
            whole.headers["accept-ranges"],
        )
        head = await home.client.head(url)
        assert (200, str(size), b"") == (head.status_code, head.headers["content-length"], head.content)
        for asked, start, stop in (
            ("10-19", 10, 20),
            ("100-", 100, size),
            ("-7", size - 7, size),
            (f"5-{size * 9}", 5, size),
        ):
            part = await get(url, headers={"Range": f"bytes={asked}"})
            assert (206, whole.content[start:stop]) == (part.status_code, part.content)
            assert f"bytes {start}-{stop - 1}/{size}" == part.headers["content-range"]
        beyond = await get(url, headers={"Range": f"bytes={size}-"})
        assert (416, f"bytes */{size}") == (beyond.status_code, beyond.headers["content-range"])
        other = await get(url, headers={"Range": "bytes=10-19", "If-Range": '"other"'})
        assert (200, size) == (other.status_code, len(other.content))

    play(scene)


def test_a_cut_download_can_be_resumed() -> None:
    async def scene(home: House) -> None:
        (item,) = (await home.wait(await home.submit()))["data"]
        got = b""
        for _ in range(10):
            try:
                async with home.client.stream("GET", item["videoURL"], headers={"Range": f"bytes={len(got)}-"}) as part:
                    async for chunk in part.aiter_bytes():
                        got += chunk
            except httpx.ReadError:
                continue
            break
        home.service.trouble.rate = 0.0
        assert (await home.client.get(item["videoURL"])).content == got

    play(scene, trouble=1.0, kinds=frozenset({"cut-connection"}))


def test_an_address_dies_with_its_ttl() -> None:
    async def scene(home: House) -> None:
        short, long = await home.submit(ttl=60), await home.submit()
        home.clock.time += 100
        for uuid, after in ((short, 404), (long, 200)):
            (item,) = (await home.poll(uuid))["data"]
            home.clock.time += 59
            assert 200 == (await home.client.get(item["videoURL"])).status_code or uuid == short
            home.clock.time += 1
            assert after == (await home.client.get(item["videoURL"])).status_code
        home.clock.time += 7 * 24 * 3600
        assert "mediaExpired" == (await home.client.get(item["videoURL"])).json()["errors"][0]["code"]

    play(scene, making=100)


def test_nothing_is_at_an_address_before_its_time_or_that_was_made_up() -> None:
    async def scene(home: House) -> None:
        uuid = await home.submit()
        (job,) = home.service.ledger.known(uuid)
        url = home.service.url(job.pieces[0])
        assert 404 == (await home.client.get(url)).status_code
        await home.wait(uuid)
        assert 200 == (await home.client.get(url)).status_code
        for other in (
            url.replace(".mp4", ".mov"),
            "/video/x.mp4",
            "/image/ii/..%2Fx.png",
            "/",
        ):
            assert 404 == (await home.client.get(other)).status_code

    play(scene)


@pytest.mark.parametrize(("container", "suffix"), [("MP4", ".mp4"), ("WEBM", ".webm"), ("MOV", ".mov")])
def test_clips_come_in_the_asked_container_size_and_length(container: str, suffix: str, tmp_path: Path) -> None:
    async def scene(home: House) -> None:
        uuid = await home.submit(outputFormat=container, width=128, height=72, duration=2)
        (item,) = (await home.wait(uuid))["data"]
        assert item["videoURL"].endswith(suffix)
        path = tmp_path / f"clip{suffix}"
        path.write_bytes((await home.client.get(item["videoURL"])).content)
        found = probe(str(path))
        assert (128, 72, "24/1") == (found.width, found.height, found.rate)
        assert 47 == frame(str(path), "last").index

    play(scene)


def test_drawn_clips_are_the_animatic_s_and_kept(tmp_path: Path) -> None:
    async def go() -> None:
        clips = Drawn(tmp_path, Local(1))
        start = picture_file(tmp_path / "start.png")
        want = Want("A lamp burns.", 320, 180, 0.5, 24, "MP4", 95, 7, first=start)
        assert not clips.ready(want)
        while not clips.ready(want):
            await asyncio.wait(list(clips._making.values()))
        first = clips.path(want).read_bytes()
        shown = frame(str(clips.path(want)), "first").rgb
        assert np.abs(shown.astype(int) - 90).max() <= 2
        await clips.aclose()
        again = Drawn(tmp_path, Local(1))
        assert again.ready(want)
        assert first == again.path(want).read_bytes()
        await again.aclose()

    asyncio.run(go())


def picture_file(path: Path) -> Path:
    path.write_bytes(png(np.full((180, 320, 3), 90, np.uint8)))
    return path


def test_calls_and_uploads_go_out_as_each_clip_is_done() -> None:
    async def scene(home: House) -> None:
        uuid = await home.submit(
            numberResults=2, includeCost=True,
            webhookURL="http://127.0.0.1:9/hook/secret?token=abc", uploadEndpoint="http://localhost:9/clip.mp4?sig=1",
        )  # fmt: skip
        await home.service.courier.settle()
        data = (await home.poll(uuid))["data"]
        calls = [request for request in home.heard if request.method == "POST"]
        assert sorted(item["videoUUID"] for item in data) == sorted(
            json.loads(call.content)["videoUUID"] for call in calls
        )
        assert all(item in data for item in (json.loads(call.content) for call in calls))
        assert {"token=abc"} == {call.url.query.decode() for call in calls}
        puts = [request for request in home.heard if request.method == "PUT"]
        assert 2 == len(puts)
        assert {"video/mp4"} == {put.headers["content-type"] for put in puts}
        files = [(await home.client.get(item["videoURL"])).content for item in data]
        assert sorted(files) == sorted(put.content for put in puts)
        assert not any("?" in call["to"] for call in home.service.courier.calls)

    play(scene)


def test_a_call_is_tried_again_with_growing_pauses_until_it_is_taken() -> None:
    async def scene(home: House) -> None:
        await home.submit(webhookURL="http://127.0.0.1/hook")
        before = home.clock.time
        await home.service.courier.settle()
        assert [500, 404, 500, 503, 200] == [call["answer"] for call in home.service.courier.calls]
        waited = home.clock.time - before - 100
        assert 0.25 + 0.5 + 1 + 2 <= waited <= 1.25 * (0.25 + 0.5 + 1 + 2) + 0.1

    play(scene, making=100, answers={"127.0.0.1": [500, 404, 500, 503]})


def test_a_call_that_nobody_takes_is_given_up() -> None:
    async def scene(home: House) -> None:
        await home.submit(webhookURL="http://127.0.0.1/hook")
        await home.service.courier.settle()
        assert 10 == len(home.heard)

    play(scene, answers={"127.0.0.1": [500] * 99})


@pytest.mark.parametrize(("form", "outer"), [("flat", {"taskUUID", "code"}), ("data", {"errors"})])
def test_failures_are_called_too_in_either_form(form: str, outer: set[str]) -> None:
    async def scene(home: House) -> None:
        await home.submit(webhookURL="http://127.0.0.1/hook", uploadEndpoint="http://127.0.0.1/put")
        await home.service.courier.settle()
        (call,) = home.heard
        assert outer <= json.loads(call.content).keys()

    play(scene, trouble=1.0, kinds=frozenset({"error-in-errors"}), call_form=form)


def test_calls_can_come_twice() -> None:
    async def scene(home: House) -> None:
        assert 200 == (await home.post(video(webhookURL="http://127.0.0.1/hook"))).status_code
        await home.service.courier.settle()
        one, two = home.heard
        assert one.content == two.content

    play(scene, trouble=1.0, kinds=frozenset({"duplicate"}))


def test_only_this_machine_is_called_unless_it_is_allowed() -> None:
    async def scene(home: House) -> None:
        await home.submit(webhookURL="http://198.51.100.7/hook?token=abc")
        await home.service.courier.settle()
        assert [] == home.heard
        assert ["not sent: the target is not on this machine"] == [
            call["answer"] for call in home.service.courier.calls
        ]

    async def open_scene(home: House) -> None:
        await home.submit(webhookURL="http://198.51.100.7/hook")
        await home.service.courier.settle()
        assert 1 == len(home.heard)

    play(scene)
    play(open_scene, allow_any_target=True)


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:80/x", True),
        ("http://127.9.9.9/x", True),
        ("http://[::1]:80/x", True),
        ("http://localhost/x", True),
        ("http://localhost.example.org/x", False),
        ("http://127.0.0.1@example.org/x", False),
        ("http://10.0.0.1/x", False),
        ("http://169.254.169.254/x", False),
        ("http://[::ffff:10.0.0.1]/x", False),
        ("http://[/x", False),
        ("s3:bucket", False),
    ],
)
def test_what_is_on_this_machine(url: str, here: bool) -> None:
    assert here is on_this_machine(url)


def test_a_task_without_size_has_the_shape_of_its_picture() -> None:
    async def scene(home: House) -> None:
        uuid = await home.submit(**KLING | {"width": None, "height": None}, inputs={"frameImages": [picture(360, 640)]})
        (job,) = home.service.ledger.known(uuid)
        want = home.service.want(job, job.pieces[0])
        assert (720, 1280) == (want.width, want.height)

    play(scene)
