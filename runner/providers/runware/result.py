"""What the service says of a task: its finished clips, its refusals, and how far it is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from ...ports import Answer, Made
from .secret import Secrets, unsigned
from .wire import DONE, Envelope, Fault, text, usd

FIELD_CHARS_MAX = 2000
"""A field of a response that is longer is no fact about a clip and is not kept."""

_ABOUT_ASKING = frozenset({"auth", "rate"})
_ENDINGS = ("URL", "DataURI", "Base64Data")
_OTHERS = ("webhook", "upload", "image", "thumbnail", "poster", "preview", "audio")


@dataclass(frozen=True, slots=True)
class Told:
    """An answer about a task. ``pending``: whether it names something that is still being made."""

    answer: Answer
    pending: bool
    bare: bool = False
    """Whether a result is said to be done and has no address yet."""


def told(envelope: Envelope, uuid: str, secrets: Secrets) -> Told:
    """What an answer says of a task. Raises ProviderError where it says that the asking went wrong."""
    items, faults = envelope.items_of(uuid), envelope.faults_of(uuid)
    unheard = [fault for fault in faults if fault.unheard]
    ended = [fault for fault in faults if not fault.unheard and _of_the_task(fault, envelope.status)]
    for fault in faults:
        if fault not in unheard and fault not in ended and not items and not ended:
            raise fault.error(secrets, started=True, retry_after=envelope.retry_after)
    made: dict[str, Made] = {}
    for number, item in enumerate(items):
        if (clip := _made(item, number, secrets)) is not None:
            made.setdefault(clip.video_uuid, clip)
    going = [item for item in items if _source(item) is None]
    progress = [value for item in going if (value := _percent(item.get("progress"))) is not None]
    failed = tuple(fault.error(secrets, started=True) for fault in ended)
    answer = Answer(tuple(made.values()), failed, bool(items or ended), min(progress) if progress else None)
    bare = any((text(item.get("status")) or "").casefold() in DONE for item in going)
    return Told(answer, bool(going), bare)


def _of_the_task(fault: Fault, status: int) -> bool:
    """Whether a fault is the end of the task, and not of the question about it.

    Taking the one for the other would lose a clip that is paid for, so what is unclear is asked again.
    """
    if fault.final or fault.kind == "videoInference":
        return True
    if status != 200 or fault.kind == "getResponse":
        return False
    trouble = fault.rule.trouble
    return trouble not in _ABOUT_ASKING and (trouble != "server" or fault.task is not None)


def _made(item: Mapping[str, Any], number: int, secrets: Secrets) -> Made | None:
    source = _source(item)
    if source is None:
        return None
    seed = item.get("seed")
    if (isinstance(seed, str) and seed.lstrip("-").isdecimal()) or (
        isinstance(seed, Decimal) and seed == seed.to_integral_value()
    ):
        seed = int(seed)
    return Made(
        source,
        text(item.get("videoUUID")) or text(item.get("mediaUUID")) or _name(item, source, number),
        seed=seed if isinstance(seed, int) and not isinstance(seed, bool) else None,
        usd=usd(item.get("cost")),
        response={key: kept for key, value in item.items() if (kept := _kept(key, value, secrets)) is not None},
    )


def _source(item: Mapping[str, Any]) -> str | None:
    """Where a finished clip is: its address, or the clip itself as a data URI. None while it is being made."""
    first = ("videoURL", "mediaURL", "videoDataURI", "videoBase64Data")
    others = [key for key in item if key.endswith(_ENDINGS) and not key.casefold().startswith(_OTHERS)]
    for key in (*first, *others):
        value = text(item.get(key))
        if value is None:
            continue
        if value.startswith(("http://", "https://", "data:")):
            return value
        if key.endswith("Base64Data"):
            return f"data:video/mp4;base64,{value}"
    return None


def _name(item: Mapping[str, Any], source: str, number: int) -> str:
    """A result without a UUID is known by its address, else by its place in the answer."""
    place = urlsplit(source).path if not source.startswith("data:") else str(item.get("resultIndex", number))
    return hashlib.sha256(f"{item.get('taskUUID')} {place}".encode()).hexdigest()[:32]


def _percent(value: object) -> int | None:
    word = text(value)
    try:
        number = Decimal((word or "").removesuffix("%"))
    except ArithmeticError:
        return None
    return int(number) if number.is_finite() and 0 <= number <= 100 else None


def _kept(key: str, value: object, secrets: Secrets) -> Any:
    """A response field as it may be written down: no media, no signatures, no secrets."""
    if key.endswith(("DataURI", "Base64Data")) or key == "apiKey":
        return None
    if isinstance(value, dict):
        return {name: kept for name, inner in value.items() if (kept := _kept(name, inner, secrets)) is not None}
    if isinstance(value, list):
        return [kept for inner in value if (kept := _kept(key, inner, secrets)) is not None]
    if isinstance(value, str):
        return secrets.blank(unsigned(value)) if len(value) <= FIELD_CHARS_MAX else None
    if isinstance(value, Decimal):
        return float(value)
    return value
