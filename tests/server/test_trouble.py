"""Every trouble that the stand-in can play: what it looks like, and that it ends."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import av
import httpx
import pytest

from runner.errors import StoryError
from runner.server.trouble import KINDS, OCCASIONS, TIMES_MAX, USUAL, Trouble, kinds

from .house import House, house, new, picture, video


def play(scene: Callable[[House], Awaitable[None]], kind: str, **options: Any) -> None:
    """Run a scene in a house where every task has that trouble on every occasion for which it exists."""

    async def go() -> None:
        async with house(trouble=1.0, kinds=frozenset({kind}), **options) as home:
            await scene(home)

    asyncio.run(go())


async def submitted(home: House, task: dict[str, Any]) -> list[str]:
    """Send a task until the service says that it has it; what was seen on the way."""
    seen: list[str] = []
    for _ in range(20):
        try:
            answer = await home.post(task)
        except httpx.TransportError as died:
            seen.append(type(died).__name__)
            continue
        html = answer.headers["content-type"] == "text/html"
        body = {} if html else answer.json()
        codes = [error["code"] for error in body.get("errors") or ()]
        if codes == ["conflictTaskUUID"] or (answer.status_code == 200 and body.get("data")):
            return seen
        seen.append("html" if html else f"{answer.status_code} {(codes or ['empty'])[0]}")
    raise AssertionError(f"it never ends: {seen}")


BEFORE = {"429": "429 rateLimitExceeded", "503": "503 serviceUnavailable", "500": "500 internalServerError"}


@pytest.mark.parametrize(
    "kind",
    ["slow", "429", "500", "503", "drop-before", "drop-after", "timeout-after", "duplicate", "empty", "html", "forms"],
)
def test_a_submit_in_trouble_ends_and_is_charged_once(kind: str) -> None:
    seen: Counter[str] = Counter()

    async def scene(home: House) -> None:
        for _ in range(12):
            task = video()
            met = await submitted(home, task)
            assert len(met) <= TIMES_MAX
            seen.update(met)
            home.service.trouble.rate = 0.0
            assert "success" == (await home.wait(task["taskUUID"]))["data"][0]["status"]
            home.service.trouble.rate = 1.0
        told = await home.ledger()
        assert (1.2, 12) == (told["total"], len(told["tasks"]))

    play(scene, kind)
    expected = {
        "slow": set(), "duplicate": set(), "forms": set(), "empty": {"200 empty"}, "html": {"html"},
        "drop-before": {"ConnectError", "ReadError"}, "drop-after": {"ReadError"},
        "timeout-after": {"504 timeout", "ReadTimeout"}, **{name: {said} for name, said in BEFORE.items()},
    }  # fmt: skip
    assert expected[kind] == set(seen)


@pytest.mark.parametrize(
    ("kind", "accepted"),
    [("drop-before", {0}), ("drop-after", {1}), ("timeout-after", {1}), ("500", {0, 1}), ("429", {0})],
)
def test_what_looks_lost_was_accepted_or_not_by_its_kind(kind: str, accepted: set[int]) -> None:
    found: set[int] = set()

    async def scene(home: House) -> None:
        for _ in range(12):
            task = video()
            try:
                await home.post(task)
            except httpx.TransportError:
                pass
            found.add(len(home.service.ledger.known(task["taskUUID"])))

    play(scene, kind)
    assert accepted == found


def test_429_says_when_to_come_back() -> None:
    async def scene(home: House) -> None:
        assert "1" == (await home.post(video())).headers["retry-after"]

    play(scene, "429")


def test_slow_takes_seconds_and_a_client_may_lose_patience() -> None:
    async def scene(home: House) -> None:
        before = home.clock.time
        await home.submit()
        assert 2 <= home.clock.time - before <= 8
        with pytest.raises(httpx.ReadTimeout):
            await home.client.post("/v1", json=[video()], timeout=1)

    play(scene, "slow")


def test_an_answer_comes_twice() -> None:
    async def scene(home: House) -> None:
        task = video()
        data = (await home.post(task)).json()["data"]
        assert [task["taskUUID"]] * 2 == [item["taskUUID"] for item in data]
        home.clock.time += 300
        data = (await home.poll(task["taskUUID"]))["data"]
        assert 1 == len({item["videoUUID"] for item in data}) < len(data)

    play(scene, "duplicate")


def test_a_status_nobody_documented_passes() -> None:
    async def scene(home: House) -> None:
        uuid = await home.submit()
        home.clock.time += 300
        seen = [(await home.poll(uuid))["data"][0]["status"] for _ in range(TIMES_MAX + 1)]
        assert "success" == seen[-1]
        assert seen[0] not in {"processing", "pending", "success", "error"}

    play(scene, "unknown-status")


def test_other_forms_say_the_same() -> None:
    async def scene(home: House) -> None:
        home.service.trouble.rate = 0.0
        uuid = await home.submit()
        home.service.trouble.rate = 1.0
        told = await home.poll(uuid)
        assert ("pending", None) == (told["data"][0]["status"], told["errors"])
        home.clock.time += 300
        (item,) = (await home.poll(uuid))["data"]
        assert item["videoURL"]

    play(scene, "forms")


def test_a_conflict_can_be_409_with_no_data() -> None:
    async def scene(home: House) -> None:
        home.service.trouble.rate = 0.0
        uuid = await home.submit()
        home.service.trouble.rate = 1.0
        answer = await home.post(video(uuid))
        assert 409 == answer.status_code
        assert {"errors"} == answer.json().keys()
        assert "taskType" not in answer.json()["errors"][0]

    play(scene, "forms")


@pytest.mark.parametrize(("kind", "place"), [("error-in-data", "data"), ("error-in-errors", "errors")])
def test_a_clip_that_fails_is_told_in_either_place_and_not_charged(kind: str, place: str) -> None:
    async def scene(home: House) -> None:
        uuid = await home.submit()
        told = await home.wait(uuid)
        (item,) = told[place]
        assert ("error", uuid) == (item["status"], item["taskUUID"])
        assert "timeoutProvider" == item.get("error", item)["code"]
        ledger = await home.ledger()
        assert (0.0, "error") == (ledger["total"], ledger["tasks"][0]["status"])

    play(scene, kind)


def test_of_several_results_one_fails() -> None:
    async def scene(home: House) -> None:
        uuid = await home.submit(numberResults=3)
        told = await home.wait(uuid)
        assert (2, ["providerError"]) == (len(told["data"]), [error["code"] for error in told["errors"]])
        ledger = await home.ledger()
        assert (0.2, "mixed") == (ledger["total"], ledger["tasks"][0]["status"])
        await home.wait(await home.submit())
        assert 0.3 == (await home.ledger())["total"]

    play(scene, "mixed")


def test_never_ends_after_ten_times_as_long_or_when_asked_often() -> None:
    async def scene(home: House) -> None:
        one, two = await home.submit(), await home.submit()
        home.clock.time += 900
        assert "processing" == (await home.poll(one))["data"][0]["status"]
        told = [(await home.poll(one))["data"][0]["status"] for _ in range(12)]
        assert "success" == told[-1]
        home.clock.time += 100
        assert "success" == (await home.poll(two))["data"][0]["status"]

    play(scene, "never", making=100)


def test_a_changed_price_is_charged_and_told() -> None:
    async def scene(home: House) -> None:
        (item,) = (await home.wait(await home.submit(includeCost=True)))["data"]
        assert (0.125, 0.125) == (item["cost"], (await home.ledger())["total"])

    play(scene, "changed-price")


def test_an_upload_in_trouble_succeeds_in_the_end() -> None:
    async def scene(home: House) -> None:
        upload = {"taskType": "imageUpload", "taskUUID": new(), "image": picture()}
        seen = [(await home.post(upload)).status_code for _ in range(TIMES_MAX + 1)]
        assert (503, 200) == (seen[0], seen[-1])

    play(scene, "503")


async def fetched(home: House, url: str) -> list[tuple[int | str, bytes]]:
    """Everything that comes from an address, asked once more than any trouble lasts."""
    seen: list[tuple[int | str, bytes]] = []
    for _ in range(TIMES_MAX + 1):
        try:
            answer = await home.client.get(url)
        except httpx.TransportError as died:
            seen.append((type(died).__name__, b""))
        else:
            seen.append((answer.status_code, answer.content))
    return seen


def frames(data: bytes, folder: Path) -> int | None:
    """How many frames a file has; None when it is no whole clip."""
    path = folder / "clip.mp4"
    path.write_bytes(data)
    try:
        with av.open(str(path)) as clip:
            return sum(1 for _ in clip.decode(video=0))
    except av.FFmpegError:
        return None


@pytest.mark.parametrize("kind", OCCASIONS["fetch"])
def test_a_file_in_trouble_comes_whole_in_the_end(kind: str, tmp_path: Path) -> None:
    async def scene(home: House) -> None:
        home.service.trouble.rate = 0.0
        uuid = await home.submit(numberResults=4)
        urls = [item["videoURL"] for item in (await home.wait(uuid))["data"]]
        home.service.trouble.rate = 1.0
        statuses: set[int | str] = set()
        for url in urls:
            seen = await fetched(home, url)
            (status, data), (_, good) = seen[0], seen[-1]
            assert 24 == frames(good, tmp_path)
            statuses.add(status)
            if kind == "wrong-length":
                assert 12 == frames(data, tmp_path)
            elif kind == "broken-file":
                assert (len(good), None) == (len(data), frames(data, tmp_path))
            elif kind == "truncated-file":
                assert good[: len(good) // 2] == data
            elif kind == "html":
                assert data.startswith(b"<!doctype html>")
        expected: dict[str, set[int | str]] = {
            "not-ready": {404, 422},
            "429": {429},
            "503": {503},
            "cut-connection": {"ReadError"},
        }
        assert statuses <= expected.get(kind, {200})

    play(scene, kind)


def test_lasting_trouble_of_a_file_does_not_heal() -> None:
    async def scene(home: House) -> None:
        (item,) = (await home.wait(await home.submit()))["data"]
        assert {404, 422} >= {status for status, _ in await fetched(home, item["videoURL"])}

    play(scene, "not-ready", lasting=True)


def test_trouble_follows_from_seed_and_name_alone() -> None:
    names = [new() for _ in range(400)]
    one, two, other = Trouble(0.1, 7), Trouble(0.1, 7), Trouble(0.1, 8)
    told = [one.kind(name, "submit") for name in names]
    assert told == [two.kind(name, "submit") for name in names]
    assert told != [other.kind(name, "submit") for name in names]
    assert 15 <= sum(kind is not None for kind in told) <= 70


def test_every_kind_has_an_occasion_and_a_sentence() -> None:
    assert set(KINDS) == {kind for offered in OCCASIONS.values() for kind in offered}
    assert "changed-price" not in USUAL


def test_a_kind_that_does_not_exist_is_named() -> None:
    assert frozenset({"429", "slow"}) == kinds(["429", "slow"])
    assert frozenset(KINDS) == kinds(["all"])
    with pytest.raises(StoryError, match="drop-befor"):
        kinds(["drop-befor"])


def test_in_a_world_of_every_trouble_a_patient_client_gets_every_clip_once() -> None:
    async def scene(home: House) -> None:
        tasks = [video(includeCost=True, numberResults=1 + index % 3) for index in range(40)]
        got: dict[str, float] = {}
        for task in tasks:
            await submitted(home, task)
            for _ in range(300):
                home.clock.time += 10
                items = await asked(home, task["taskUUID"])
                if len(items) == task["numberResults"]:
                    break
            got |= {name: item["cost"] for name, item in items.items() if "cost" in item}
            for item in items.values():
                if "videoURL" in item:
                    assert 24 == frames((await fetched(home, item["videoURL"]))[-1][1], home.service.images.folder)
        ledger = await home.ledger()
        assert 40 == len(ledger["tasks"]) == len({task["taskUUID"] for task in ledger["tasks"]})
        assert ledger["total"] == pytest.approx(sum(got.values()))
        assert 0 < ledger["total"] < 0.1 * sum(task["numberResults"] for task in tasks)

    async def go() -> None:
        async with house(trouble=0.5, seed=7) as home:
            await scene(home)

    asyncio.run(go())


async def asked(home: House, uuid: str) -> dict[str, dict[str, Any]]:
    """The finished results of a task, each once by its UUID; failures by their place; nothing where the answer is lost."""
    try:
        answer = await home.post({"taskType": "getResponse", "taskUUID": uuid})
    except httpx.TransportError:
        return {}
    if answer.headers["content-type"] == "text/html" or answer.status_code != 200:
        return {}
    body = answer.json()
    failed = [*(body.get("errors") or ()), *(item for item in body.get("data") or () if item.get("status") == "error")]
    done = {item["videoUUID"]: item for item in body.get("data") or () if "videoURL" in item}
    return done | {f"failed {index}": item for index, item in enumerate(failed)}
