"""matchcut models: the model cards."""

from __future__ import annotations

from decimal import Decimal

import click

from .. import card as cards
from ..card import Card
from . import options


@click.command
@click.argument("model", required=False)
@options.as_json
def command(model: str | None, as_json: bool) -> int:
    """Show the model cards, or one of them whole: sizes, lengths, frames, fields, price, and oddities of its page."""
    if model is not None:
        found = cards.load(model)
        options.say(found.document) if as_json else _whole(found)
        return 0
    if as_json:
        options.say([{"id": card.id, "title": card.title, "provider": card.provider, "status": card.status,
                      "usd_per_second": None if card.price_per_second is None else float(card.price_per_second),
                      "sizes": [f"{s.width}x{s.height}" for s in card.sizes], "frames": list(card.positions),
                      "durations": card.durations()} for card in cards.cards()])  # fmt: skip
        return 0
    head = ("id", "title", "by", "USD a second", "seconds", "frames", "sizes")
    options.columns(head, (_row(card) for card in cards.cards()), right=(3,))
    return 0


def _row(card: Card) -> tuple[str, ...]:
    sizes = ", ".join(f"{s.width}x{s.height}" for s in card.sizes)
    return card.id, card.title, card.provider, _price(card), _lengths(card), ", ".join(card.positions), sizes


def _lengths(card: Card) -> str:
    offered = card.durations()
    if offered is not None:
        return " or ".join(f"{seconds:g}" for seconds in offered)
    rule = card.field("duration") or {}
    return f"{rule.get('minimum', '')} to {rule.get('maximum', '')}"


def _price(card: Card) -> str:
    if card.price_per_second is None:
        return "unknown"
    return "free" if card.price_per_second == Decimal(0) else f"{card.price_per_second:f}"


def _whole(card: Card) -> None:
    click.echo(click.style(f"{card.title} ({card.id})", bold=True))
    click.echo(card.about)
    released = card.released or "unknown"
    click.echo(f"by {card.provider}; {card.status}; released {released}; {', '.join(card.capabilities)}")
    click.echo(f"sizes: {', '.join(str(size) for size in card.sizes)}")
    click.echo(f"frames: {', '.join(card.positions)}, at most {card.max_images}; {card.fps} frames a second")
    click.echo(f"USD a second: {_price(card)}\n")
    rules = {name: card.field(name) or {} for name in card.fields}
    rows = [(name, *(str(rule.get(n, "")) for n in ("type", "default", "description"))) for name, rule in rules.items()]
    options.columns(("field", "type", "default", "what"), rows)
    for note in card.notes:
        click.echo(f"\nnote on {note.about}: {note.note} ({note.source})")
