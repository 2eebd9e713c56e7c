"""Pictures of this machine: small ones go along, large ones are uploaded once and named by their number after that."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import httpx
import pytest

from .service import KEY, UUID, Desk, Reply, Task, ack, an_order, answer, fault

DAY = 86400.0


def picture(folder: Path, name: str = "a", *, size: int = 1 << 21, side: int = 1920) -> Path:
    """A file with a PNG's header, of so many bytes."""
    path = folder / f"{name}.png"
    head = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + side.to_bytes(4, "big") + (1080).to_bytes(4, "big") + name.encode()
    path.write_bytes(head.ljust(size, b"\0"))
    return path


def service(task: Task, request: httpx.Request) -> Reply:
    if task["taskType"] == "imageUpload":
        name = hashlib.sha256(task["image"].encode()).hexdigest()[:8]
        return answer({"taskType": "imageUpload", "taskUUID": task["taskUUID"], "imageUUID": f"{name}{UUID[8:]}"})
    return ack(task["taskUUID"])


def sent(desk: Desk) -> list[Any]:
    """What stood for the pictures in each submit."""
    return [frame["image"] for task in desk.wire.of("videoInference") for frame in task["inputs"]["frameImages"]]


def test_a_small_picture_goes_along(tmp_path: Path) -> None:
    desk = Desk(tmp_path, service)
    desk.submit(an_order(first=picture(tmp_path, size=1 << 20)))
    assert [] == desk.wire.of("imageUpload")
    assert sent(desk)[0].startswith("data:image/png;base64,")


def test_a_large_picture_is_uploaded_once_also_by_later_runs(tmp_path: Path) -> None:
    desk = Desk(tmp_path, service)
    path = picture(tmp_path)
    desk.submit(an_order(first=path))
    desk.submit(an_order(first=path))
    desk.runware = desk.another()
    desk.submit(an_order(first=path))

    (upload,) = desk.wire.of("imageUpload")
    assert upload["image"].startswith("data:image/png;base64,")
    assert 3 == len(sent(desk))
    assert {desk.memory("uploads.json")[hashlib.sha256(path.read_bytes()).hexdigest()]["uuid"]} == set(sent(desk))


def test_shots_that_begin_on_the_same_picture_at_once_upload_it_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path, service)
    path = picture(tmp_path)

    async def five() -> None:
        await asyncio.gather(*(desk.runware.submit(an_order(first=path), f"{n:08}{UUID[8:]}") for n in range(5)))

    asyncio.run(five())
    assert (1, 5) == (len(desk.wire.of("imageUpload")), len(sent(desk)))


def test_an_upload_lives_thirty_days_after_its_last_use(tmp_path: Path) -> None:
    desk = Desk(tmp_path, service)
    order = an_order(first=picture(tmp_path))
    uploads = []
    for days in (0, 29, 29, 31):
        desk.clock.time += days * DAY
        desk.submit(order)
        uploads.append(len(desk.wire.of("imageUpload")))
    assert [1, 1, 1, 2] == uploads


def test_a_clock_that_was_set_far_back_is_not_believed(tmp_path: Path) -> None:
    desk = Desk(tmp_path, service)
    order = an_order(first=picture(tmp_path))
    desk.submit(order)
    desk.clock.time -= 3 * DAY
    desk.submit(order)
    assert 2 == len(desk.wire.of("imageUpload"))


def test_an_upload_belongs_to_its_service(tmp_path: Path) -> None:
    order = an_order(first=picture(tmp_path))
    one = Desk(tmp_path, service)
    other = Desk(tmp_path, service, url="http://127.0.0.1:8787/v1")
    one.submit(order)
    other.submit(order)
    assert 1 == len(other.wire.of("imageUpload"))


def test_an_upload_that_the_service_lost_is_forgotten_so_that_the_next_run_uploads_anew(tmp_path: Path) -> None:
    gone = [True]

    def script(task: Task, request: httpx.Request) -> Reply:
        if task["taskType"] == "videoInference" and gone[0]:
            return httpx.Response(400, json={"errors": [fault("mediaNotFound", "no such image")]})
        return service(task, request)

    desk = Desk(tmp_path, script)
    order = an_order(first=picture(tmp_path))
    assert "not found" == desk.refused(order).trouble
    gone[0] = False
    desk.submit(order)
    assert 2 == len(desk.wire.of("imageUpload"))


def test_data_may_be_an_object_and_the_number_a_media_number(tmp_path: Path) -> None:
    def script(task: Task, request: httpx.Request) -> Reply:
        if task["taskType"] == "imageUpload":
            return httpx.Response(200, json={"data": {"taskType": "imageUpload", "mediaUUID": "m-1"}})
        return ack()

    desk = Desk(tmp_path, script)
    desk.submit(an_order(first=picture(tmp_path)))
    assert ["m-1"] == sent(desk)


def test_where_uploads_are_refused_the_picture_goes_along(tmp_path: Path) -> None:
    def script(task: Task, request: httpx.Request) -> Reply:
        if task["taskType"] == "imageUpload":
            return httpx.Response(400, json={"errors": [fault("unsupportedTaskType", uuid=task["taskUUID"])]})
        return ack()

    desk = Desk(tmp_path, script)
    desk.submit(an_order(first=picture(tmp_path)))
    assert sent(desk)[0].startswith("data:image/png;base64,")


@pytest.mark.parametrize(
    ("reply", "trouble"),
    [
        (httpx.ReadTimeout(""), "timeout"),
        (httpx.Response(500, content=b""), "server"),
        (httpx.Response(402, json={}), "money"),
        (httpx.Response(401, json={}), "auth"),
    ],
)
def test_an_upload_that_fails_buys_nothing(tmp_path: Path, reply: Reply, trouble: str) -> None:
    desk = Desk(tmp_path, lambda task, request: reply)
    error = desk.refused(an_order(first=picture(tmp_path)))
    assert (trouble, False) == (error.trouble, error.started)
    assert [] == desk.wire.of("videoInference")


def test_a_picture_that_the_service_would_scale_down_goes_along_as_it_is(tmp_path: Path) -> None:
    desk = Desk(tmp_path, service)
    desk.submit(an_order(first=picture(tmp_path, side=2049)))
    assert [] == desk.wire.of("imageUpload")


def test_a_picture_that_is_too_large_is_refused_here(tmp_path: Path) -> None:
    desk = Desk(tmp_path, service)
    error = desk.refused(an_order(first=picture(tmp_path, size=(20 << 20) + 1)))
    assert ("validation", []) == (error.trouble, desk.wire.requests)


def test_nothing_but_numbers_is_kept(tmp_path: Path) -> None:
    desk = Desk(tmp_path, service)
    desk.submit(an_order(first=picture(tmp_path)))
    text = (tmp_path / "memory" / "uploads.json").read_text()
    assert KEY not in text
    assert "base64" not in text
