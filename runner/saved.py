"""A saved plan: what was shown to somebody, to be carried out once, and only while nothing has changed since."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from pathlib import Path
from typing import Any

from . import key
from .errors import Place, Problem, StoryError
from .load import Loaded
from .plan import Part

FORMAT = 1
USED = "plans"
"""Where a project keeps the names of those that were run."""


@dataclass(frozen=True, slots=True)
class Saved:
    """``state`` are digests of all that the plan was made from, by name. ``ceiling``: USD, spent then and at worst."""

    id: str
    file: Path
    storyboard: str
    provider: str
    variant: str | None
    part: Part
    state: Mapping[str, str]
    ceiling: Decimal | None


def write(loaded: Loaded, plan: Mapping[str, Any], ceiling: Decimal | None) -> bytes:
    """The file of a plan. ``plan`` is what was shown of it, for programs."""
    part = loaded.part
    named = {"only": list(part.only), "until": part.until, "from": part.start, "keep_stale": part.keep_stale}
    data = {
        "saved_plan": FORMAT, "id": uuid.uuid4().hex, "storyboard": loaded.board.id, "provider": loaded.lane.provider,
        "variant": loaded.project.variant,
        "part": named, "state": state(loaded), "ceiling": None if ceiling is None else str(ceiling), "plan": plan,
    }  # fmt: skip
    return (json.dumps(data, indent=2, ensure_ascii=False) + "\n").encode()


def is_plan(file: Path) -> bool:
    """Whether a file is a saved plan, of whatever format."""
    try:
        data = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(data, dict) and "saved_plan" in data


def read(file: Path) -> Saved:
    """A plan that was saved. Raises StoryError."""
    try:
        data = json.loads(file.read_bytes())
        if not isinstance(data, dict) or "saved_plan" not in data:
            raise StoryError.of("this is no saved plan", "matchcut plan -o FILE writes one", Place(str(file)))
        if data["saved_plan"] != FORMAT:
            fact = f"this plan has format {data['saved_plan']}; this matchcut reads format {FORMAT}"
            raise StoryError.of(fact, "plan again with this matchcut", Place(str(file)))
        said = data["part"]
        part = Part(tuple(said["only"]), said["until"], said["from"], said["keep_stale"])
        ceiling = None if data["ceiling"] is None else Decimal(data["ceiling"])
        state = {str(name): str(digest) for name, digest in data["state"].items()}
        return Saved(str(data["id"]), file, data["storyboard"], data["provider"], data["variant"], part, state, ceiling)
    except OSError as error:
        raise StoryError.of(f"{file} cannot be read: {error.strerror}", "matchcut plan -o FILE writes one") from None
    except (ValueError, KeyError, TypeError, AttributeError, InvalidOperation):
        raise StoryError.of(
            "this saved plan is damaged", "matchcut plan -o FILE writes one", Place(str(file))
        ) from None


def state(loaded: Loaded) -> dict[str, str]:
    """Digests of all that a plan was made from, by the name that people have for it."""
    plan = loaded.plan
    shots = {
        name: [d.state, d.key.digest if d.key else None, d.take.clip if d.take else None, d.have, d.want, d.buy, d.due]
        for name, d in plan.decisions.items()
    }
    flights = {name: [flight.uuid for flight in some] for name, some in plan.facts.flights.items()}
    cards = {brief.card.id: key.digest(brief.card.document) for brief in plan.briefs.values()}
    included = [part.text for _, part in loaded.board.document.parts]
    told: dict[str, Any] = {
        "the storyboard": [sha256(text.encode()).hexdigest() for text in (loaded.board.document.text, *included)],
        "the pipeline": sha256(loaded.pipeline.document.text.encode()).hexdigest(),
        "the model's card": cards,
        "what was spent or is in flight": {"spent": str(plan.facts.spent), "flights": flights},
        "what is to be made": shots,
    }
    return {name: key.digest({"is": value}) for name, value in told.items()}


def begin(saved: Saved, loaded: Loaded) -> None:
    """Mark a plan as run. Raises StoryError where it was already, or where anything has changed since it was made.

    The project's lock must be held.
    """
    place, again = Place(str(saved.file)), "matchcut plan -o FILE makes a new one"
    used = loaded.project.store.root / USED / saved.id
    if saved.storyboard != loaded.board.id:
        fact = f'this is a plan of storyboard "{saved.storyboard}", not of "{loaded.board.id}"'
        raise StoryError.of(fact, "the storyboard it was made for", place)
    if used.exists():
        raise StoryError.of("this plan was run already", again, place)
    now = state(loaded)
    changed = [name for name in now if saved.state.get(name) != now[name]]
    if changed:
        raise StoryError(Problem(f"{name} changed since this plan was made", again, place) for name in changed)
    loaded.project.store.write(used, b"")
