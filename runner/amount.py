"""An amount of money as people write it."""

from __future__ import annotations

from decimal import Decimal


def usd(amount: Decimal | None) -> str:
    """``$3.00``, ``$0.924``; "?" where a price is not known."""
    if amount is None:
        return "?"
    text = f"{amount.normalize():f}"
    whole, _, cents = text.partition(".")
    return f"${whole}.{cents.ljust(2, '0')}"
