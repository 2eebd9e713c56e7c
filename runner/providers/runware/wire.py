"""The service's answers, in every form in which they have been seen: items, faults, or neither."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ...ports import ProviderError
from .secret import Secrets
from .trouble import Rule, is_conflict, is_unheard, rule

FAILED = frozenset({"error", "failed", "failure", "cancelled", "canceled"})
DONE = frozenset({"success", "succeeded", "completed", "complete", "done"})


class Unreadable(ValueError):
    """An answer that is not JSON, or is no envelope: HTML, nothing, a number. The text says which."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One error object. ``task``: the UUID it is about, where it says so; ``kind``: the type of that task."""

    code: str | None
    message: str
    status: int
    task: str | None = None
    video: str | None = None
    kind: str | None = None
    parameters: tuple[str, ...] = ()
    final: bool = False
    """Whether it says of itself that the task ended with it (``status: error``)."""
    usd: Decimal | None = None

    @property
    def rule(self) -> Rule:
        return rule(self.code, self.status)

    @property
    def conflict(self) -> bool:
        return is_conflict(self.code, self.parameters)

    @property
    def unheard(self) -> bool:
        return is_unheard(self.code)

    def error(
        self, secrets: Secrets, *, started: bool, retry_after: float | None = None, what: str | None = None
    ) -> ProviderError:
        """The failure as it is told: what it means, then the service's own words."""
        said = secrets.clean(self.message)
        code = secrets.clean(self.code) if self.code else None
        fact = f"{what or self.rule.meaning}: {said}" if said else (what or self.rule.meaning)
        if code and code not in fact:
            fact += f" ({code})"
        return ProviderError(
            fact, self.rule.remedy, trouble=self.rule.trouble, code=code, started=started, usd=self.usd,
            retry_after=retry_after,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Envelope:
    """An answer: its items (results, acknowledgements), its faults, and the status it came with."""

    items: tuple[Mapping[str, Any], ...]
    faults: tuple[Fault, ...]
    status: int
    retry_after: float | None = None

    def items_of(self, uuid: str) -> list[Mapping[str, Any]]:
        """The items of a task; one that names no task counts, since every body here holds one task."""
        return [item for item in self.items if _same(text(item.get("taskUUID")), uuid)]

    def faults_of(self, uuid: str) -> list[Fault]:
        return [fault for fault in self.faults if _same(fault.task, uuid)]


def read(body: bytes, status: int, retry_after: float | None = None) -> Envelope:
    """An answer's body. Raises Unreadable.

    ``data`` and ``errors`` may each be absent, null, empty, an object or a list; ``error`` may stand for ``errors``; an
    item may be there without an envelope, and may itself say that it failed.
    """
    whole = _json(body)
    if isinstance(whole, list):
        whole = {"data": whole}
    keys = {"data", "errors", "error"} & whole.keys()
    if not keys or (keys == {"error"} and ("taskType" in whole or "taskUUID" in whole)):
        if not keys and not {"taskType", "taskUUID", "code", "message"} & whole.keys():
            raise Unreadable("JSON without data or errors")
        whole = {"errors": whole} if "code" in whole and "status" not in whole else {"data": whole}
    items: list[dict[str, Any]] = []
    faults: list[dict[str, Any]] = []
    for item in _each(whole.get("data")):
        if isinstance(item, dict):
            (faults if _failed(item) else items).append(item)
    told = [_fault(item, status) for item in faults]
    for name in ("errors", "error"):
        told += [_fault(entry, status) for entry in _each(whole.get(name))]
    return Envelope(tuple(items), tuple(told), status, retry_after)


def text(value: object) -> str | None:
    """A word of the service's, if there is one."""
    if isinstance(value, str):
        return value.strip() or None
    return str(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else None


def usd(value: object) -> Decimal | None:
    """An amount of money: a number, or a number as text. None where it is none."""
    if isinstance(value, str):
        try:
            value = Decimal(value.strip().removeprefix("$"))
        except ArithmeticError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    amount = Decimal(value)
    return amount if amount.is_finite() and amount >= 0 else None


def _json(body: bytes) -> Any:
    if not body.strip():
        raise Unreadable("nothing at all")
    try:
        found = json.loads(body, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError):
        page = body.lstrip()[:200].lower().startswith((b"<!doctype", b"<html", b"<?xml", b"<"))
        what = "a web page" if page else "something that is not JSON"
        raise Unreadable(what) from None
    if not isinstance(found, dict | list):
        raise Unreadable("JSON that is no answer")
    return found


def _no_number(name: str) -> Any:
    raise ValueError(name)


def _same(task: str | None, uuid: str) -> bool:
    return task is None or task.casefold() == uuid.casefold()


def _each(value: object) -> Iterator[Any]:
    """The entries of a list, a lone one, or of an object whose keys are numbers; nulls are no entries."""
    if isinstance(value, dict) and value and all(key.isdecimal() for key in value):
        value = [value[key] for key in sorted(value, key=int)]
    for entry in value if isinstance(value, list) else [value]:
        if entry not in (None, "", {}, []):
            yield entry


def _failed(item: Mapping[str, Any]) -> bool:
    status = (text(item.get("status")) or "").casefold()
    return status in FAILED or (bool(item.get("error") or item.get("errors")) and status not in DONE)


def _fault(entry: object, status: int) -> Fault:
    if not isinstance(entry, dict):
        return Fault(None, text(entry) or "", status)
    inner = entry.get("error") or entry.get("errors")
    inner = inner[0] if isinstance(inner, list) and inner else inner
    nested = inner if isinstance(inner, dict) else {"message": text(inner)} if inner else {}
    both = {**entry, **{key: value for key, value in nested.items() if value is not None}}
    code = text(both.get("code")) or text(both.get("errorCode"))
    parameters = tuple(word for value in _each(both.get("parameter")) if (word := text(value)))
    return Fault(
        code,
        _sentence(both, parameters),
        status,
        task=text(both.get("taskUUID")),
        video=text(both.get("videoUUID")),
        kind=text(both.get("taskType")),
        parameters=parameters,
        final=(text(entry.get("status")) or text(both.get("status")) or "").casefold() in FAILED,
        usd=usd(both.get("cost")),
    )


def _sentence(entry: Mapping[str, Any], parameters: tuple[str, ...]) -> str:
    """An error object as a sentence: its message, then what it says of the field and its bounds."""
    parts = [text(entry.get("message")) or text(entry.get("description")) or ""]
    provider = entry.get("responseContent")
    if provider:
        words = text(provider.get("message")) if isinstance(provider, dict) else text(provider)
        said = words or json.dumps(provider, default=str, ensure_ascii=False)
        if said not in parts[0]:
            parts.append(f"the model's maker says: {said}")
    notes = []
    if parameters:
        notes.append(f"field {', '.join(parameters)}")
    allowed = [word for value in _each(entry.get("allowedValues")) if (word := text(value))]
    if allowed:
        notes.append(f"allowed: {', '.join(allowed)}")
    for name, word in (("min", "at least"), ("max", "at most"), ("multiplier", "in steps of")):
        if (bound := text(entry.get(name))) is not None:
            notes.append(f"{word} {bound}")
    if (page := text(entry.get("documentation"))) is not None:
        notes.append(page)
    said = "; ".join(part for part in parts if part)
    return f"{said} [{'; '.join(notes)}]" if said and notes else said or "; ".join(notes)
