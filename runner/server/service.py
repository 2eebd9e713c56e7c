"""The stand-in of the paid service: takes tasks, makes clips in its own time, and writes down what it would charge."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from typing import Any, cast

from .. import card as model_cards
from ..card import Card
from ..errors import StoryError
from ..executors.local import Local
from ..ports import Clock
from .chance import share, uuid4
from .clips import SUFFIX, Clips, Drawn, ReadyMade, Want
from .courier import Courier
from .images import Images, Picture, misfit
from .jobs import REFUSED, Job, Piece, plan, unknown_status, words
from .ledger import Ledger
from .protocol import Envelope, Refusal, Reply, Task, envelope, faults, other_form, refused, tasks_of
from .trouble import USUAL, Dropped, Occasion, Trouble

REGISTERING_S = 1.0
"""How long the service takes to know a UUID everywhere: sent again within it, a task is made and charged twice."""

SLOW_S_MIN, SLOW_S_MAX = 2.0, 8.0
HTML = "<!doctype html><html><title>Bad gateway</title><body><h1>502 Bad gateway</h1></body></html>"
_OCCASIONS: dict[str, Occasion] = {"videoInference": "submit", "getResponse": "poll", "imageUpload": "upload"}


@dataclass(frozen=True)
class Options:
    """How the stand-in behaves. Times in seconds, amounts in USD.

    ``speed`` divides every time that the service takes. ``making`` fixes the making time (before the division);
    ``registering`` sets the time until a UUID is known (1 s before the division; not divided when it is set).
    ``key``: the only one that is let in; None lets every key in, but not none. ``gone``: models that left the
    catalogue. ``cards``: a folder with cards of more models. ``state``: a file that outlives the server.
    ``lasting``: troubles of files never heal. ``call_form``: flat, data (in an envelope), or both in turn.
    """

    speed: float = 1.0
    making: float | None = None
    registering: float | None = None
    trouble: float = 0.0
    kinds: frozenset[str] = USUAL
    lasting: bool = False
    seed: int = 0
    ready_made: bool = False
    slots: int = 2
    balance: Decimal = Decimal(100_000)
    key: str | None = field(default=None, repr=False)
    gone: frozenset[str] = frozenset()
    cards: Path | None = None
    state: Path | None = None
    folder: Path | None = None
    allow_any_target: bool = False
    call_form: str = "flat"
    base: str = "http://127.0.0.1:8787"


class Service:
    """All that the stand-in decides, with no network in it. One event loop; ``clock`` may be a pretend one."""

    def __init__(self, options: Options, clock: Clock, *, clips: Clips | None = None, courier: Courier | None = None):
        self.options, self.clock = options, clock
        self.cards = _cards(options)
        self.trouble = Trouble(options.trouble, options.seed, options.kinds, options.lasting)
        self.requests: Counter[str] = Counter()
        """How often each kind of task came, and how often a clip was fetched (``fetch``)."""
        self.peak = 0
        """The most tasks that were ever in the making at once."""
        self.ledger = Ledger(options.state, [options.seed, options.trouble, sorted(options.kinds)])
        self._stack = ExitStack()
        folder = options.folder or (options.state and options.state.with_suffix(".files"))
        folder = folder or Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="matchcut-standin-")))
        self.images = Images(folder / "images")
        self.clips: Clips = clips or (
            ReadyMade(folder / "ready") if options.ready_made else Drawn(folder / "clips", Local(options.slots))
        )
        self.courier = courier or Courier(clock, anywhere=options.allow_any_target)
        self.details: dict[str, dict[str, Any]] = {}
        self._pieces: dict[str, tuple[Job, Piece]] = {}
        self._making: set[str] = set()
        self._wants: dict[str, Want] = {}

    async def start(self) -> None:
        """Take up what a server before this one accepted."""
        for request, nth, accepted in self.ledger.kept():
            if request["model"] in self.cards:
                job = self._plan(request, accepted, nth)
                self.ledger.recall(job)
                self._begin(job)

    async def aclose(self) -> None:
        await self.courier.aclose()
        await self.clips.aclose()
        self.ledger.close()
        self._stack.close()

    def reset(self) -> None:
        """Forget every task, picture and trouble: as new."""
        self.courier.forget()
        self.ledger.clear()
        self.images.clear()
        for kept in (self.trouble.met, self.requests, self.details, self._pieces, self._wants, self._making):
            kept.clear()
        self.peak = 0

    # --- one POST ---------------------------------------------------------------------------------------------------

    async def handle(self, tasks: object, *, key: str | None, dry_run: bool = False) -> Reply:
        """The answer to an array of tasks. Raises Dropped where the connection is to die."""
        read = tasks_of(tasks)
        if isinstance(read, Refusal):
            return refused(read)
        self.requests.update(str(task.get("taskType")) for task in read)
        locked = self._locked(read, key)
        if locked is not None:
            return refused(locked)
        struck = [(task, kind) for task in read if (kind := self._struck(task, dry_run))]
        for task, kind in struck:
            early = await self._before(task, kind)
            if early is not None:
                return early
        reply = self._all(read, dry_run=dry_run)
        for task, kind in struck:
            reply = self._after(reply, task, kind)
        return reply

    def _locked(self, tasks: Sequence[Task], key: str | None) -> Refusal | None:
        """Why nobody is let in. A first task ``authentication`` brings the key as well as the header does."""
        if tasks[0].get("taskType") == "authentication" and not faults(tasks[0], self.cards):
            key = tasks[0]["apiKey"]
        task = tasks[0]
        if not key:
            return Refusal("missingApiKey", "An API key is required.", "apiKey", status=401).of(task)
        if self.options.key is not None and key != self.options.key:
            return Refusal("invalidApiKey", "The API key is not valid.", "apiKey", status=401).of(task)
        return None

    def _struck(self, task: Task, dry_run: bool) -> str | None:
        """The trouble of a task that is well formed; what is refused anyway has none."""
        occasion = _OCCASIONS.get(str(task.get("taskType")))
        if occasion is None or dry_run or not isinstance(task.get("taskUUID"), str):
            return None
        return self.trouble.strikes(task["taskUUID"].lower(), occasion)

    async def _before(self, task: Task, kind: str) -> Reply | None:
        """What happens instead of an answer, before anything is accepted."""
        uuid, coin = task["taskUUID"].lower(), self.trouble.coin
        if kind == "slow":
            part = share(self.options.seed, uuid, "slow")
            await self.clock.sleep((SLOW_S_MIN + (SLOW_S_MAX - SLOW_S_MIN) * part) / self.options.speed)
        elif kind == "429":
            busy = Refusal("rateLimitExceeded", "Too many requests for this model; try again later.", status=429)
            return refused(busy.of(task), Retry_After="1")
        elif kind == "503" or (kind == "500" and not coin(uuid, kind)):
            code = "internalServerError" if kind == "500" else "serviceUnavailable"
            return refused(Refusal(code, "The service has a problem.", status=int(kind)).of(task))
        elif kind == "drop-before":
            raise Dropped("connect" if coin(uuid, kind) else "read")
        elif kind == "html" and not coin(uuid, kind):
            return Reply(502, HTML)
        return None

    def _after(self, reply: Reply, task: Task, kind: str) -> Reply:
        """What becomes of the answer on its way back."""
        uuid, coin = task["taskUUID"].lower(), self.trouble.coin
        if isinstance(reply.body, str):
            return reply
        if kind == "drop-after":
            raise Dropped("read")
        if kind == "timeout-after":
            if coin(uuid, kind):
                raise Dropped("timeout")
            return refused(Refusal("timeout", "The request took too long.", status=504).of(task))
        if kind == "500":
            return refused(Refusal("internalServerError", "The service has a problem.", status=500).of(task))
        if kind == "html":
            return Reply(200, HTML)
        if kind == "empty" and not reply.body.get("errors"):
            return Reply(200, {"data": []})
        if kind == "duplicate":
            return Reply(reply.status, {name: items * 2 for name, items in reply.body.items()})
        if kind == "unknown-status":
            done = [item for item in reply.body["data"] if str(item.get("taskUUID")).lower() == uuid]
            rest = [item for item in reply.body["data"] if item not in done]
            return Reply(reply.status, envelope(unknown_status(done) + rest, ()))
        if kind == "forms":
            conflict = any(error["code"] == "conflictTaskUUID" for error in reply.body.get("errors", ()))
            return Reply(409 if conflict else reply.status, other_form(reply.body))
        return reply

    # --- tasks ------------------------------------------------------------------------------------------------------

    def _all(self, tasks: Sequence[Task], *, dry_run: bool) -> Reply:
        """Each task by itself. Errors alone have the status of the first; beside data they come with 200."""
        data: list[Mapping[str, Any]] = []
        errors: list[Mapping[str, Any]] = []
        status = 200
        submitted: set[str] = set()
        for task in tasks:
            wrong = faults(task, self.cards)
            if not wrong:
                items, wrong, told = self._one(task, dry_run=dry_run, submitted=submitted)
                data += items
                errors += told
            if wrong and status == 200:
                status = wrong[0].status
            errors += [each.as_json() for each in wrong]
            if task.get("taskType") == "videoInference" and isinstance(task.get("taskUUID"), str) and not dry_run:
                self.details[task["taskUUID"].lower()] = {
                    "request": [task],
                    "refused": [each.as_json() for each in wrong],
                }
        return Reply(200 if data else status, envelope(data, errors))

    def _one(
        self, task: Task, *, dry_run: bool, submitted: set[str]
    ) -> tuple[list[dict[str, Any]], list[Refusal], list[dict[str, Any]]]:
        """A well-formed task: items, refusals, and errors that a poll tells with status 200."""
        kind, uuid = task["taskType"], task.get("taskUUID")
        name = {"taskType": kind} | ({"taskUUID": uuid} if uuid else {})
        if kind == "authentication":
            session = task.get("connectionSessionUUID") or uuid4(self.options.seed, self.clock.now(), "session")
            return [{**name, "connectionSessionUUID": session}], [], []
        if kind == "ping":
            return [{**name, "pong": True}], [], []
        if kind == "accountManagement":
            return [{**name, **self._account()}], [], []
        if kind == "imageUpload":
            return self._upload(task, name)
        if kind == "getResponse":
            items, errors = self.look(task["taskUUID"])
            return items, [], errors
        if kind == "getTaskDetails":
            return self._details(task, name)
        items, wrong = self._submit(task, dry_run=dry_run, again=task["taskUUID"].lower() in submitted)
        submitted.add(task["taskUUID"].lower())
        return items, wrong, []

    def _submit(self, task: Task, *, dry_run: bool, again: bool) -> tuple[list[dict[str, Any]], list[Refusal]]:
        """Accept a task and charge it, or refuse it. Nothing is awaited between the question and the entry."""
        uuid, now = task["taskUUID"], self.clock.now()
        known = self.ledger.known(uuid)
        if again or (known and now - known[0].accepted >= self._registering()):
            message = f"A task with the UUID {uuid} exists already."
            return [], [Refusal("conflictTaskUUID", message, "taskUUID").of(task)]
        wrong = self._pictures(task)
        if isinstance(wrong, Refusal):
            return [], [wrong.of(task)]
        if words(task["positivePrompt"]) & REFUSED:
            message = "The provider does not make such content."
            return [], [Refusal("invalidProviderContent", message, "positivePrompt").of(task)]
        job = self._plan(task, now, len(known))
        if dry_run:
            price = self.cards[task["model"]].cost(task)
            return [{"taskType": task["taskType"], "taskUUID": uuid, "cost": float(price or 0)}], []
        if self.ledger.total() + job.usd > self.options.balance:
            message = "The account has not enough credits for this task."
            return [], [Refusal("insufficientCredits", message, status=402).of(task)]
        self.ledger.accept(job)
        self._begin(job)
        return [{"taskType": task["taskType"], "taskUUID": uuid}], []

    def _upload(
        self, task: Task, name: dict[str, Any]
    ) -> tuple[list[dict[str, Any]], list[Refusal], list[dict[str, Any]]]:
        uuid = uuid4(self.options.seed, task["taskUUID"].lower(), "image")
        wrong = self.images.keep(uuid, task["image"])
        if wrong is not None:
            return [], [wrong.of(task)], []
        url = f"{self.options.base}/image/ii/{uuid}.png"
        return [{**name, "imageUUID": uuid, "imageURL": url}], [], []

    def _details(
        self, task: Task, name: dict[str, Any]
    ) -> tuple[list[dict[str, Any]], list[Refusal], list[dict[str, Any]]]:
        """The last request of a UUID and its answer: a refused one hides an older one that was accepted."""
        uuid = task["taskUUID"].lower()
        known, last = self.ledger.known(uuid), self.details.get(uuid)
        if last is None and known:
            last = {"request": [known[-1].request], "refused": []}
        if last is None:
            return [], [Refusal("taskNotFound", f"There is no task {uuid}.", "taskUUID", status=404).of(task)], []
        response = envelope([], last["refused"]) if last["refused"] else envelope(*self.look(uuid))
        return [{**name, "request": last["request"], "response": response}], [], []

    def look(self, uuid: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """What a poll tells of a UUID; nothing for one that is unknown, or not known everywhere yet."""
        data: list[dict[str, Any]] = []
        errors: list[dict[str, Any]] = []
        now = self.clock.now()
        for job in self.ledger.known(uuid):
            job.asked += 1
            if now - job.accepted >= self._registering():
                items, failed = job.look(now, partial(self.drawn, job), self.url)
                data += items
                errors += failed
        return data, errors

    def _account(self) -> Envelope:
        charged = self.ledger.total()
        usage = {"credits": float(charged), "requests": sum(self.requests.values())}
        return {
            "organizationUUID": uuid4(self.options.seed, "organization"), "organizationName": "Stand-in",
            "AIRSource": "standin", "balance": float(self.options.balance - charged), "team": [], "apiKeys": [],
            "usage": dict.fromkeys(("total", "today", "last7Days", "last30Days"), usage),
        }  # fmt: skip

    # --- clips ------------------------------------------------------------------------------------------------------

    def url(self, piece: Piece) -> str:
        """The address of a result."""
        job, _ = self._pieces[piece.video_uuid]
        suffix = SUFFIX[job.request.get("outputFormat", "MP4")]
        return f"{self.options.base}/video/os/a01d05/ws/2/vi/{piece.video_uuid}{suffix}"

    def piece(self, video_uuid: str) -> tuple[Job, Piece] | None:
        """A result by its UUID."""
        return self._pieces.get(video_uuid)

    def drawn(self, job: Job, piece: Piece) -> bool:
        """Whether the clip of a result is made."""
        return self.clips.ready(self.want(job, piece))

    def finished(self, job: Job, piece: Piece) -> bool:
        return job.finished(piece, self.clock.now(), partial(self.drawn, job))

    def want(self, job: Job, piece: Piece) -> Want:
        """What is to be in the clip of a result. A task without a size has that of its first picture's shape."""
        if piece.video_uuid not in self._wants:
            pictures = cast("dict[str, Picture | None]", self._pictures(job.request))
            size = job.card.sizes[0]
            given = next((picture for picture in pictures.values() if picture), None)
            if given is not None:
                size = job.card.nearest(given.width, given.height)
            ends = {name: picture.path for name, picture in pictures.items() if picture}
            request = job.request
            self._wants[piece.video_uuid] = Want(
                prompt=request["positivePrompt"],
                width=int(request.get("width", size.width)),
                height=int(request.get("height", size.height)),
                seconds=float(job.card.seconds(request)),
                fps=job.card.fps,
                container=request.get("outputFormat", "MP4"),
                quality=int(request.get("outputQuality", 95)),
                seed=piece.seed,
                first=ends.get("first"),
                last=ends.get("last"),
            )
        return self._wants[piece.video_uuid]

    def _pictures(self, task: Task) -> dict[str, Picture | None] | Refusal:
        """The pictures of a task by position, or why one can't be taken."""
        card = self.cards[task["model"]]
        found: dict[str, Picture | None] = {}
        for position, image in card.place_images(task.get("inputs", {}).get("frameImages", ())).items():
            given = self.images.given(image)
            wrong = given if isinstance(given, Refusal) else given and misfit(given, card.picture)
            if wrong:
                return wrong
            found[position] = given if isinstance(given, Picture) else None
        return found

    def _plan(self, request: Mapping[str, Any], accepted: float, nth: int) -> Job:
        return plan(
            request,
            self.cards[request["model"]],
            self.trouble,
            accepted=accepted,
            nth=nth,
            making=self.options.making,
            speed=self.options.speed,
        )

    def _begin(self, job: Job) -> None:
        for piece in job.pieces:
            self._pieces[piece.video_uuid] = (job, piece)
            if piece.failed is None:
                self.clips.begin(self.want(job, piece))
        now = self.clock.now()
        self._making = {name for name in self._making if any(self._open(each, now) for each in self.ledger.known(name))}
        self._making.add(job.uuid.lower())
        self.peak = max(self.peak, len(self._making))
        self.courier.follow(self, job)

    def _open(self, job: Job, now: float) -> bool:
        return any(now < job.due(piece) for piece in job.pieces)

    def _registering(self) -> float:
        given = self.options.registering
        return REGISTERING_S / self.options.speed if given is None else given

    def ledger_json(self) -> dict[str, Any]:
        """What it would have charged."""
        now = self.clock.now()
        return self.ledger.as_json(lambda job: job.status(now, partial(self.drawn, job)))

    def stats_json(self) -> dict[str, Any]:
        """How often it was asked what, and the most tasks that were in the making at once."""
        return {"requests": dict(self.requests), "peak": self.peak, "calls": self.courier.calls}


@cache
def _card(path: Path, _changed: int) -> Card:
    """A card is checked once, though tests start a service for each of their worlds."""
    return model_cards.from_file(path)


def _cards(options: Options) -> dict[str, Card]:
    """The models on offer: the shipped cards of paid models, and those in the folder that was named."""
    found = [each for each in model_cards.cards() if each.provider == "runware"]
    if options.cards is not None:
        if not options.cards.is_dir():
            raise StoryError.of(f"there is no folder {options.cards}", "a folder with model cards")
        found += [_card(path, path.stat().st_mtime_ns) for path in sorted(options.cards.glob("*.json"))]
    return {each.id: each for each in found if each.id not in options.gone}
