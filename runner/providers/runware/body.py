"""A task as it is sent: the request, its number, how it is delivered, and the pictures at its two ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...ports import Order, ProviderError
from .secret import Secrets


def task(order: Order, uuid: str, pictures: Mapping[str, str]) -> dict[str, Any]:
    """One task. ``pictures``: what stands for them (URL, UUID, data URI), by position (``first``, ``last``)."""
    request = dict(order.request)
    inputs = dict(request.pop("inputs", None) or {})
    if pictures:
        inputs["frameImages"] = [
            {"image": pictures[position], "frame": position} for position in ("first", "last") if position in pictures
        ]
    body = {
        "taskType": "videoInference",
        "outputType": "URL",
        **request,
        "taskUUID": uuid,
        "deliveryMethod": "async",
        "includeCost": True,
        "numberResults": len(order.takes),
    }
    return {**body, "inputs": inputs} if inputs else body


def resolved(value: Any, environ: Mapping[str, str], secrets: Secrets, where: str = "") -> Any:
    """The same with every ``{env: NAME}`` as what the environment says; each such value is a secret from then on.

    Raises ProviderError (``validation``) where the environment has no such name.
    """
    if isinstance(value, Mapping):
        if set(value) == {"env"} and isinstance(value["env"], str):
            return _from(environ, value["env"], secrets, where)
        return {key: resolved(inner, environ, secrets, str(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [resolved(inner, environ, secrets, where) for inner in value]
    return value


def _from(environ: Mapping[str, str], name: str, secrets: Secrets, where: str) -> str:
    found = environ.get(name)
    if not found:
        remedy = f"export {name}=..., or take {{env: {name}}} out of the request"
        raise ProviderError(f"the environment has no {name}, which {where} asks for", remedy, trouble="validation")
    secrets.add(found)
    return found
