"""An accepted task: when its clips will be there, what each costs, and what is told of it at any moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ..card import Card
from .chance import number, share, uuid4
from .protocol import Refusal
from .trouble import NEVER_ASKS, NEVER_TIMES, Trouble

MAKING_S_MIN, MAKING_S_MAX = 60.0, 240.0
"""What five and ten seconds of clip take: from three to five minutes was told of such models, faster ones less."""

FLAGGED = frozenset({"nude", "naked", "nsfw", "gore", "bloody"})
"""Words at which the safety check says NSFWContent: true."""

REFUSED = frozenset({"explicit", "pornographic", "beheading"})
"""Words that are refused at once: invalidProviderContent."""

REFUSED_LATER = frozenset({"massacre", "torture"})
"""Words that are found out while the clip is made; the task fails, nothing is charged."""

SEEDS = 2**31
DEARER = Decimal("1.25")
URL_S = 7 * 24 * 3600.0
"""How long a result stays at its address when no ttl is asked for."""

_UNDOCUMENTED = ("queued", "uploading", "finalizing")


def words(prompt: object) -> frozenset[str]:
    """The words of a prompt, folded."""
    return frozenset("".join(c if c.isalpha() else " " for c in str(prompt)).casefold().split())


@dataclass(frozen=True, slots=True)
class Piece:
    """One result of a task. ``due`` is in seconds after acceptance, ``usd`` what is charged for it."""

    index: int
    video_uuid: str
    seed: int
    usd: Decimal
    due: float
    failed: Refusal | None
    in_data: bool
    nsfw: bool | None


@dataclass
class Job:
    """A task that was accepted. ``accepted`` is in seconds since 1970; ``shown`` keeps the order of the results."""

    request: Mapping[str, Any]
    card: Card
    nth: int
    accepted: float
    making: float
    never: bool
    pieces: tuple[Piece, ...]
    asked: int = 0
    shown: list[int] = field(default_factory=list)

    @property
    def uuid(self) -> str:
        return str(self.request["taskUUID"])

    @property
    def usd(self) -> Decimal:
        """What the task is charged: at acceptance, for the results that succeed."""
        return sum((piece.usd for piece in self.pieces), Decimal(0))

    def due(self, piece: Piece) -> float:
        """When a result is finished at the latest, in seconds since 1970."""
        return self.accepted + piece.due * (NEVER_TIMES if self.never and self.asked < NEVER_ASKS else 1)

    def finished(self, piece: Piece, now: float, drawn: Callable[[Piece], bool]) -> bool:
        """Whether a result is to be told: its time has come, and its clip is there."""
        return now >= self.due(piece) and (piece.failed is not None or drawn(piece))

    def expires(self, piece: Piece) -> float:
        """When the address of a result dies, in seconds since 1970. It lives from when the result was due."""
        return self.due(piece) + float(self.request.get("ttl", URL_S))

    def progress(self, now: float) -> int:
        """How far the making is, in percent; 100 only when it is done."""
        whole = max(self.due(piece) for piece in self.pieces) - self.accepted
        return max(0, min(99, int(100 * (now - self.accepted) / whole))) if whole > 0 else 99

    def look(
        self, now: float, drawn: Callable[[Piece], bool], url: Callable[[Piece], str]
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """What a poll is told: items and errors. The whole so far, each result in the place where it first stood."""
        for piece in sorted(self.pieces, key=lambda each: (each.due, each.index)):
            if piece.index not in self.shown and self.finished(piece, now, drawn):
                self.shown.append(piece.index)
        done = [self.pieces[index] for index in self.shown]
        data = [self.told(piece, url) for piece in done if piece.failed is None or piece.in_data]
        errors = [self.told(piece, url) for piece in done if piece.failed is not None and not piece.in_data]
        if len(done) < len(self.pieces):
            data.append({**self._name(), "status": "processing", "progress": self.progress(now)})
        return data, errors

    def told(self, piece: Piece, url: Callable[[Piece], str]) -> dict[str, Any]:
        """A finished result as an item of the answer."""
        if piece.failed is not None:
            error = piece.failed.as_json()
            return (
                {**self._name(), "status": "error", "error": error} if piece.in_data else {**error, "status": "error"}
            )
        item: dict[str, Any] = {
            **self._name(), "status": "success", "videoUUID": piece.video_uuid, "videoURL": url(piece),
            "seed": piece.seed,
        }  # fmt: skip
        if piece.nsfw is not None:
            item["NSFWContent"] = piece.nsfw
        if self.request.get("includeCost") is True:
            item["cost"] = float(piece.usd)
        return item

    def status(self, now: float, drawn: Callable[[Piece], bool]) -> str:
        """processing, success, error, or mixed where some results failed."""
        if not all(self.finished(piece, now, drawn) for piece in self.pieces):
            return "processing"
        failed = sum(piece.failed is not None for piece in self.pieces)
        return "success" if not failed else "error" if failed == len(self.pieces) else "mixed"

    def _name(self) -> dict[str, str]:
        return {"taskType": "videoInference", "taskUUID": self.uuid}


def unknown_status(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same items, as if nothing were done and the status were a new word."""
    names = [{"taskType": item["taskType"], "taskUUID": item["taskUUID"]} for item in items[:1]]
    return [name | {"status": _UNDOCUMENTED[number(name) % len(_UNDOCUMENTED)]} for name in names]


