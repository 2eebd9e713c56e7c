"""Model cards: they say what the models' own pages say, all of it and no more; and what a card refuses, in which words.

``tests/pages`` has the facts of two pages in the pages' own form. Where MATCHCUT_MODEL_PAGES names a folder with the
pages as they are published, the same tests read those too.
"""

from __future__ import annotations

import copy
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from runner import card as cards
from runner.card import Card, Size
from runner.errors import StoryError
from runner.schema import check

HERE = Path(__file__).parent / "pages"
PUBLISHED = os.environ.get("MATCHCUT_MODEL_PAGES")
PAGES = [*sorted(HERE.glob("*.md"))]
PAGES += [path for path in sorted(Path(PUBLISHED).glob("*.md")) if (HERE / path.name).is_file()] if PUBLISHED else []


# --- reading a page --------------------------------------------------------------------------------------------------


@dataclass
class Facts:
    """What is said of one field, in the page's own spelling."""

    type: str | None = None
    required: bool = False
    value: str | None = None
    format: str | None = None
    min: str | None = None
    max: str | None = None
    step: str | None = None
    default: str | None = None
    paired: str | None = None
    allowed: tuple[str, ...] = ()


@dataclass
class Page:
    """All that a page says."""

    title: str
    url: str
    front: dict[str, str]
    price: str
    label: str
    costs: dict[int, Decimal]  # by seconds
    together: tuple[str, ...]
    sizes: tuple[Size, ...]
    request: dict[str, Facts]
    response: dict[str, Facts]
    distribution: dict[str, list[str]]
    snippets: list[dict[str, Any]]
    examples: list[tuple[str, dict[str, Any], dict[str, Any]]] = field(default_factory=list)


FACT = re.compile(r"^- \*\*([^*]+)\*\*: (.+)$", re.MULTILINE)
FIELD = re.compile(r"^(?:#{3,4} \[(\w+)\]\(\S+\)|\*\*Format (\d): .*\*\*:)$", re.MULTILINE)
BLOCK = re.compile(r"^```json\n(.*?)\n```$", re.MULTILINE | re.DOTALL)


def read(path: Path) -> Page:
    """A page, as its Markdown says it."""
    front, *parts = re.split(r"^## (.+)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    section = dict(zip(parts[::2], parts[1::2], strict=True))
    sizes = section["Compatibility & Validation"]
    price = re.search(r"\$(\d+\.\d+)/s for (\w+)", section["Pricing"])
    assert price
    blocks = [json.loads(block) for block in BLOCK.findall(section["Examples"])]
    titles = re.findall(r"^### (.+)$", section["Examples"], re.MULTILINE)
    return Page(
        title=re.findall(r"^# (.+)$", front, re.MULTILINE)[0],
        url=re.findall(r"^url: (.+)$", front, re.MULTILINE)[0],
        front={name: value.strip("`") for name, value in FACT.findall(front)},
        price=price[1],
        label=price[2],
        costs={int(s): Decimal(cost) for s, cost in re.findall(r"· (\d+)s\*\*: `\$([\d.]+)`", section["Pricing"])},
        together=tuple(re.findall(r"`(\w+)`", sizes.split("|")[0])),
        sizes=tuple(
            Size(name, int(width), int(height), aspect)
            for name, aspect, width, height in re.findall(r"\| `(\w+) \((\d+:\d+)\)` \| `(\d+)x(\d+)` \|", sizes)
        ),
        request=dict(fields(section["Request Parameters"])),
        response=dict(fields(section["Response Parameters"])),
        distribution={
            count: re.findall("first|last", words.lower())
            for count, words in re.findall(
                r"^- \*\*(\d+) images?\*\*: (.+)$", section["Request Parameters"], re.MULTILINE
            )
        },
        snippets=[json.loads("{" + block + "}") for block in BLOCK.findall(section["Request Parameters"])],
        examples=list(zip(titles, blocks[::2], blocks[1::2], strict=True)),
    )


def fields(section: str) -> Iterator[tuple[str, Facts]]:
    """Each field by its path; "inputs.frameImages/1" is the first form that an item of frameImages may have."""
    parts = FIELD.split(section)
    for name, form, body in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        facts, path = Facts(), name or f"inputs.frameImages/{form}"
        for said, words in FACT.findall(body):
            word = words.strip("`")
            if said == "Path":  # safety is given the path of its first property, which isn't its own
                path = word if word.rpartition(".")[2] == name else path
            elif said == "Required":
                facts.required = word == "true"
            elif said == "Paired with":
                facts.paired = word
            elif said.lower() in vars(facts):
                setattr(facts, said.lower(), word)
            else:  # nothing that looks like a fact is passed over
                assert not re.fullmatch("`[^`]+`", words), f"{said}: {words}"
        if listed := re.search(r"^\*\*Allowed values\*\*:((?: `[^`]+`)+|\n\n(?:- `.*\n?)+)", body, re.MULTILINE):
            facts.allowed = tuple(
                re.findall(r"(?:^-| )\s*`([^`]+)`", re.sub(r"(^- `[^`]+`).*", r"\1", listed[1], flags=re.MULTILINE))
            )
        if not (form and facts.type is None):  # the second form's fields stand under headings of their own
            yield path, facts


# --- reading a card --------------------------------------------------------------------------------------------------

TYPES = {"string": "string", "integer": "integer", "number": "float", "boolean": "boolean"}
FORMATS = {"uuid": "UUID v4", "uri": "URI"}


def facts_of(card: Card, schema: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Facts]]:
    """What a card says of each field, in the page's spelling. A rule that no page could have said is an error."""
    for name, rules in schema["properties"].items():
        left = {rule: value for rule, value in rules.items() if not rule.startswith("x-")}
        for inferred in rules.get("x-inferred", ()):
            del left[inferred]
        assert left.pop("title")
        assert left.pop("description")
        text = left.get("type") == "string"
        facts = Facts(
            type=TYPES.get(left.get("type", ""), rules.get("x-page-type")),
            required=name in schema.get("required", ()),
            value=left.pop("const", None),
            format=FORMATS.get(left.pop("format", "")),
            min=spelt(left.pop("minLength" if text else "minimum", None)),
            max=spelt(left.pop("maxLength" if text else "maximum", None)),
            step=spelt(left.pop("multipleOf", None)),
            default=spelt(left.pop("default", None)),
            paired=", ".join(schema.get("dependentRequired", {}).get(name, ())) or None,
            allowed=tuple(dict.fromkeys(spelt(value) or "" for value in left.pop("enum", ()))),
        )
        if facts.format:
            left.pop("pattern")
        kind = left.pop("type", None)
        path = above + name
        if kind == "object":
            assert left.pop("additionalProperties") is False
            inner = {"properties": left.pop("properties"), "required": left.pop("required", ())}
            yield from facts_of(card, inner, f"{path}.")
            facts.type = f"object ({len(inner['properties'])} properties)"
        if kind == "array":
            yield from items_of(card, left.pop("items"), path)
            facts.type = "array of strings or objects"
        assert not left, f"{path} has rules that its page does not: {left}"
        if path != "inputs":  # the page has it in the paths of its fields only
            yield path, facts


