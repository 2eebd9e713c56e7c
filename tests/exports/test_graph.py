"""The drawings of the graph: the same each time, safe whatever a shot is called, and nothing upon anything else."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.exports.graph import HEIGHT, STATES, WIDTH, Edge, Graph, Node, anchor, dot, mermaid, svg

GOLDEN = Path(__file__).parent / "golden"
HOSTILE = '"]; </text><script>alert("&")</script> \\N `x` #quot; |'
SVG = "{http://www.w3.org/2000/svg}"

SMALL = Graph(
    "Lantern Market",
    (
        Node("0010", "Umbrella", "010 The lane", "current", 5, 0.924),
        Node("0020", "Noodles in the steam, high up", "010 The lane", "stale", 10, 1.848),
        Node("0030", "The alley", "010 The lane", "waiting", 5, None),
        Node("0040", "夜の橋", "020 Over the bridge", "missing", 5, 0.924),
        Node("0050", 'Roofs & "gutters"', "020 Over the bridge", "failed", 5, 0.0),
    ),
    (
        Edge("0010", "0020"),
        Edge("0010", "0030"),
        Edge("0030", "0040", "from", "sharpest"),
        Edge("0010", "0040", "to", "first"),
        Edge("0040", "0050"),
    ),
)


def long_graph(shots: int) -> Graph:
    """Scenes of 23 shots, with branches, bridges back and forth, and cuts."""
    nodes = tuple(Node(f"{n:04}", f"shot {n}", f"scene {n // 23}", STATES[n % 7], 5, 0.9) for n in range(shots))
    begins = [Edge(f"{max(0, n - (1, 1, 3, 9)[n % 4]):04}", f"{n:04}") for n in range(1, shots) if n % 11]
    ends = [Edge(f"{n * 7 % shots:04}", f"{n:04}", "to", "first") for n in range(5, shots, 13)]
    return Graph("Long", nodes, (*begins, *ends))


def cards(drawn: str) -> dict[str, tuple[int, int]]:
    """Where the card of each shot stands."""
    found = re.findall(r'href="#shot-([^"]+)"><g class="\w+" transform="translate\((\d+) (\d+)\)', drawn)
    return {name: (int(x), int(y)) for name, x, y in found}


@pytest.mark.parametrize(("name", "draw"), [("small.svg", svg), ("small.mmd", mermaid), ("small.dot", dot)])
def test_a_small_graph_is_drawn_as_its_golden_file(name: str, draw: object) -> None:
    assert callable(draw)
    assert (GOLDEN / name).read_text(encoding="utf-8") == draw(SMALL)


@pytest.mark.parametrize("shots", [1, 60, 200])
def test_no_card_lies_upon_another_and_all_are_inside(shots: int) -> None:
    drawn = svg(long_graph(shots))
    spots = cards(drawn)
    root = ElementTree.fromstring(drawn)
    assert shots == len(spots)
    for (ax, ay), (bx, by) in itertools.combinations(spots.values(), 2):
        assert abs(ax - bx) >= WIDTH or abs(ay - by) >= HEIGHT
    assert all(0 < x < int(root.attrib["width"]) - WIDTH for x, _ in spots.values())
    assert all(0 < y < int(root.attrib["height"]) - HEIGHT for _, y in spots.values())


def test_no_line_runs_behind_a_card() -> None:
    drawn = svg(long_graph(200))
    spots = cards(drawn).values()
    lines = re.findall(r'<path class="line[^"]*" d="(M[^"]+)" marker', drawn)
    corners = [re.findall(r"(-?\d+) (-?\d+)", line) for line in lines if "C" not in line]
    assert len(corners) > 40
    for path in corners:
        points = [(int(x), int(y)) for x, y in path]
        for (ax, ay), (bx, by) in itertools.pairwise(points):
            for x, y in spots:
                over = max(ax, bx) > x and min(ax, bx) < x + WIDTH and max(ay, by) > y and min(ay, by) < y + HEIGHT
                assert not over


def test_a_chain_runs_left_to_right_and_goes_on_below() -> None:
    chain = Graph(
        "Chain",
        tuple(Node(f"{n}", "", "one", "current") for n in range(8)),
        tuple(Edge(f"{n}", f"{n + 1}") for n in range(7)),
    )
    spots = cards(svg(chain))
    first_line = [spots[f"{n}"] for n in range(6)]
    assert sorted(first_line) == first_line
    assert {first_line[0][1]} == {y for _, y in first_line}
    assert spots["6"][0] == spots["0"][0]
    assert spots["6"][1] > spots["0"][1]


def test_every_state_is_told_in_words_and_has_a_mark_of_its_own() -> None:
    drawn = svg(Graph("", tuple(Node(state, "", "one", state) for state in STATES), ()))
    marks = re.findall(r'<g class="mark"[^>]*>(.*?)</g>', drawn)
    assert len(STATES) == len(set(marks))
    words = [
        element.text for element in ElementTree.fromstring(drawn).iter(f"{SVG}text") if element.get("class") == "facts"
    ]
    assert list(STATES) == words


def test_hostile_names_stay_text_in_every_drawing() -> None:
    graph = Graph(HOSTILE, (Node(HOSTILE, HOSTILE, HOSTILE, "current"),), ())
    root = ElementTree.fromstring(svg(graph))
    assert not list(root.iter(f"{SVG}script"))
    assert "script" not in {element.tag for element in root.iter()}
    label = re.search(r'n0 \[label="((?:[^"\\]|\\.)*)", style=solid', dot(graph))
    assert label is not None
    for line in mermaid(graph).splitlines():
        assert line.count('"') in {0, 2}
        assert "<script" not in line


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_gives_well_formed_drawings(name: str, label: str) -> None:
    graph = Graph(label, (Node(name, label, name, "failed", 5, 1.0), Node("z" + name, label, label, "current")), ())
    ElementTree.fromstring(svg(graph))
    assert mermaid(graph).count(":::") == len(graph.nodes)
    assert dot(graph).endswith("}\n")


def test_a_circle_and_an_unknown_shot_are_drawn_all_the_same() -> None:
    nodes = tuple(Node(name, "", "one", "blocked") for name in "abc")
    edges = (Edge("a", "b"), Edge("b", "c"), Edge("c", "b"), Edge("c", "c"), Edge("nowhere", "a"))
    assert {"a", "b", "c"} == set(cards(svg(Graph("Circle", nodes, edges))))


def test_an_empty_storyboard_has_a_drawing() -> None:
    ElementTree.fromstring(svg(Graph("Nothing yet", (), ())))


def test_different_shots_have_different_anchors() -> None:
    names = ["0010", "00-10", "00_10", "0 10", "0.20.10", "é", "e9", "<a>", "a"]
    assert len(names) == len({anchor(name) for name in names})
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", anchor(name)) for name in names)
