"""The report: whole, safe, the same each time, and nothing in it asks a network."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote

import pytest
from jsonschema import Draft202012Validator

from runner import shipped
from runner.exports import graph, report

from . import sample

HOSTILE = "\"><script>alert(1)</script><img src=http://evil.example/x onerror=alert(1)>'{{ 7*7 }}"
VOID = {"meta", "link", "img", "br", "hr", "input", "path", "circle", "rect"}


class Page(HTMLParser):
    """Reads a page, and minds that every element is closed by its own tag."""

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(html.decode("utf-8"))
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data + " ")

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())

    def all(self, name: str) -> list[str]:
        """Every value of an attribute, in order."""
        return [attrs[name] for _, attrs in self.elements if name in attrs]

    def links(self) -> Iterator[str]:
        """Whatever leads somewhere or fetches something."""
        for name in ("src", "href", "poster", "action", "data", "srcset", "xlink:href"):
            yield from self.all(name)


def write(manifest: sample.Doc | None = None, contacts: dict[str, bytes] | None = None) -> bytes:
    document = sample.manifest() if manifest is None else manifest
    drawing = graph.svg(sample.graph(document))
    return report.write(document, sample.contacts() if contacts is None else contacts, drawing)


def poisoned(value: Any, name: str = "") -> Any:
    """The same manifest with hostile text at the end of every string that people or providers may choose."""
    if isinstance(value, dict):
        return {key: poisoned(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [poisoned(inner, name) for inner in value]
    kept = {"origin", "state", "digest", "key", "clip", "likeness", "rate"}
    return value + HOSTILE if isinstance(value, str) and name not in kept else value


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(write())


def test_the_sample_is_a_manifest_by_its_schema() -> None:
    schema = json.loads((shipped.folder("schemas") / "manifest.schema.json").read_text(encoding="utf-8"))
    assert [error.message for error in Draft202012Validator(schema).iter_errors(sample.manifest())] == []


def test_the_same_arguments_give_the_same_bytes() -> None:
    contacts = sample.contacts()
    turned = dict(reversed(contacts.items()))
    assert write(contacts=contacts) == write(contacts=turned)


def test_every_shot_is_told_with_its_prompt_and_can_be_linked_to(page: Page) -> None:
    targets = page.all("id")
    for shot in sample.manifest()["shots"]:
        assert graph.anchor(shot["shot"]) in targets
        assert " ".join(shot.get("prompt", "").split()) in page.text


def test_the_reason_of_a_shot_that_is_not_there_is_told(page: Page) -> None:
    assert "the prompt was flagged by moderation" in page.text
    assert "It was never made." in page.text


def test_every_anchor_leads_to_an_element_and_no_name_is_given_twice(page: Page) -> None:
    targets = page.all("id")
    assert len(targets) == len(set(targets))
    assert {href[1:] for href in page.all("href") if href.startswith("#")} <= set(targets)
    assert {target for names in page.all("aria-labelledby") for target in names.split()} <= set(targets)


def joins_of(html: Page) -> list[str]:
    return [target for target in html.all("id") if target.startswith("join-") and not target.endswith(":title")]


def test_joins_stand_worst_first_and_branches_are_among_them(page: Page) -> None:
    # The branch 0010 to 0030 is no neighbour in the film; its colour moved by 9.4, which is worse than a suspect head.
    assert joins_of(page) == ["join-0010:0030", "join-0030:0040", "join-0010:0020"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("broken", 20.0, 0.4, 0.0), ("suspect", 12.0, 0.3, 0.0)),
        (("suspect", 30.0, 0.7, 0.0), ("continuous", 20.0, 0.81, 0.0)),
        (("continuous", 30.0, 0.9, 0.0), ("repeat", 40.0, 0.97, 0.0)),
        (("repeat", 34.0, 0.95, 0.0), ("repeat", None, 1.0, 0.0)),
        (("repeat", 35.0, 0.98, 9.0), ("suspect", 20.0, 0.6, 0.0)),
        (("continuous", 35.0, 0.82, 0.0), ("continuous", 20.0, 0.9, 0.0)),
    ],
)
def test_the_worse_of_two_joins_stands_first(one: tuple[Any, ...], other: tuple[Any, ...]) -> None:
    document = sample.manifest()
    document["shots"] = document["shots"][:2] + document["shots"][3:4]
    document["shots"][2]["from"] = sample.after("0020")
    document["films"][0]["joins"] = [
        sample.join(pair, likeness, psnr, ssim, [shift, 0.0, 0.0])
        for pair, (likeness, psnr, ssim, shift) in zip([("0010", "0020"), ("0020", "0040")], [other, one], strict=True)
    ]
    del document["shots"][2]["to"]
    assert joins_of(Page(write(document))) == ["join-0020:0040", "join-0010:0020"]


def test_a_join_shows_three_frames_the_one_handed_on_and_three_more(page: Page) -> None:
    start = next(n for n, (_, attrs) in enumerate(page.elements) if attrs.get("id") == "join-0010:0020")
    told = [
        attrs["aria-label"] for tag, attrs in page.elements[start:] if tag == "span" and attrs.get("role") == "img"
    ][:7]
    assert told == [
        "0010, third frame from the end",
        "0010, second frame from the end",
        "0010, last frame",
        "the last frame of 0010",
        "0020, frame 1",
        "0020, frame 2",
        "0020, frame 3",
    ]


def test_a_strip_is_embedded_once_however_often_it_is_shown() -> None:
    html = write()
    assert len(sample.contacts()) == html.count(b"data:image/jpeg;base64,")


def test_nothing_on_the_page_asks_a_network(page: Page) -> None:
    for link in page.links():
        assert link.startswith(("#", "data:")) or not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|/", link)
    html = write().decode("utf-8")
    assert not re.search(r"url\((?!data:|#)", html)
    assert "@import" not in html
    policy = next(
        attrs["content"] for tag, attrs in page.elements if attrs.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none';")
    assert "script" not in policy
    assert "http" not in policy


def test_the_links_lead_to_what_the_manifest_names(page: Page) -> None:
    document = sample.manifest()
    shots = document["shots"]
    named = {shot["clip"]["path"] for shot in shots if "clip" in shot} | {film["path"] for film in document["films"]}
    named |= {take["path"] for shot in shots for take in shot.get("alternates", []) if "path" in take}
    led = {posixpath.normpath(unquote(link)) for link in page.links() if not link.startswith(("#", "data:"))}
    assert named == led
    videos = [attrs for tag, attrs in page.elements if tag == "video"]
    assert len(videos) == 5
    assert all(video["preload"] == "none" and "type" not in video and "controls" in video for video in videos)


@pytest.mark.parametrize(
    "path", ["https://evil.example/a.mp4", "//evil.example/a.mp4", "javascript:alert(1)", "a b/ü#1?.mp4"]
)
def test_a_path_can_only_lead_beside_the_page(path: str) -> None:
    document = sample.manifest()
    document["films"][0]["path"] = path
    links = [attrs["src"] for tag, attrs in Page(write(document)).elements if tag == "video"]
    assert not re.match(r"[A-Za-z]+:|/", links[0])
    assert path.lstrip("/") == unquote(links[0]).removeprefix(".").lstrip("/")


def test_hostile_text_stays_text() -> None:
    html = write(poisoned(sample.manifest()))
    seen = Page(html)
    assert not {"script", "iframe", "object"} & {tag for tag, _ in seen.elements}
    assert not [name for _, attrs in seen.elements for name in attrs if name.startswith("on")]
    assert not [link for link in seen.links() if "evil.example" in unquote(link) and re.match(r"[a-z]+:", link)]
    assert "<script>alert(1)</script>" in seen.text
    assert "{{ 7*7 }}" in seen.text


def test_no_film_no_scene_and_no_shot_is_a_page_too() -> None:
    document = sample.manifest()
    document.update({"films": [], "scenes": [], "shots": []})
    assert "No film has been put together yet." in Page(write(document, {})).text


def test_a_film_without_a_file_has_no_player() -> None:
    document = sample.manifest()
    document["films"] = [{"film": "sad", "entries": [], "joins": []}]
    seen = Page(write(document))
    assert "This film is not put together yet." in seen.text
    assert sum(tag == "video" for tag, _ in seen.elements) == 4


def test_without_contact_strips_the_pictures_are_left_out_not_the_words() -> None:
    seen = Page(write(contacts={}))
    assert "no frame" in seen.text
    assert "SSIM" in seen.text


def test_a_frame_without_a_thumbnail_is_shown_from_its_file() -> None:
    document = sample.manifest()
    document["shots"][2]["frames"]["2.5s"] = {
        "index": 60,
        "digest": sample.digest("2.5s 0030"),
        "path": "frames/0030_2.5s.png",
    }
    contacts = sample.contacts()
    del contacts[sample.digest("2.5s 0030")]
    seen = Page(write(document, contacts))
    assert [attrs["src"] for tag, attrs in seen.elements if tag == "img"] == ["frames/0030_2.5s.png"] * 2


def test_a_rehearsal_says_what_it_would_cost() -> None:
    document = sample.manifest()
    document["rehearsal"], document["provider"] = True, "animatic"
    document["totals"] |= {"usd": 0.0, "usd_if_bought": 6.468}
    text = Page(write(document)).text
    assert "Rehearsal" in text
    assert "Would cost $6.468 USD, runware" in text
    assert "Made by animatic in place of runware" in text


def test_pictures_have_words_for_those_who_do_not_see_them(page: Page) -> None:
    assert all(attrs.get("aria-label") for _, attrs in page.elements if attrs.get("role") == "img")
    assert all(attrs.get("alt") for tag, attrs in page.elements if tag == "img")


def test_sixty_shots_are_all_there() -> None:
    document = sample.manifest()
    names = [f"{n:04}" for n in range(10, 610, 10)]
    begins = [{"origin": "cut"}, *(sample.after(name) for name in names)]
    document["shots"] = [sample.shot(name, "010", begin) for name, begin in zip(names, begins, strict=False)]
    document["films"] = []
    seen = Page(write(document))
    assert names == [target[5:] for target in seen.all("id") if re.fullmatch(r"shot-\d+", target)]
    assert len(joins_of(seen)) == 59
