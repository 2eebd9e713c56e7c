"""The service's language: tasks in an array, answers in an envelope, and refusals that name the field at fault."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from ..card import Card
from ..schema import Fault

Task = Mapping[str, Any]
Envelope = dict[str, Any]

DOCS = "https://runware.ai/docs/platform"
UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)

SHAPES: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "authentication": (frozenset({"apiKey"}), frozenset({"taskUUID", "connectionSessionUUID"})),
    "ping": (frozenset(), frozenset({"taskUUID", "ping"})),
    "getResponse": (frozenset({"taskUUID"}), frozenset()),
    "getTaskDetails": (frozenset({"taskUUID"}), frozenset()),
    "imageUpload": (frozenset({"taskUUID", "image"}), frozenset()),
    "accountManagement": (frozenset({"taskUUID", "operation"}), frozenset()),
}
"""Fields that each task of the platform must have, and may have. What a ``videoInference`` may say is in its card."""

TASKS = (*SHAPES, "videoInference")


@dataclass(frozen=True)
class Refusal:
    """An error object: what of which task is wrong. ``status`` is that of an answer that says nothing else."""

    code: str
    message: str
    parameter: str | tuple[str, ...] | None = None
    status: int = 400
    more: Mapping[str, Any] = field(default_factory=dict)
    documentation: str = f"{DOCS}/errors"
    task_type: str | None = None
    task_uuid: str | None = None

    def of(self, task: Task) -> Refusal:
        """The same refusal, with the task that it is of."""
        kind, uuid = task.get("taskType"), task.get("taskUUID")
        return replace(
            self,
            task_type=kind if isinstance(kind, str) else None,
            task_uuid=uuid if isinstance(uuid, str) else None,
        )

    def as_json(self) -> dict[str, Any]:
        parameter = list(self.parameter) if isinstance(self.parameter, tuple) else self.parameter
        told = {"code": self.code, "message": self.message, "parameter": parameter, **self.more}
        told |= {"documentation": self.documentation, "taskType": self.task_type, "taskUUID": self.task_uuid}
        return {name: value for name, value in told.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Reply:
    """What the service says to one POST: a status, an envelope (or a page of HTML), and headers of its own."""

    status: int
    body: Envelope | str
    headers: Mapping[str, str] = field(default_factory=dict)


def envelope(data: Sequence[object], errors: Sequence[object]) -> Envelope:
    """Both arrays as the service sends them: ``errors`` only where there are some."""
    return {"data": list(data), **({"errors": list(errors)} if errors else {})}


def refused(*refusals: Refusal, **headers: str) -> Reply:
    """An answer that only refuses; its status is that of the first refusal."""
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(refusals[0].status, envelope([], [each.as_json() for each in refusals]), told)


def read(body: bytes | str) -> object:
    """A body as data. Raises ValueError when it is not JSON; NaN and infinities are not."""
    try:
        return json.loads(body, parse_constant=_no_number)
    except RecursionError as deep:
        raise ValueError("nested too deeply") from deep


def _no_number(word: str) -> object:
    raise ValueError(f"{word} is not a number")


def tasks_of(body: object) -> tuple[Task, ...] | Refusal:
    """The tasks of a body, or why it can't be read as tasks: it is always an array of objects."""
    if not isinstance(body, list) or not body or not all(isinstance(task, dict) for task in body):
        return Refusal(
            "invalidRequestBody", "The body must be an array of one or more task objects.", more={"type": "array"}
        )
    return tuple(body)


def faults(task: Task, cards: Mapping[str, Card]) -> list[Refusal]:
    """Everything wrong with a task as such; its pictures, its UUID's past and the money are looked at later."""
    kind = task.get("taskType")
    if "taskType" not in task:
        return [_missing("taskType").of(task)]
    if kind not in TASKS or not isinstance(kind, str):
        more = {"type": "string", "allowedValues": list(TASKS)}
        return [Refusal("invalidTaskType", f"There is no taskType {json.dumps(kind)}.", "taskType", more=more).of(task)]
    wrong = _of_uuid(task) if "taskUUID" in task or kind not in {"authentication", "ping"} else []
    wrong += _of_shape(task, *SHAPES[kind]) if kind in SHAPES else _of_video(task, cards)
    return [each.of(task) for each in wrong]


def _of_uuid(task: Task) -> list[Refusal]:
    uuid = task.get("taskUUID")
    if uuid is None:
        return [_missing("taskUUID")]
    if not isinstance(uuid, str) or not UUID4.fullmatch(uuid):
        return [Refusal("invalidTaskUUID", "taskUUID must be a UUID v4.", "taskUUID", more={"type": "string"})]
    return []


