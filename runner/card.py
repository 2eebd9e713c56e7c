"""A model card: what a video model accepts, what it gives back, and what a second of it costs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import cache, cached_property
from math import log
from pathlib import Path
from typing import Any, Literal, cast

from .errors import Place, Problem, StoryError, did_you_mean
from .footage import OWN
from .schema import Fault, check
from .shipped import folder

Position = Literal["first", "last"]


@dataclass(frozen=True, slots=True)
class Size:
    """A size of clip that a model offers. ``width`` and ``height`` in pixels, ``aspect`` such as "16:9"."""

    name: str
    width: int
    height: int
    aspect: str

    def __str__(self) -> str:
        return f"{self.width}x{self.height} ({self.aspect})"


@dataclass(frozen=True, slots=True)
class Note:
    """Something about a model that its schema can't say, with where it is known from."""

    about: str
    note: str
    source: str


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """What a picture must be like to be given to a model: the sides in pixels, the file in bytes."""

    side_min: int
    side_max: int
    bytes_max: int
    source: str


@dataclass(frozen=True)
class Card:
    """One model, as its card says. Two cards are the same when their files are."""

    id: str
    title: str
    provider: str
    status: str
    about: str
    creator: str | None
    released: str | None
    capabilities: tuple[str, ...]
    price_per_second: Decimal | None  # USD
    sizes: tuple[Size, ...]
    positions: tuple[Position, ...]
    max_images: int
    fps: int
    delivery: frozenset[str]
    picture: PictureLimits
    notes: tuple[Note, ...]
    path: Path = field(compare=False)
    document: Mapping[str, Any] = field(repr=False, hash=False)

    @property
    def request(self) -> Mapping[str, Any]:
        """The JSON Schema of a request: closed."""
        return cast("Mapping[str, Any]", self.document["$defs"]["request"])

    @property
    def response(self) -> Mapping[str, Any]:
        """The JSON Schema of a finished clip's answer: open."""
        return cast("Mapping[str, Any]", self.document["$defs"]["response"])

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that a request may have, as the card lists them."""
        return tuple(self.request["properties"])

    def field(self, name: str) -> Mapping[str, Any] | None:
        """The schema of a field, ``safety.mode`` for one inside another; None when the model has no such field."""
        schema: Mapping[str, Any] = self.request
        for step in name.split("."):
            if step not in schema.get("properties", {}):
                return None
            schema = schema["properties"][step]
        return schema

    def default(self, name: str) -> object:
        """What the model takes a field to be when it is absent; None when the card doesn't say. (Keys never use it.)"""
        return (self.field(name) or {}).get("default")

    def durations(self) -> tuple[float, ...] | None:
        """The lengths in seconds that are offered, or None when any within the card's bounds is."""
        allowed = (self.field("duration") or {}).get("enum")
        return None if allowed is None else tuple(allowed)

    def accepts(self, position: str) -> bool:
        """Whether a picture can be given for that frame: "first" or "last"."""
        return position in self.positions

    def size_for(self, aspect: str) -> Size | None:
        """The size of exactly that shape ("16:9"; "32:18" is the same), the first that the card lists; else None."""
        width, _, height = aspect.partition(":")
        if not (width.isdecimal() and height.isdecimal() and int(height)):
            return None
        shape = Fraction(int(width), int(height))
        return next((size for size in self.sizes if Fraction(size.width, size.height) == shape), None)

    def nearest(self, width: int, height: int) -> Size:
        """The size whose shape is nearest to a picture's; of equal shapes the one the card lists first."""
        return min(self.sizes, key=lambda size: round(abs(log(size.width * height / (size.height * width))), 9))

    def check(self, request: Mapping[str, object]) -> list[Fault]:
        """Every fault of a whole request, warnings last; none when the model takes it."""
        faults = check(request, self.request)
        if not any(fault.path[:1] == ("inputs",) for fault in faults):
            inputs = cast("Mapping[str, Any]", request.get("inputs", {}))
            faults += self._placed(inputs.get("frameImages", ()))[1]
        return faults + _needless(request)

    def check_fields(self, fields: Mapping[str, object]) -> list[Fault]:
        """Every fault of some of a request's fields: as ``check``, but nothing is missing. For what pipelines set."""
        return check(fields, self._part) + _needless(fields)

    @cached_property
    def _part(self) -> Mapping[str, Any]:
        return {name: rule for name, rule in self.request.items() if name not in {"required", "dependentRequired"}}

    def place_images(self, images: Sequence[object]) -> dict[Position, str]:
        """``frameImages`` by position, first before last: those without one get theirs as the card distributes them.

        Raises StoryError when a position is unknown, taken twice, or there are more pictures than positions.
        """
        placed, faults = self._placed(images)
        if faults:
            raise StoryError(fault.at(None) for fault in faults)
        return placed

    def _placed(self, images: Sequence[object]) -> tuple[dict[Position, str], list[Fault]]:
        """What stands where, and what can't. Pictures with a position go first, the others share what is left."""
        given: list[Mapping[str, Any]] = [image if isinstance(image, Mapping) else {"image": image} for image in images]
        rule: Sequence[Position] = self.document["x-frames"]["distribution"].get(str(len(given)), self.positions)
        asked = [self._position(image["frame"]) if "frame" in image else None for image in given]
        left = iter([name for name in rule if name not in asked])
        taken: dict[Position, str] = {}
        faults: list[Fault] = []
        for at, image in enumerate(given):
            name = asked[at] if "frame" in image else next(left, None)
            where = ("inputs", "frameImages", at)
            if name is None:
                offered = " and a ".join(self.positions)
                told = f"{at + 1} at {json.dumps(image['frame'])}" if "frame" in image else str(at + 1)
                fact = f"there is no place for picture {told}: {self.title} takes a {offered} frame"
                faults.append(Fault(where, fact))
            elif name in taken:
                faults.append(Fault(where, f"two pictures stand at the {name} frame", "one picture for each frame"))
            else:
                taken[name] = image["image"]
        return {name: taken[name] for name in self.positions if name in taken}, faults

    def _position(self, word: object) -> Position | None:
        """A position by any of its names: first, 0, "0"; last, -1, "-1". false is not 0."""
        if isinstance(word, bool) or not isinstance(word, str | int | float):
            return None
        for name in self.positions:
            if word == name or any(
                word in {alias, str(alias)} for alias in self.document["x-frames"]["positions"][name]
            ):
                return name
        return None

    def seconds(self, request: Mapping[str, object]) -> Decimal:
        """The length of the clip that a request asks for, the card's default when it says nothing."""
        return Decimal(str(request.get("duration", self.default("duration"))))

    def cost(self, request: Mapping[str, object]) -> Decimal | None:
        """What a request costs in USD: seconds, times price, times results; None for a model without a price.

        That each of several results is charged is an inference: the service's page doesn't say.
        """
        if self.price_per_second is None:
            return None
        results = Decimal(str(request.get("numberResults", self.default("numberResults") or 1)))
        return self.price_per_second * self.seconds(request) * results