def items_of(card: Card, items: Mapping[str, Any], path: str) -> Iterator[tuple[str, Facts]]:
    plain, placed = items["anyOf"]
    assert set(plain) == {"title", "description", "type"}
    yield f"{path}/1", Facts(type=plain["type"])
    assert placed["type"] == "object"
    assert placed["additionalProperties"] is False
    yield from facts_of(card, placed, f"{path}.")


def spelt(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)


@pytest.fixture(params=PAGES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def page(request: pytest.FixtureRequest) -> Page:
    return read(request.param)


@pytest.fixture
def card(page: Page) -> Card:
    return cards.load(page.front["ID"])


# --- card and page ---------------------------------------------------------------------------------------------------


def test_a_card_states_every_field_of_a_request_as_its_page_does_and_no_other(page: Page, card: Card) -> None:
    assert page.request == dict(facts_of(card, card.request))
    assert len(page.request) == 25


def test_a_card_states_every_field_of_an_answer_as_its_page_does_and_no_other(page: Page, card: Card) -> None:
    assert page.response == dict(facts_of(card, card.response))
    assert len(page.response) == 9


def test_a_request_is_closed_and_an_answer_is_open(card: Card) -> None:
    assert card.request["additionalProperties"] is False
    assert "additionalProperties" not in card.response
    rest = {"title", "description", "x-noun", "type", "additionalProperties", "required", "properties"}
    assert rest | {"dependentRequired", "if", "then"} == set(card.request)


def test_a_card_has_what_stands_at_the_head_of_its_page(page: Page, card: Card) -> None:
    day = datetime.strptime(page.front["Release Date"], "%B %d, %Y").date()  # noqa: DTZ007 - a day has no zone
    assert page.title == card.title
    assert page.url == card.document["x-page"]
    assert page.front == {
        "ID": card.id,
        "Status": card.status,
        "Capabilities": ", ".join(card.capabilities),
        "Release Date": page.front["Release Date"],
        **({"Creator": card.creator} if card.creator else {}),
    }
    assert day.isoformat() == card.released
    assert card.id == (card.field("model") or {})["const"]


def test_a_card_has_the_price_of_its_page(page: Page, card: Card) -> None:
    assert page.price == card.document["x-price"]["per_second"]
    assert page.label == card.document["x-price"]["label"]
    assert {5: Decimal("0.924")} == page.costs
    stated = {each["seconds"]: Decimal(each["cost"]) for each in card.document["x-price"]["examples"]}
    told = {request["duration"]: Decimal(str(response["cost"])) for _, request, response in page.examples}
    assert page.costs | told == stated
    assert stated == {seconds: card.cost({"duration": seconds}) for seconds in stated}


def test_a_card_has_the_sizes_of_its_page_and_takes_no_other_pair(page: Page, card: Card) -> None:
    assert page.sizes == card.sizes
    assert page.together == ("width", "height")
    assert card.request["dependentRequired"] == {"width": ["height"], "height": ["width"]}
    offered = {(size.width, size.height) for size in page.sizes}
    sides = {720, 1280, 1080, 1920, 0, -720}
    taken = {(w, h) for w in sides for h in sides if not card.check_fields({"width": w, "height": h})}
    assert offered == taken


def test_pictures_without_a_position_are_placed_as_the_page_says(page: Page, card: Card) -> None:
    assert page.distribution == card.document["x-frames"]["distribution"]
    for count, positions in page.distribution.items():
        pictures = [f"picture {n}" for n in range(int(count))]
        assert dict(zip(positions, pictures, strict=True)) == card.place_images(pictures)
    words = [word for word in page.request["inputs.frameImages.frame"].allowed if word.isalpha()]
    assert words == list(card.positions)
    aliases = {json.loads(word) for word in page.request["inputs.frameImages.frame"].allowed if not word.isalpha()}
    assert aliases == {alias for each in card.document["x-frames"]["positions"].values() for alias in each}
    assert (
        len(words) == card.max_images == card.request["properties"]["inputs"]["properties"]["frameImages"]["maxItems"]
    )


def test_every_example_of_a_page_is_taken_and_costs_what_it_says(page: Page, card: Card) -> None:
    assert page.examples
    for title, request, response in page.examples:
        assert card.check(request) == [], title
        assert check(response, card.response) == [], title
        assert Decimal(str(response["cost"])) == card.cost(request), title
        assert title.endswith("(Image to Video)") == ("inputs" in request), title


def test_every_way_to_give_frames_that_a_page_shows_is_taken(page: Page, card: Card) -> None:
    assert len(page.snippets) == 1 + card.max_images
    for inputs in page.snippets:
        assert card.check_fields({"inputs": inputs}) == []
        assert len(inputs["frameImages"]) == len(card.place_images(inputs["frameImages"]))


def test_the_reduced_pages_have_every_fact_of_the_published_ones(page: Page) -> None:
    reduced = read(HERE / f"klingai-{page.title.split()[1]}-master.md")
    for ours, theirs in zip(reduced.examples, page.examples, strict=True):
        for name in ("positivePrompt", "negativePrompt"):
            assert len(theirs[1][name]) == len(ours[1][name])
            ours[1][name] = theirs[1][name]
        assert theirs[1:] == ours[1:]
    page.examples = reduced.examples
    assert page == reduced


@pytest.mark.parametrize("path", sorted(HERE.glob("*.md")), ids=lambda path: path.stem)
def test_no_fact_of_a_page_is_passed_over_by_the_reader(path: Path, tmp_path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    stated = text[: text.index("## Examples")]
    facts = [fact for fact in re.finditer(r"`[^`\n]+`", stated) if not stated[: fact.start()].endswith("- **Path**: ")]
    assert len(facts) >= 88
    for fact in facts:
        other = tmp_path / "other.md"
        changed_text = text[: fact.start()] + "`9`" + text[fact.end() :]
        other.write_text(changed_text, encoding="utf-8")
        assert read(other) != read(path), fact[0]


def test_the_two_cards_differ_only_where_the_two_pages_do() -> None:
    two, one = (read(HERE / f"klingai-{v}-master.md") for v in ("2.0", "2.1"))
    pages = {path for path, facts in two.request.items() if facts != one.request[path]}
    assert {"inputs.frameImages.frame", "model"} == pages
    assert two.response == one.response

    ours, other = (cards.load(name).document for name in ("klingai:4@3", "klingai:5@3"))
    frames = "$defs.request.properties.inputs.properties.frameImages"
    differing = {
        path for path in different(ours, other) if not re.search(r"(^|\.)(title|description|x-message)\b", path)
    }
    assert {
        "x-id",
        "x-title",
        "x-creator",
        "x-released",
        "x-description",
        "x-page",
        "x-price.examples",
        *(f"x-sizes.{n}.{key}" for n in range(3) for key in ("name", "width", "height") if (n, key) != (1, "name")),
        "x-sizes.1.name",
        "x-frames.positions.last",
        "x-frames.max",
        "x-frames.distribution.2",
        "x-notes",
        "$defs.request.x-noun",
        f"{frames}.maxItems",
        f"{frames}.items.anyOf.1.properties.frame.enum",
        f"{frames}.items.anyOf.1.properties.frame.x-remedy",
        "$defs.request.properties.model.const",
        *(f"$defs.request.then.anyOf.{n}.properties.{side}.const" for n in range(3) for side in ("width", "height")),
    } == differing


def different(ours: object, other: object, path: str = "") -> Iterator[str]:
    """The paths at which two documents are not the same; of lists of unequal lengths, the list."""
    if isinstance(ours, Mapping) and isinstance(other, Mapping):
        for name in {**ours, **other}:
            yield from different(ours.get(name), other.get(name), f"{path}.{name}" if path else name)
    elif isinstance(ours, list) and isinstance(other, list) and len(ours) == len(other):
        for at, (mine, others) in enumerate(zip(ours, other, strict=True)):
            yield from different(mine, others, f"{path}.{at}")
    elif ours != other:
        yield path


# --- what is refused -------------------------------------------------------------------------------------------------

UUID = "e613fb01-17f4-4dbf-85bd-05ea4a15aa2c"
REQUEST: dict[str, Any] = {"taskType": "videoInference", "taskUUID": UUID, "positivePrompt": "A lane in the rain."}
GONE = object()
TRY = "\n  try: "

REFUSED: list[tuple[str, object, str]] = [
    ("taskType", "imageInference", 'taskType is "imageInference", but it must be videoInference'),
    ("taskType", GONE, "taskType is missing"),
    ("taskUUID", "e613fb01", 'taskUUID "e613fb01" is not a UUID v4'),
    ("taskUUID", UUID.replace("-4", "-1"), f'taskUUID "{UUID.replace("-4", "-1")}" is not a UUID v4'),
    ("taskUUID", 7, f'taskUUID must be text, not 7{TRY}"7"'),
    ("taskUUID", GONE, "taskUUID is missing"),
    ("outputType", "base64Data", 'outputType is "base64Data", but it must be URL'),
    ("outputFormat", "AVI", 'outputFormat "AVI" is not one of MP4, WEBM, MOV'),
    ("outputFormat", "webm", f'outputFormat "webm" is not one of MP4, WEBM, MOV{TRY}WEBM'),
    ("outputQuality", 100, "outputQuality is 100, but at most 99 is allowed"),
    ("outputQuality", 19, "outputQuality is 19, but at least 20 is needed"),
    ("outputQuality", 95.5, "outputQuality must be a whole number, not 95.5"),
    ("outputQuality", "95", f'outputQuality must be a whole number, not text "95"{TRY}95, without quotes'),
    ("webhookURL", "my server", f"webhookURL is not a URI{TRY}an address such as https://example.org/hook"),
    ("deliveryMethod", "sync", 'deliveryMethod is "sync", but it must be async'),
    ("uploadEndpoint", "clip.mp4", f"uploadEndpoint is not a URI{TRY}an address such as https://example.org/clip.mp4"),
    ("safety", True, "safety must be a mapping, not true"),
    ("safety", {"chekContent": True}, f'"chekContent" is not a field of safety{TRY}checkContent'),
    ("safety.checkContent", 1, "checkContent must be true or false, not 1"),
    ("safety.mode", "slow", 'mode "slow" is not one of none, fast, full'),
    ("ttl", 59, "ttl is 59, but at least 60 is needed"),
    ("ttl", "1h", 'ttl must be a whole number, not text "1h"'),
    ("includeCost", "yes", f'includeCost must be true or false, not text "yes"{TRY}true'),
    ("numberResults", 5, "numberResults is 5, but at most 4 is allowed"),
    ("numberResults", 0, "numberResults is 0, but at least 1 is needed"),
    ("numberResults", True, "numberResults must be a whole number, not true"),
    ("inputs", {"seedImage": "a"}, '"seedImage" is not a field of inputs'),
    ("inputs.frameImages", "a.png", 'frameImages must be a list, not text "a.png"'),
    ("inputs.frameImages/1", 5, f'item 1 of frameImages must be text or a mapping, not 5{TRY}"5"'),
    ("inputs.frameImages/1", {"frame": "first"}, "image is missing"),
    ("inputs.frameImages/1", {"image": "a", "fram": 0}, f'"fram" is not a field of a frame{TRY}frame'),
    ("inputs.frameImages.image", 5, f'image must be text, not 5{TRY}"5"'),
    ("model", "klingai:9@9", 'model is "klingai:9@9", but it must be {id}'),
    ("model", GONE, "model is missing"),
    ("positivePrompt", "", "positivePrompt is empty"),
    ("positivePrompt", "雨", "positivePrompt has 1 character, but at least 2 are needed"),
    ("positivePrompt", "🌧" * 2501, "positivePrompt has 2501 characters, but at most 2500 are allowed"),
    ("positivePrompt", GONE, "positivePrompt is missing"),
    ("negativePrompt", "x", "negativePrompt has 1 character, but at least 2 are needed"),
    ("negativePrompt", "x" * 2501, "negativePrompt has 2501 characters, but at most 2500 are allowed"),
    ("negativePrompt", ["blur"], "negativePrompt must be text, not a list"),
    ("width", "wide", 'width must be a whole number, not text "wide"'),
    ("width", GONE, f"height is there without width, but the two go together{TRY}add width, or drop height"),
    ("width", 801, "801x{height} is not a size of {title}: {sizes}"),
    ("height", 800.5, "height must be a whole number, not 800.5"),
    ("height", GONE, f"width is there without height, but the two go together{TRY}add height, or drop width"),
    ("height", 801, "{width}x801 is not a size of {title}: {sizes}"),
    ("duration", 7, "duration is 7, but it must be 5 or 10"),
    ("duration", "5", f'duration must be a number, not text "5"{TRY}5, without quotes'),
    ("duration", None, "duration must be a number, not empty"),
    ("CFGScale", 0.555, "CFGScale is 0.555, but it must be a multiple of 0.01"),
    ("CFGScale", 1.01, "CFGScale is 1.01, but at most 1 is allowed"),
    ("CFGScale", -0.01, "CFGScale is -0.01, but at least 0 is needed"),
    ("CFGScale", float("nan"), "CFGScale must be a number, not NaN"),
    ("CFGScale", float("inf"), "CFGScale must be a number, not infinity"),
    ("CFGScale", False, "CFGScale must be a number, not false"),
    ("CFGscale", 0.5, f'"CFGscale" is not a field of {{title}}{TRY}CFGScale'),
    ("seed", 42, '"seed" is not a field of {title}'),
]
BY_MODEL: dict[str, list[tuple[str, object, str]]] = {
    "klingai:4@3": [
        (
            "inputs.frameImages.frame",
            "lsat",
            f'frame "lsat" is not a position of {{title}}: first (or 0), last (or -1){TRY}last',
        ),
        ("inputs.frameImages.frame", 1, "frame 1 is not a position of {title}: first (or 0), last (or -1)"),
        ("inputs.frameImages.frame", False, "frame false is not a position of {title}: first (or 0), last (or -1)"),
        ("inputs.frameImages", ["a"] * 3, "{title} takes two frames at most, the first and the last, not 3"),
        (
            "inputs.frameImages",
            [{"image": "a", "frame": "first"}, {"image": "b", "frame": "0"}],
            f"two pictures stand at the first frame{TRY}one picture for each frame",
        ),
    ],
    "klingai:5@3": [
        (
            "inputs.frameImages.frame",
            word,
            (
                f"frame {json.dumps(word)} is not a position of {{title}}, which takes a first frame only: first (or 0)"
                f"{TRY}a model that takes a last frame, or drop this picture"
            ),
        )
        for word in ("last", -1, "-1")
    ]
    + [("inputs.frameImages", ["a", "b"], "{title} takes one frame at most, the first, not 2")],
}


def changed(card: Card, path: str, value: object) -> dict[str, Any]:
    """A sound request to a model with one field changed."""
    size = card.sizes[0]
    request = {**REQUEST, "model": card.id, "width": size.width, "height": size.height}
    steps = path.split(".")
    at = request
    for step in steps[:-1]:
        if step == "frameImages":
            at["frameImages"] = [{"image": "a"}]
            at = at["frameImages"][0]
        else:
            at = at.setdefault(step, {})
    if value is GONE:
        del at[steps[-1]]
    elif steps[-1].endswith("/1"):
        at["frameImages"] = [value]
    else:
        at[steps[-1]] = value
    return request


@pytest.mark.parametrize("model", BY_MODEL)
def test_every_field_has_something_that_is_refused_with_its_whole_message(model: str) -> None:
    card = cards.load(model)
    refused = [*REFUSED, *BY_MODEL[model]]
    size = card.sizes[0]
    words = {"title": card.title, "id": card.id, "sizes": ", ".join(map(str, card.sizes))}
    for path, value, message in refused:
        expected = message.format(**words, width=size.width, height=size.height)
        faults = card.check(changed(card, path, value))
        assert [expected] == [str(fault.at(None)) for fault in faults], (path, value)
    everything = dict(facts_of(card, card.request))
    assert set(everything) <= {path for path, _, _ in refused}


ANSWERED: list[tuple[str, object, str]] = [
    ("taskType", "getResponse", 'taskType is "getResponse", but it must be videoInference'),
    ("taskUUID", "e613fb01", 'taskUUID "e613fb01" is not a UUID v4'),
    ("videoUUID", "e613fb01", 'videoUUID "e613fb01" is not a UUID v4'),
    ("videoUUID", GONE, "videoUUID is missing"),
    ("videoURL", "clip.mp4", "videoURL is not a URI"),
    ("videoBase64Data", 5, f'videoBase64Data must be text, not 5{TRY}"5"'),
    ("videoDataURI", "AAAA", "videoDataURI is not a URI"),
    ("seed", 1.5, "seed must be a whole number, not 1.5"),
    ("NSFWContent", "no", f'NSFWContent must be true or false, not text "no"{TRY}false'),
    ("cost", "0.924", f'cost must be a number, not text "0.924"{TRY}0.924, without quotes'),
]


@pytest.mark.parametrize("model", BY_MODEL)
def test_every_field_of_an_answer_has_something_that_is_refused(model: str) -> None:
    card = cards.load(model)
    sound = {"taskType": "videoInference", "taskUUID": UUID, "videoUUID": UUID, "status": "success", "cost": 0.924}
    assert check(sound, card.response) == []
    for name, value, message in ANSWERED:
        answer = {key: each for key, each in {**sound, name: value}.items() if each is not GONE}
        assert [message] == [str(fault.at(None)) for fault in check(answer, card.response)]
    assert {name for name, _, _ in ANSWERED} == set(card.response["properties"])
    assert [f"Answer of {card.title} must be a mapping, not a list"] == [f.fact for f in check([], card.response)]


@pytest.mark.parametrize("model", BY_MODEL)
def test_a_position_may_be_a_word_a_number_or_a_number_as_text(model: str) -> None:
    card = cards.load(model)
    for position, aliases in card.document["x-frames"]["positions"].items():
        for word in (position, *aliases, *map(str, aliases), *map(float, aliases)):
            images = [{"image": "a", "frame": word}]
            assert card.check_fields({"inputs": {"frameImages": images}}) == []
            assert {position: "a"} == card.place_images(images)


@pytest.mark.parametrize("model", BY_MODEL)
def test_a_sound_request_is_taken(model: str) -> None:
    card = cards.load(model)
    assert card.check(changed(card, "safety", {"checkContent": True, "mode": "fast"})) == []
    for path, value in (
        ("CFGScale", 0),
        ("CFGScale", 1.0),
        ("duration", 10.0),
        ("positivePrompt", "🌧" * 2500),
        ("positivePrompt", "雨が"),
        ("outputQuality", 20),
        ("ttl", 10**9),
        ("numberResults", 4),
        ("inputs.frameImages.frame", "0"),
        ("inputs.frameImages.frame", 0),
        ("inputs.frameImages", []),
        ("webhookURL", "https://example.org/hook?token=a%20b"),
    ):
        assert card.check(changed(card, path, value)) == [], (path, value)


@pytest.mark.parametrize("model", BY_MODEL)
def test_all_101_values_of_the_guidance_are_taken_and_none_between_them(model: str) -> None:
    card = cards.load(model)
    assert [n for n in range(101) if card.check_fields({"CFGScale": float(f"{n / 100:.2f}")})] == []
    assert [n for n in range(100) if not card.check_fields({"CFGScale": float(f"0.{n:02}5")})] == []


def test_all_faults_of_a_request_are_told_in_its_own_order() -> None:
    card = cards.load("klingai:5@3")
    request = {"CFGScale": 2, "duration": 7, "model": card.id, "widht": 3, "taskType": "videoInference"}
    faults = card.check(request)
    assert [fault.path for fault in faults] == [(), (), ("CFGScale",), ("duration",), ("widht",)]
    assert [fault.fact for fault in faults[:2]] == ["taskUUID is missing", "positivePrompt is missing"]
    assert [fault.key for fault in faults] == [False, False, False, False, True]


def test_a_check_that_is_asked_for_and_turned_off_is_a_warning() -> None:
    card = cards.load("klingai:4@3")
    [warning] = card.check(changed(card, "safety", {"checkContent": True, "mode": "none"}))
    assert warning.severity == "warning"
    message = "warning: checkContent is true, but mode none turns the check off\n  try: drop mode, or say fast or full"
    assert message == str(warning.at(None))
    assert card.check(changed(card, "safety", {"checkContent": False, "mode": "none"})) == []


def test_what_a_pipeline_sets_is_checked_without_the_rest_of_the_request() -> None:
    card = cards.load("klingai:5@3")
    assert card.check_fields({"CFGScale": 0.5, "outputFormat": "MOV", "width": 1920}) == []
    assert [fault.path[0] for fault in card.check_fields({"CFGScale": 2})] == ["CFGScale"]


# --- what a card can be asked ----------------------------------------------------------------------------------------


def test_pictures_stand_where_they_were_put_and_the_others_where_room_is() -> None:
    card = cards.load("klingai:4@3")
    assert card.place_images(["a"]) == {"first": "a"}
    assert card.place_images(["a", "b"]) == {"first": "a", "last": "b"}
    assert card.place_images([{"image": "a", "frame": "-1"}, "b"]) == {"first": "b", "last": "a"}
    assert card.place_images([{"image": "a", "frame": 0}, {"image": "b"}]) == {"first": "a", "last": "b"}
    assert card.place_images([{"image": "a", "frame": -1}]) == {"last": "a"}
    assert card.place_images([]) == {}
    assert list(card.place_images([{"image": "a", "frame": "last"}, "b"])) == ["first", "last"]


@pytest.mark.parametrize(
    ("model", "images", "message"),
    [
        ("klingai:5@3", ["a", "b"], "there is no place for picture 2: KlingAI 2.1 Master takes a first frame"),
        (
            "klingai:5@3",
            [{"image": "a", "frame": "last"}],
            'there is no place for picture 1 at "last": KlingAI 2.1 Master takes a first frame',
        ),
        (
            "klingai:4@3",
            [{"image": "a", "frame": False}],
            "there is no place for picture 1 at false: KlingAI 2.0 Master takes a first and a last frame",
        ),
        (
            "klingai:4@3",
            [{"image": "a", "frame": "last"}, {"image": "b", "frame": -1}],
            f"two pictures stand at the last frame{TRY}one picture for each frame",
        ),
    ],
)
def test_pictures_without_room_are_an_error(model: str, images: list[object], message: str) -> None:
    with pytest.raises(StoryError) as told:
        cards.load(model).place_images(images)
    assert message == str(told.value)


def test_a_size_is_found_by_shape() -> None:
    two, one, ours = (cards.load(name) for name in ("klingai:4@3", "klingai:5@3", "animatic"))
    assert Size("720p", 1280, 720, "16:9") == two.size_for("16:9")
    assert Size("1080p", 1080, 1920, "9:16") == one.size_for("9:16")
    assert Size("1080p", 1080, 1080, "1:1") == one.size_for("2:2")
    assert Size("720p", 1280, 720, "16:9") == ours.size_for("16:9")
    assert [one.size_for(shape) for shape in ("4:3", "16x9", "", "1:0", "-16:-9")] == [None] * 5


def test_the_nearest_size_to_a_picture_is_the_one_of_the_nearest_shape() -> None:
    card = cards.load("klingai:5@3")
    near = {(5000, 4000): "1:1", (1500, 1000): "16:9", (10, 9): "1:1", (600, 800): "1:1", (600, 1000): "9:16"}
    assert near == {(w, h): card.nearest(w, h).aspect for w, h in near}
    assert card.nearest(4, 3).aspect == "16:9", "as near to 1:1, and listed first"
    assert cards.load("animatic").nearest(3840, 2160).name == "720p"


def test_a_request_costs_its_seconds_times_the_price_times_its_results() -> None:
    card = cards.load("klingai:5@3")
    assert Decimal("0.924") == card.cost({})
    assert Decimal("1.848") == card.cost({"duration": 10})
    assert Decimal("3.696") == card.cost({"duration": 5.0, "numberResults": 4})
    assert Decimal(0) == cards.load("animatic").cost({"duration": 7.5})
    assert card.durations() == (5, 10)
    assert card.default("duration") == 5
    assert Decimal(5) == card.seconds({})


def test_a_card_tells_its_frames_pictures_and_delivery() -> None:
    two, one = cards.load("klingai:4@3"), cards.load("klingai:5@3")
    assert [two.accepts(position) for position in ("first", "last", "middle")] == [True, True, False]
    assert [one.accepts(position) for position in ("first", "last")] == [True, False]
    assert (one.picture.side_min, one.picture.side_max, one.picture.bytes_max) == (300, 2048, 20_000_000)
    assert one.fps == two.fps == 24
    words = "taskUUID webhookURL uploadEndpoint ttl includeCost outputType deliveryMethod numberResults safety"
    assert set(words.split()) == one.delivery == two.delivery
    assert one.delivery <= set(one.fields)
    assert one.default("safety.mode") == "none"
    assert [one.default("ttl"), one.field("safety.speed")] == [None, None]


@pytest.mark.parametrize("model", BY_MODEL)
def test_the_oddities_of_a_page_are_noted_with_their_source(model: str) -> None:
    card = cards.load(model)
    about = {note.about for note in card.notes}
    assert {"negativePrompt", "inputs.frameImages.frame", "safety", "capabilities", "fps", "picture", "seed"} <= about
    assert ("price" in about) == (model == "klingai:4@3")
    assert all(note.source for note in card.notes)


def test_a_card_is_found_by_id_and_by_file_name() -> None:
    assert cards.load("klingai:5@3") is cards.load("klingai-2.1-master")
    assert {"matchcut:animatic", "klingai:4@3", "klingai:5@3"} <= {card.id for card in cards.cards()}


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("klingai:5@2", "klingai:5@3"),
        ("klingai-2.1-mastr", "klingai-2.1-master"),
        ("../card.schema", "one of matchcut:animatic, klingai:4@3, klingai:5@3"),
    ],
)
def test_an_unknown_model_is_an_error_that_names_a_near_one(name: str, remedy: str) -> None:
    with pytest.raises(StoryError) as told:
        cards.load(name)
    assert f'there is no model "{name}"{TRY}{remedy}' == str(told.value)