def _of_shape(task: Task, needed: frozenset[str], allowed: frozenset[str]) -> list[Refusal]:
    wrong = [_missing(name) for name in sorted(needed - {"taskUUID"} - task.keys())]
    wrong += [_unknown(name) for name in task if name not in needed | allowed | {"taskType"}]
    for name in sorted((needed - {"taskUUID"}) & task.keys()):
        if not isinstance(task[name], str) or not task[name]:
            message = f"{name} must be a text that is not empty."
            wrong.append(Refusal(_code("invalid", name), message, name, more={"type": "string"}))
    if not wrong and task["taskType"] == "accountManagement" and task["operation"] != "getDetails":
        more = {"type": "string", "allowedValues": ["getDetails"]}
        wrong.append(Refusal("invalidOperation", "This operation is not offered here.", "operation", more=more))
    return wrong


def _of_video(task: Task, cards: Mapping[str, Card]) -> list[Refusal]:
    model = task.get("model")
    if "model" not in task:
        return [_missing("model")]
    if not isinstance(model, str):
        return [Refusal("invalidModel", "model must be a text.", "model", more={"type": "string"})]
    if model not in cards:
        return [Refusal("modelNotFound", f'The model "{model}" does not exist or is gone.', "model", status=404)]
    card = cards[model]
    return [
        _of_fault(fault, card, task)
        for fault in card.check(task)
        if fault.severity == "error" and fault.path != ("taskUUID",) and fault.fact != "taskUUID is missing"
    ]


def _of_fault(fault: Fault, card: Card, task: Task) -> Refusal:
    """What the card says, in the service's words: the code tells the kind of fault, ``parameter`` the field."""
    names = [str(step) for step in fault.path if isinstance(step, str)]
    rule = card.field(".".join(names))
    lack = re.fullmatch(r"(\w+) is missing", fault.fact)
    if lack:
        return _documented(_missing(lack[1], _parameter((*fault.path, lack[1]))), card)
    if fault.key and rule is None:
        return _documented(_unknown(_parameter(fault.path)), card)
    if fault.key:
        return _documented(Refusal(_code("missing", _other(names[-1])), _said(fault), ("width", "height")), card)
    if names and names[0] in {"width", "height"} and isinstance(task[names[0]], int):
        sizes = [f"{size.width}x{size.height}" for size in card.sizes]
        more = {"allowedValues": sizes}
        return _documented(Refusal("unsupportedDimensions", _said(fault), ("width", "height"), more=more), card)
    name = "frameImages" if "frameImages" in names else names[-1] if names else "request"
    return _documented(Refusal(_code("invalid", name), _said(fault), _parameter(fault.path), more=_bounds(rule)), card)


def _documented(refusal: Refusal, card: Card) -> Refusal:
    page = card.document.get("x-page")
    first = refusal.parameter if isinstance(refusal.parameter, str) else (refusal.parameter or ("",))[0]
    anchor = re.sub(r"\[\d+\]", "", first).replace(".", "-").lower()
    return replace(refusal, documentation=f"{page}#request-{anchor}") if page else refusal


def _bounds(rule: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the service tells of a field beside the fault: its type, its bounds, its values."""
    if rule is None:
        return {}
    told = {"type": rule.get("type"), "min": rule.get("minimum"), "max": rule.get("maximum")}
    told |= {"multiplier": rule.get("multipleOf"), "allowedValues": rule.get("enum")}
    if rule.get("type") == "string":
        told |= {"min": rule.get("minLength"), "max": rule.get("maxLength")}
    return {name: value for name, value in told.items() if value is not None}


def _said(fault: Fault) -> str:
    said = fault.fact[:1].upper() + fault.fact[1:]
    return f"{said}. Try: {fault.remedy}." if fault.remedy else f"{said}."


def _parameter(path: Iterable[str | int]) -> str:
    return re.sub(r"\.(\d+)", r"[\1]", ".".join(map(str, path)))


def _code(kind: str, name: str) -> str:
    return kind + name[:1].upper() + name[1:]


def _other(name: str) -> str:
    return "height" if name == "width" else "width"


def _missing(name: str, parameter: str | None = None) -> Refusal:
    return Refusal(_code("missing", name), f"{name} is required.", parameter or name)


def _unknown(parameter: str) -> Refusal:
    return Refusal("unknownParameter", f"{parameter} is not a parameter of this task.", parameter)


def other_form(body: Envelope) -> Envelope:
    """The same answer in the other forms that are documented or were seen with the service."""
    told = cast("Envelope", json.loads(json.dumps(body)))
    for item in told["data"]:
        if item.get("status") == "processing":
            item["status"] = "pending"
        elif item.get("status") == "success":
            del item["status"]
    for error in told.get("errors", ()):
        error.pop("taskType", None)
    if not told["data"]:
        told["data"] = None
    if not told.get("errors"):
        told["errors"] = None
    elif told["data"] is None:
        del told["data"]
    return told