def _needless(request: Mapping[str, object]) -> list[Fault]:
    """What a model takes, but hardly as it was meant."""
    safety = request.get("safety")
    if isinstance(safety, Mapping) and safety.get("checkContent") is True and safety.get("mode") == "none":
        fact = "checkContent is true, but mode none turns the check off"
        return [Fault(("safety", "mode"), fact, "drop mode, or say fast or full", severity="warning")]
    return []


@cache
def cards() -> tuple[Card, ...]:
    """The cards that come with the program, by file name."""
    return tuple(_shipped(path.stem) for path in sorted(_models().glob("*.json")))


@cache
def own() -> Card:
    """What stands in a model's place where a shot is the author's own footage: it is asked for nothing, for nothing."""
    return Card(
        id=OWN, title="own footage", provider=OWN, status="live", about="", creator=None, released=None,
        capabilities=(), price_per_second=Decimal(0), sizes=(), positions=(), max_images=0, fps=0,
        delivery=frozenset(), picture=PictureLimits(0, 0, 0, ""), notes=(), path=Path(), document={},
    )  # fmt: skip


def load(name: str) -> Card:
    """A shipped card by model id ("klingai:5@3") or file name ("klingai-2.1-master"). StoryError when there is none."""
    if name.replace(".", "").replace("-", "").isalnum() and (_models() / f"{name}.json").is_file():
        return _shipped(name)
    found = {card.id: card for card in cards()}
    if name not in found:
        known = [*found, *(card.path.stem for card in cards())]
        near = did_you_mean(name, known)
        raise StoryError.of(f'there is no model "{name}"', near or f"one of {', '.join(found)}")
    return found[name]


