"""What the stand-in takes, what it answers, and what it refuses, task by task."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from runner.errors import StoryError

from .house import KLING, KLING_2_1, House, house, new, picture, video


def play(scene: Callable[[House], Awaitable[None]], **options: Any) -> None:
    """Run a scene in a house of its own."""

    async def go() -> None:
        async with house(**options) as home:
            await scene(home)

    asyncio.run(go())


def test_a_clip_is_acknowledged_made_and_told_with_seed_and_cost() -> None:
    async def scene(home: House) -> None:
        uuid = await home.submit(includeCost=True)
        first = await home.poll(uuid)
        assert [{"taskType": "videoInference", "taskUUID": uuid, "status": "processing", "progress": 0}] == first[
            "data"
        ]

        home.clock.time += 30
        progress = (await home.poll(uuid))["data"][0]["progress"]
        assert 0 < progress < 100

        (item,) = (await home.wait(uuid))["data"]
        assert {"taskType", "taskUUID", "status", "videoUUID", "videoURL", "seed", "cost"} == item.keys()
        assert ("success", 0.1) == (item["status"], item["cost"])
        assert isinstance(item["seed"], int)

    play(scene)


def test_an_answer_without_faults_has_no_errors_key() -> None:
    async def scene(home: House) -> None:
        uuid = await home.submit()
        assert {"data"} == (await home.poll(uuid)).keys()
        assert {"data": []} == await home.poll(new())

    play(scene)


def test_cost_is_told_only_where_it_was_asked_for() -> None:
    async def scene(home: House) -> None:
        (item,) = (await home.wait(await home.submit()))["data"]
        assert "cost" not in item
        assert "NSFWContent" not in item

    play(scene)


def test_several_results_come_one_by_one_and_keep_their_places() -> None:
    async def scene(home: House) -> None:
        uuid = await home.submit(numberResults=4)
        seen: list[list[str]] = []
        for _ in range(500):
            told = [item["videoUUID"] for item in (await home.poll(uuid))["data"] if item["status"] == "success"]
            if not seen or told != seen[-1]:
                seen.append(told)
            home.clock.time += 0.5
        assert [0, 1, 2, 3, 4] == [len(told) for told in seen]
        assert all(seen[-1][: len(told)] == told for told in seen)
        seeds = [item["seed"] for item in (await home.poll(uuid))["data"]]
        assert 4 == len(set(seeds))

    play(scene)


def test_the_same_seed_and_uuid_make_the_same_world() -> None:
    uuid, told = new(), []

    async def scene(home: House) -> None:
        await home.submit(uuid)
        told.append(await home.wait(uuid))

    play(scene, seed=7)
    play(scene, seed=7)
    play(scene, seed=8)
    assert told[0] == told[1]
    assert told[0] != told[2]


def test_making_takes_a_minute_or_four_and_speed_divides_it() -> None:
    async def scene(home: House) -> None:
        made = [await home.submit() for _ in range(20)]
        jobs = [home.service.ledger.known(uuid)[0].making for uuid in made]
        assert 60 / home.service.options.speed <= min(jobs) < max(jobs) <= 240 / home.service.options.speed

    play(scene)
    play(scene, speed=100)


def test_making_can_be_fixed() -> None:
    async def scene(home: House) -> None:
        uuid = await home.submit()
        home.clock.time += 0.19
        assert "processing" == (await home.poll(uuid))["data"][0]["status"]
        home.clock.time += 0.01
        assert "success" == (await home.poll(uuid))["data"][0]["status"]

    play(scene, making=2, speed=10)


def test_a_known_uuid_conflicts_in_every_state_and_is_not_charged_again() -> None:
    async def scene(home: House) -> None:
        for words in ("A lamp burns.", "A massacre."):
            uuid = await home.submit(positivePrompt=words)
            for _ in range(2):
                answer = await home.post(video(uuid.upper(), positivePrompt="Something else"))
                assert (400, [], ["conflictTaskUUID"]) == (
                    answer.status_code,
                    answer.json()["data"],
                    [error["code"] for error in answer.json()["errors"]],
                )
                await home.wait(uuid)
        assert 0.1 == (await home.ledger())["total"]

    play(scene)


def test_a_uuid_sent_again_before_it_is_registered_is_made_and_charged_twice() -> None:
    async def scene(home: House) -> None:
        uuid = await home.submit()
        assert {"data": []} == await home.poll(uuid)
        home.clock.time += 0.9
        await home.submit(uuid)
        home.clock.time += 0.2
        assert "conflictTaskUUID" == (await home.post(video(uuid))).json()["errors"][0]["code"]
        assert (0.2, 2) == ((await home.ledger())["total"], len((await home.ledger())["tasks"]))
        home.clock.time += 500
        assert 2 == len({item["videoUUID"] for item in (await home.poll(uuid))["data"]})

    play(scene, registering=None)


def test_one_uuid_twice_in_one_body_is_one_task_and_a_conflict() -> None:
    async def scene(home: House) -> None:
        task = video()
        body = (await home.post(task, task)).json()
        assert (1, ["conflictTaskUUID"]) == (len(body["data"]), [error["code"] for error in body["errors"]])
        assert 0.1 == (await home.ledger())["total"]

    play(scene, registering=None)


@pytest.mark.parametrize(
    ("fields", "code", "parameter"),
    [
        ({"positivePrompt": None}, "missingPositivePrompt", "positivePrompt"),
        ({"positivePrompt": "x"}, "invalidPositivePrompt", "positivePrompt"),
        ({"positivePrompt": "x" * 2501}, "invalidPositivePrompt", "positivePrompt"),
        ({"negativePrompt": ""}, "invalidNegativePrompt", "negativePrompt"),
        ({"model": None}, "missingModel", "model"),
        ({"model": 4}, "invalidModel", "model"),
        ({"model": "klingai:9@9"}, "modelNotFound", "model"),
        ({"duration": 7}, "invalidDuration", "duration"),
        ({"duration": "5"}, "invalidDuration", "duration"),
        ({"duration": True}, "invalidDuration", "duration"),
        ({"width": 64, "height": 72}, "unsupportedDimensions", ["width", "height"]),
        ({"width": None}, "missingWidth", ["width", "height"]),
        ({"height": None}, "missingHeight", ["width", "height"]),
        ({"width": "64"}, "invalidWidth", "width"),
        ({"CFGScale": 1.01}, "invalidCFGScale", "CFGScale"),
        ({"CFGScale": 0.055}, "invalidCFGScale", "CFGScale"),
        ({"numberResults": 0}, "invalidNumberResults", "numberResults"),
        ({"numberResults": 5}, "invalidNumberResults", "numberResults"),
        ({"outputType": "base64Data"}, "invalidOutputType", "outputType"),
        ({"outputFormat": "mp4"}, "invalidOutputFormat", "outputFormat"),
        ({"outputQuality": 100}, "invalidOutputQuality", "outputQuality"),
        ({"deliveryMethod": "sync"}, "invalidDeliveryMethod", "deliveryMethod"),
        ({"webhookURL": "nowhere"}, "invalidWebhookURL", "webhookURL"),
        ({"uploadEndpoint": ""}, "invalidUploadEndpoint", "uploadEndpoint"),
        ({"safety": {"checkContent": 1}}, "invalidCheckContent", "safety.checkContent"),
        ({"safety": {"mode": "slow"}}, "invalidMode", "safety.mode"),
        ({"safety": {"level": 1}}, "unknownParameter", "safety.level"),
        ({"safety": True}, "invalidSafety", "safety"),
        ({"ttl": 59}, "invalidTtl", "ttl"),
        ({"includeCost": "yes"}, "invalidIncludeCost", "includeCost"),
        ({"seed": 42}, "unknownParameter", "seed"),
        ({"inputs": {"frames": []}}, "unknownParameter", "inputs.frames"),
        ({"inputs": {"frameImages": [picture()] * 3}}, "invalidFrameImages", "inputs.frameImages"),
        ({"inputs": {"frameImages": [{"frame": "first"}]}}, "missingImage", "inputs.frameImages[0].image"),
        ({"inputs": {"frameImages": [{"image": "x", "frame": 3}]}}, "invalidFrameImages", "inputs.frameImages[0].frame"),
        ({"inputs": {"frameImages": ["not a picture!"]}}, "invalidFrameImages", "inputs.frameImages"),
        ({"inputs": {"frameImages": [new()]}}, "mediaNotFound", "inputs.frameImages"),
        ({"inputs": {"frameImages": [picture(8, 320)]}}, "invalidFrameImageWidth", "inputs.frameImages"),
        ({"inputs": {"frameImages": [picture(320, 2050)]}}, "invalidFrameImageHeight", "inputs.frameImages"),
    ],
)  # fmt: skip
def test_what_the_card_does_not_allow_is_refused_by_name(fields: dict[str, Any], code: str, parameter: object) -> None:
    async def scene(home: House) -> None:
        task = video(**fields)
        answer = await home.post(task)
        body = answer.json()
        (error,) = body["errors"]
        assert (404 if code.endswith("NotFound") else 400, []) == (answer.status_code, body["data"])
        assert (code, parameter) == (error["code"], error["parameter"])
        assert ("videoInference", task["taskUUID"]) == (error["taskType"], error["taskUUID"])
        assert error["message"]
        assert error["documentation"].startswith("https://")
        assert {"total": 0.0, "tasks": []} == await home.ledger()
        assert {"data": []} == await home.poll(task["taskUUID"])

    play(scene)


def test_a_refusal_tells_type_and_bounds_of_the_field() -> None:
    async def scene(home: House) -> None:
        (error,) = (await home.post(video(**KLING, CFGScale=2))).json()["errors"]
        assert ("number", 0, 1, 0.01) == tuple(error[name] for name in ("type", "min", "max", "multiplier"))
        assert "https://runware.ai/docs/models/klingai-2-0-master#request-cfgscale" == error["documentation"]
        (error,) = (await home.post(video(**KLING | {"duration": 6}))).json()["errors"]
        assert [5, 10] == error["allowedValues"]

    play(scene)


def test_every_fault_is_told_at_once() -> None:
    async def scene(home: House) -> None:
        body = (await home.post(video(ttl=1, CFGScale=2, wings=2))).json()
        assert {"invalidTtl", "invalidCFGScale", "unknownParameter"} == {error["code"] for error in body["errors"]}

    play(scene)


@pytest.mark.parametrize(
    ("task", "code"),
    [
        ({"taskUUID": new()}, "missingTaskType"),
        ({"taskType": "imageInference", "taskUUID": new()}, "invalidTaskType"),
        ({"taskType": ["ping"], "taskUUID": new()}, "invalidTaskType"),
        ({"taskType": "getResponse"}, "missingTaskUUID"),
        ({"taskType": "getResponse", "taskUUID": "12"}, "invalidTaskUUID"),
        ({"taskType": "getResponse", "taskUUID": "0190c0de-0000-7000-8000-000000000000"}, "invalidTaskUUID"),
        ({"taskType": "getResponse", "taskUUID": new(), "model": "x"}, "unknownParameter"),
        ({"taskType": "videoInference", "model": "test:tiny@1", "positivePrompt": "hi"}, "missingTaskUUID"),
        ({"taskType": "imageUpload", "taskUUID": new()}, "missingImage"),
        ({"taskType": "imageUpload", "taskUUID": new(), "image": 4}, "invalidImage"),
        ({"taskType": "imageUpload", "taskUUID": new(), "image": "bm8gcGljdHVyZQ=="}, "invalidImage"),
        ({"taskType": "accountManagement", "taskUUID": new()}, "missingOperation"),
        ({"taskType": "accountManagement", "taskUUID": new(), "operation": "getRich"}, "invalidOperation"),
        ({"taskType": "getTaskDetails", "taskUUID": new()}, "taskNotFound"),
    ],
)  # fmt: skip
def test_a_task_that_is_not_well_formed_is_refused(task: dict[str, Any], code: str) -> None:
    async def scene(home: House) -> None:
        answer = await home.post(task)
        assert (404 if code == "taskNotFound" else 400) == answer.status_code
        assert [code] == [error["code"] for error in answer.json()["errors"]]

    play(scene)


@pytest.mark.parametrize("body", [b"", b"{", b"{}", b"[]", b"[1]", b'[{"ttl": NaN}]', b"[" * 100_000])
def test_a_body_is_a_json_array_of_tasks(body: bytes) -> None:
    async def scene(home: House) -> None:
        answer = await home.client.post("/v1", content=body)
        assert (400, "application/json") == (answer.status_code, answer.headers["content-type"])
        assert "invalid" == answer.json()["errors"][0]["code"][:7]

    play(scene)


def test_of_two_tasks_each_stands_for_itself() -> None:
    async def scene(home: House) -> None:
        good, bad = video(), video(ttl=1)
        answer = await home.post(bad, good)
        body = answer.json()
        assert 200 == answer.status_code
        assert [good["taskUUID"]] == [item["taskUUID"] for item in body["data"]]
        assert [bad["taskUUID"]] == [error["taskUUID"] for error in body["errors"]]

    play(scene)


def test_nobody_is_let_in_without_the_key() -> None:
    async def scene(home: House) -> None:
        ping = {"taskType": "ping", "taskUUID": new()}
        for header, status, code in (("", 401, "missingApiKey"), ("Bearer other", 401, "invalidApiKey")):
            answer = await home.post(ping, Authorization=header)
            assert (status, code) == (answer.status_code, answer.json()["errors"][0]["code"])
        login = {"taskType": "authentication", "apiKey": "rehearsal"}
        items = (await home.post(login, ping, Authorization="")).json()["data"]
        assert ["authentication", "ping"] == [item["taskType"] for item in items]
        assert items[0]["connectionSessionUUID"]
        assert True is items[1]["pong"]

    play(scene, key="rehearsal")


def test_the_account_tells_what_is_left_and_lets_nobody_overdraw() -> None:
    async def scene(home: House) -> None:
        await home.submit()
        account = {"taskType": "accountManagement", "taskUUID": new(), "operation": "getDetails"}
        (item,) = (await home.post(account)).json()["data"]
        assert (0.15, 0.1) == (item["balance"], item["usage"]["total"]["credits"])
        await home.submit()
        task = video()
        answer = await home.post(task)
        assert (402, "insufficientCredits") == (answer.status_code, answer.json()["errors"][0]["code"])
        assert 0.2 == (await home.ledger())["total"]

    play(scene, balance=Decimal("0.25"))


def test_a_dry_run_prices_and_accepts_nothing() -> None:
    async def scene(home: House) -> None:
        task = video(numberResults=3)
        answer = await home.post(task, **{"X-Runware-Dry-Run": "1"})
        assert [{"taskType": "videoInference", "taskUUID": task["taskUUID"], "cost": 0.3}] == answer.json()["data"]
        assert 400 == (await home.post(video(ttl=1), **{"X-Runware-Dry-Run": "1"})).status_code
        assert [] == (await home.ledger())["tasks"]
        await home.submit(task["taskUUID"])

    play(scene)


def test_words_that_flag_are_told_and_others_are_refused() -> None:
    async def scene(home: House) -> None:
        for words, unsafe in (("A naked lamp.", True), ("A lamp.", False)):
            (item,) = (await home.wait(await home.submit(positivePrompt=words, safety={"checkContent": True})))["data"]
            assert unsafe is item["NSFWContent"]
        answer = await home.post(video(positivePrompt="An explicit lamp."))
        assert (400, "invalidProviderContent") == (answer.status_code, answer.json()["errors"][0]["code"])
        uuid = await home.submit(positivePrompt="A lamp in a massacre.")
        told = await home.wait(uuid)
        (error,) = told["errors"]
        assert ([], "invalidProviderContent", "error", uuid) == (
            told["data"],
            error["code"],
            error["status"],
            error["taskUUID"],
        )
        assert 0.2 == (await home.ledger())["total"]

    play(scene)


def test_a_model_can_be_gone() -> None:
    async def scene(home: House) -> None:
        answer = await home.post(video(**KLING_2_1))
        assert "modelNotFound" == answer.json()["errors"][0]["code"]
        await home.submit(**KLING)

    play(scene, gone=frozenset({"klingai:5@3"}))


def test_an_uploaded_picture_can_be_used_by_uuid_and_by_address() -> None:
    async def scene(home: House) -> None:
        upload = {"taskType": "imageUpload", "taskUUID": new(), "image": picture(3000, 1500)}
        (item,) = (await home.post(upload)).json()["data"]
        assert {"taskType", "taskUUID", "imageUUID", "imageURL"} == item.keys()
        fetched = await home.client.get(item["imageURL"])
        assert (200, "image/png") == (fetched.status_code, fetched.headers["content-type"])
        for image in (item["imageUUID"], item["imageURL"], {"image": item["imageUUID"], "frame": "last"}):
            uuid = await home.submit(width=None, height=None, inputs={"frameImages": [image]})
            (job,) = home.service.ledger.known(uuid)
            want = home.service.want(job, job.pieces[0])
            path = want.last if isinstance(image, dict) else want.first
            assert (f"{item['imageUUID']}.png", 128, 72) == (path and path.name, want.width, want.height)

    play(scene)


def test_details_hold_the_last_request_even_a_refused_one() -> None:
    async def scene(home: House) -> None:
        uuid = await home.submit()
        ask = {"taskType": "getTaskDetails", "taskUUID": uuid}
        await home.wait(uuid)
        (item,) = (await home.post(ask)).json()["data"]
        assert (uuid, "success") == (item["request"][0]["taskUUID"], item["response"]["data"][0]["status"])
        await home.post(video(uuid))
        (item,) = (await home.post(ask)).json()["data"]
        assert "conflictTaskUUID" == item["response"]["errors"][0]["code"]

    play(scene)


def test_the_ledger_adds_up_what_succeeds() -> None:
    async def scene(home: House) -> None:
        one = await home.submit(**KLING)
        two = await home.submit(numberResults=4, duration=5)
        failed = await home.submit(positivePrompt="A torture.")
        told = await home.ledger()
        assert 2.924 == told["total"]
        expected = [(one, "klingai:4@3", 1, 0.924), (two, "test:tiny@1", 4, 2.0), (failed, "test:tiny@1", 1, 0.0)]
        rows = [tuple(task[name] for name in ("taskUUID", "model", "numberResults", "cost")) for task in told["tasks"]]
        assert expected == rows
        assert {"processing"} == {task["status"] for task in told["tasks"]}
        home.clock.time += 500
        assert ["success", "success", "error"] == [task["status"] for task in (await home.ledger())["tasks"]]
        await home.client.post("/reset")
        assert {"total": 0.0, "tasks": []} == await home.ledger()
        await home.submit(one)

    play(scene)


def test_a_server_started_again_knows_what_it_accepted(tmp_path: Path) -> None:
    uuid, told = new(), []

    async def accept(home: House) -> None:
        upload = {"taskType": "imageUpload", "taskUUID": new(), "image": picture()}
        (item,) = (await home.post(upload)).json()["data"]
        await home.submit(uuid, inputs={"frameImages": [item["imageUUID"]]}, includeCost=True)

    async def again(home: House) -> None:
        assert "conflictTaskUUID" == (await home.post(video(uuid))).json()["errors"][0]["code"]
        (item,) = (await home.wait(uuid))["data"]
        assert 200 == (await home.client.get(item["videoURL"])).status_code
        told.append((item, (await home.ledger())["total"]))

    play(accept, state=tmp_path / "state")
    play(again, state=tmp_path / "state")
    play(again, state=tmp_path / "state")
    assert told[0] == told[1]
    assert 0.1 == told[0][1]


def test_a_ledger_of_another_seed_is_not_taken_up(tmp_path: Path) -> None:
    async def first(home: House) -> None:
        await home.submit()

    async def later(home: House) -> None:
        assert 0.1 == (await home.ledger())["total"]

    play(first, state=tmp_path / "state", seed=7)
    with pytest.raises(StoryError, match="another seed"):
        play(later, state=tmp_path / "state", seed=8)
    play(later, state=tmp_path / "state", seed=7, speed=10.0)


def test_the_peak_counts_what_was_in_the_making_at_once() -> None:
    async def scene(home: House) -> None:
        for _ in range(3):
            await home.submit()
        home.clock.time += 500
        await home.submit()
        stats = (await home.client.get("/stats")).json()
        assert (3, 4) == (stats["peak"], stats["requests"]["videoInference"])

    play(scene)