def plan(
    request: Mapping[str, Any],
    card: Card,
    trouble: Trouble,
    *,
    accepted: float,
    nth: int,
    making: float | None,
    speed: float,
) -> Job:
    """All that will become of a task, settled at acceptance: it follows from the request, the seed and the UUID.

    ``nth`` tells two generations of one UUID apart; ``making`` fixes the making time in seconds. ``speed`` divides it.
    """
    uuid, seed = str(request["taskUUID"]), trouble.seed
    seconds = float(card.seconds(request))
    if making is None:
        # Ten seconds take longer than five, and no two take the same.
        low = MAKING_S_MIN + 60.0 * min(1.0, seconds / 10.0)
        making = low + (MAKING_S_MAX - low) * share(seed, uuid, "making")
    making /= speed
    kind = trouble.kind(uuid, "make")
    count = int(request.get("numberResults", 1))
    price = (card.cost({**request, "numberResults": 1}) or Decimal(0)) * (DEARER if kind == "changed-price" else 1)
    said = words(request.get("positivePrompt"))
    safety = request.get("safety", {})
    checked = safety.get("checkContent") is True or safety.get("mode") in {"fast", "full"}

    def piece(index: int) -> Piece:
        failed = _failure(request, said, kind, last=count > 1 and index == count - 1)
        early = 0.6 + 0.4 * share(seed, uuid, nth, index, "due") if count > 1 else 1.0
        return Piece(
            index=index,
            video_uuid=uuid4(seed, uuid, nth, index, "video"),
            seed=number(seed, uuid, nth, index, "seed") % SEEDS,
            usd=price if failed is None else Decimal(0),
            due=making * early,
            failed=failed,
            in_data=kind == "error-in-data",
            nsfw=bool(said & FLAGGED) if checked else None,
        )

    return Job(request, card, nth, accepted, making, kind == "never", tuple(piece(index) for index in range(count)))


def _failure(request: Mapping[str, Any], said: frozenset[str], kind: str | None, *, last: bool) -> Refusal | None:
    if said & REFUSED_LATER:
        message = "The provider found content that it does not make."
        return Refusal("invalidProviderContent", message, "positivePrompt").of(request)
    if kind in {"error-in-data", "error-in-errors"}:
        return Refusal("timeoutProvider", "The external provider did not respond within the timeout window.").of(
            request
        )
    if kind == "mixed" and last:
        return Refusal("providerError", "The external provider failed on this result.").of(request)
    return None