def from_file(path: Path | str) -> Card:
    """A card of one's own. Raises StoryError with every fault when the file is not a whole, sound card."""
    path = Path(path)
    try:
        document = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_number)
    except OSError as lost:
        raise StoryError.of(f"the model card can't be read: {lost.strerror}", place=Place(str(path))) from lost
    except UnicodeDecodeError as other:
        raise StoryError.of("the model card is not UTF-8 text", place=Place(str(path))) from other
    except json.JSONDecodeError as bad:
        place = Place(str(path), bad.lineno, bad.colno)
        raise StoryError.of(f"the model card is not JSON: {bad.msg}", place=place) from bad
    except RecursionError as deep:
        raise StoryError.of("the model card is nested too deeply", place=Place(str(path))) from deep
    except ValueError as bad:
        raise StoryError.of(f"the model card is not JSON: {bad}", place=Place(str(path))) from bad
    faults = check(document, "card.schema.json") or _incoherent(_card(document, path))
    if faults:
        raise StoryError(_in_file(fault, path) for fault in faults)
    return _card(document, path)


def _no_number(word: str) -> object:
    raise ValueError(f"{word} is not a number")


def _in_file(fault: Fault, path: Path) -> Problem:
    where = ".".join(map(str, fault.path))
    return Problem(f"{where}: {fault.fact}" if where else fault.fact, fault.remedy, Place(str(path)))


def _incoherent(card: Card) -> list[Fault]:
    """What a card says twice must agree: its id, its sizes, its prices."""
    faults: list[Fault] = []
    model = (card.field("model") or {}).get("const")
    if model != card.id:
        faults.append(Fault(("x-id",), f'x-id is "{card.id}", but its requests are for "{model}"'))
    for at, size in enumerate(card.sizes):
        if check({"width": size.width, "height": size.height}, card._part):
            faults.append(Fault(("x-sizes", at), f"{size} is listed, but its requests refuse it"))
        across, _, down = size.aspect.partition(":")
        if size.width * int(down) != size.height * int(across):
            faults.append(Fault(("x-sizes", at), f"{size.width}x{size.height} is not {size.aspect}"))
    for at, example in enumerate(card.document["x-price"]["examples"]):
        cost = card.cost({"duration": example["seconds"]})
        if cost != Decimal(example["cost"]):
            fact = f"{example['seconds']} seconds are said to cost {example['cost']}, but cost {cost}"
            faults.append(Fault(("x-price", "examples", at), fact))
    return faults


def _models() -> Path:
    return folder("schemas") / "models"


@cache
def _shipped(stem: str) -> Card:
    """What is shipped was tested; it isn't checked again at every start."""
    path = _models() / f"{stem}.json"
    return _card(json.loads(path.read_text(encoding="utf-8")), path)


def _card(document: Mapping[str, Any], path: Path) -> Card:
    price = document["x-price"]["per_second"]
    limits = document["x-picture"]
    return Card(
        id=document["x-id"],
        title=document["x-title"],
        provider=document["x-provider"],
        status=document["x-status"],
        about=document["x-description"],
        creator=document["x-creator"],
        released=document["x-released"],
        capabilities=tuple(document["x-capabilities"]),
        price_per_second=None if price is None else Decimal(price),
        sizes=tuple(Size(**size) for size in document["x-sizes"]),
        positions=tuple(document["x-frames"]["positions"]),
        max_images=document["x-frames"]["max"],
        fps=document["x-fps"]["value"],
        delivery=frozenset(document["x-delivery"]),
        picture=PictureLimits(limits["side_min"], limits["side_max"], limits["bytes_max"], limits["source"]),
        notes=tuple(Note(**note) for note in document["x-notes"]),
        path=path,
        document=document,
    )