def test_the_animatic_takes_whole_and_half_seconds_up_to_a_minute() -> None:
    card = cards.load("matchcut:animatic")
    assert card.durations() is None
    assert [n for n in range(2, 121) if card.check_fields({"duration": n / 2})] == []
    told = {0.5: "at least 1 is needed", 60.5: "at most 60 is allowed", 1.25: "it must be a multiple of 0.5"}
    for seconds, message in told.items():
        assert [f"duration is {seconds}, but {message}"] == [f.fact for f in card.check_fields({"duration": seconds})]
    assert card.positions == ("first", "last")
    sizes = "1280x720 1920x1080 720x720 1080x1080 720x1280 1080x1920 640x360"
    assert sizes.split() == [f"{size.width}x{size.height}" for size in card.sizes]


# --- cards of one's own ----------------------------------------------------------------------------------------------

SHIPPED = sorted((Path(cards.load("animatic").path).parent).glob("*.json"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_card_is_whole_and_agrees_with_itself(path: Path) -> None:
    card = cards.from_file(path)
    assert cards.load(card.id) == card
    assert cards.load(path.stem) == card
    assert hash(cards.load(card.id)) == hash(card)
    for size in card.sizes:
        request = {**REQUEST, "model": card.id, "width": size.width, "height": size.height}
        assert card.check(request) == []


def own(tmp_path: Path, change: Mapping[str, object]) -> Path:
    """The card of 2.1 Master with values changed, by dotted path."""
    document = copy.deepcopy(dict(cards.load("klingai:5@3").document))
    for path, value in change.items():
        *steps, last = path.split("/")
        at: Any = document
        for step in steps:
            at = at[int(step)] if isinstance(at, list) else at[step]
        if value is GONE:
            del at[last]
        else:
            at[last] = value
    file = tmp_path / "own.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    return file


def test_a_model_of_ones_own_is_a_file_and_no_code(tmp_path: Path) -> None:
    change = {"x-id": "studio:1@1", "$defs/request/properties/model/const": "studio:1@1", "x-title": "Studio"}
    card = cards.from_file(own(tmp_path, {**change, "x-price/per_second": None, "x-price/examples": []}))
    assert (card.id, card.title, card.price_per_second) == ("studio:1@1", "Studio", None)
    assert card.cost({}) is None
    assert card.check({**REQUEST, "model": "studio:1@1"}) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x-sizes": GONE}, "x-sizes is missing"),
        ({"x-prise": {}, "x-price": GONE}, f'x-prise: "x-prise" is not a field of a model card{TRY}x-price'),
        (
            {"x-status": "alive"},
            f'x-status: x-status "alive" is not one of live, preview, deprecated, retired{TRY}live',
        ),
        (
            {"x-price/per_second": 0.1848},
            f'x-price.per_second: per_second must be text, not 0.1848{TRY}digits in quotes, such as "0.1848"',
        ),
        ({"x-released": "May 2025"}, f'x-released: x-released "May 2025" is not a day{TRY}a day such as 2025-05-29'),
        (
            {"$defs/request/additionalProperties": True},
            "$defs.request.additionalProperties: additionalProperties is true, but it must be false",
        ),
        ({"$defs/request/properties/ttl/title": GONE}, "$defs.request.properties.ttl: title is missing"),
        (
            {"$defs/request/properties/ttl/type": "integre"},
            (
                '$defs.request.properties.ttl.type: type "integre" is not one of array, boolean, integer, null, '
                f"number, object, string{TRY}integer"
            ),
        ),
        ({"x-id": "klingai:5@4"}, 'x-id: x-id is "klingai:5@4", but its requests are for "klingai:5@3"'),
        (
            {"x-sizes/0/width": 1921},
            (
                "x-sizes.0: 1921x1080 (16:9) is listed, but its requests refuse it\n"
                "{file}: x-sizes.0: 1921x1080 is not 16:9"
            ),
        ),
        (
            {"x-price/examples/0/cost": "0.93"},
            "x-price.examples.0: 5 seconds are said to cost 0.93, but cost 0.9240",
        ),
    ],
)
def test_a_faulty_card_is_told_with_what_is_wrong(tmp_path: Path, change: dict[str, object], message: str) -> None:
    file = own(tmp_path, change)
    with pytest.raises(StoryError) as told:
        cards.from_file(file)
    assert f"{file}: {message.replace('{file}', str(file))}" == str(told.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'{\n "x-id": }', ":2:10: the model card is not JSON: Expecting value"),
        (b'{"x-fps": NaN}', ": the model card is not JSON: NaN is not a number"),
        (b"\xff\xfe{}", ": the model card is not UTF-8 text"),
        (b"[" * 100_000, ": the model card is nested too deeply"),
        (b"[]", ": a model card must be a mapping, not a list"),
    ],
)
def test_a_file_that_is_no_card_is_told_with_its_place(tmp_path: Path, text: bytes, message: str) -> None:
    file = tmp_path / "own.json"
    file.write_bytes(text)
    with pytest.raises(StoryError) as told:
        cards.from_file(file)
    assert f"{file}{message}" == str(told.value)


def test_a_card_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoryError) as told:
        cards.from_file(tmp_path / "none.json")
    assert f"{tmp_path / 'none.json'}: the model card can't be read: No such file or directory" == str(told.value)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"$ref": "none.json"}, 'the schema refers to "none.json", which does not exist'),
        ({"$ref": "#/$defs/none"}, 'the schema refers to "/$defs/none", which does not exist'),
        ({"pattern": "("}, 'the schema has the pattern "(", which is wrong: missing ), unterminated subpattern'),
    ],
)
def test_a_rule_that_leads_nowhere_is_told_when_it_is_used(tmp_path: Path, rule: dict[str, str], message: str) -> None:
    field = {"title": "Look", "description": "A look.", **rule}
    card = cards.from_file(own(tmp_path, {"$defs/request/properties/look": field}))
    with pytest.raises(StoryError) as told:
        card.check_fields({"look": "amber"})
    assert message == str(told.value)
