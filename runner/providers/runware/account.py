"""The account: whether the key is let in, and how much money is left."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import uuid4

from ...ports import ProviderError
from .line import Line, NoAnswer
from .wire import usd

_NAMES = ("amount", "balance", "available", "total", "value", "usd", "USD", "credits")


async def ping(line: Line) -> None:
    """Return if the service answers and lets the key in. Raises ProviderError."""
    item = await _asked(line, {"taskType": "ping"})
    if not item.get("pong"):
        raise ProviderError(f"{line.host} answers, but not to a ping", "try again later", trouble="server")


async def balance(line: Line) -> Decimal:
    """The money left in the account in USD. Raises ProviderError."""
    item = await _asked(line, {"taskType": "accountManagement", "operation": "getDetails"})
    found = _amount(item.get("balance"))
    if found is None:
        raise ProviderError(f"{line.host} does not say how much money is left", "its own pages", trouble="provider")
    return found


def _amount(value: object) -> Decimal | None:
    """An amount, which may be a number, a text, or an object that holds one."""
    if isinstance(value, dict):
        found = [amount for name in _NAMES if (amount := _amount(value.get(name))) is not None]
        return found[0] if found else None
    return usd(value)


async def _asked(line: Line, question: Mapping[str, Any]) -> Mapping[str, Any]:
    uuid = str(uuid4())
    failure: ProviderError
    try:
        envelope = await line.post([{**question, "taskUUID": uuid}])
    except NoAnswer as error:
        failure = error.of_a_question(started=False)
    else:
        for item in envelope.items_of(uuid):
            return item
        faults = envelope.faults_of(uuid)
        if not faults:
            failure = ProviderError(f"{line.host} answers with nothing", "try again later", trouble="server")
        else:
            failure = faults[0].error(line.secrets, started=False, retry_after=envelope.retry_after)
    raise failure
