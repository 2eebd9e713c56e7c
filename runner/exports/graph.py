"""The shots as a drawing: which shot hands its frame to which, in what state each one is, and what it costs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Literal

from .words import dollars, elide, span

State = Literal["current", "stale", "missing", "waiting", "unknown", "blocked", "failed"]

STATES: tuple[State, ...] = ("current", "stale", "missing", "waiting", "unknown", "blocked", "failed")

# Sizes in pixels of the drawing. Columns and rows leave gutters that no shot ever stands in: lines run there.
COLUMNS = 6
WIDTH, HEIGHT = 152, 66
GUTTER, ROW_GAP = 44, 30
MARGIN, PAD, HEAD, BAND_GAP, TOP, FOOT = 20, 16, 28, 14, 34, 34
LANES = 4


@dataclass(frozen=True, slots=True)
class Node:
    """A shot: its id, what people call it, its scene, its state, its length in seconds and its price in USD."""

    id: str
    label: str
    scene: str
    state: State
    seconds: float | None = None
    usd: float | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """A frame handed on: ``tail`` gives it, ``head`` begins (``from``) or ends (``to``) on it; ``frame`` says which."""

    tail: str
    head: str
    kind: Literal["from", "to"] = "from"
    frame: str = "last"


@dataclass(frozen=True, slots=True)
class Graph:
    """All shots in film order, and the frames handed on between them."""

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


_HEADS = (
    "flowchart LR\n  accTitle: ",
    "digraph shots {\n  graph [",
    '<svg xmlns="http://www.w3.org/2000/svg" class="mc-graph"',
)
"""How a drawing begins, in each of the formats."""


def ours(text: str) -> bool:
    """Whether a text begins as the drawings of this module do."""
    return text.startswith(_HEADS)


def anchor(shot: str) -> str:
    """The name by which a page links to a shot: ``shot-0010``. Letters that a link can't hold are spelled out."""
    return "shot-" + "".join(c if c.isascii() and (c.isalnum() or c in "-_") else f".{ord(c):x}." for c in shot)


def _facts(node: Node) -> str:
    parts: list[str] = [node.state]
    if node.seconds is not None:
        parts.append(span(node.seconds))
    if node.usd is not None:
        parts.append(dollars(node.usd))
    return " · ".join(parts)


def _scenes(nodes: Iterable[Node]) -> dict[str, list[Node]]:
    scenes: dict[str, list[Node]] = {}
    for node in nodes:
        scenes.setdefault(node.scene, []).append(node)
    return scenes


def _known(graph: Graph) -> list[Edge]:
    ids = {node.id for node in graph.nodes}
    return [edge for edge in graph.edges if edge.tail in ids and edge.head in ids and edge.tail != edge.head]


# --- mermaid ---------------------------------------------------------------------------------------------------------

_MERMAID_SHAPES: dict[str, tuple[str, str]] = {
    "current": ("[", "]"),
    "stale": ("(", ")"),
    "missing": ("([", "])"),
    "waiting": ("[/", "/]"),
    "unknown": ("{{", "}}"),
    "blocked": ("[[", "]]"),
    "failed": (">", "]"),
}
# Each state's stroke; none fills, so that it reads on light and on dark pages.
_MERMAID_STYLES = {
    "current": "stroke:#2f7d5b,stroke-width:2px",
    "stale": "stroke:#b7791f,stroke-width:2px",
    "missing": "stroke:#8a8378,stroke-dasharray:4 3",
    "waiting": "stroke:#3d6fb4,stroke-width:2px",
    "unknown": "stroke:#8254a8,stroke-width:2px",
    "blocked": "stroke:#8a8378,stroke-width:2px",
    "failed": "stroke:#b3372f,stroke-width:3px",
}


def _mermaid_text(text: str, room: int = 60) -> str:
    special = '"#<>&`\\|[]{}()*_~;%'
    return "".join(f"#{ord(c)};" if c in special else c for c in elide(text, room))


def mermaid(graph: Graph) -> str:
    """The graph as a Mermaid flowchart, one subgraph a scene; ends in a line break."""
    names = {node.id: f"n{i}" for i, node in enumerate(graph.nodes)}
    lines = ["flowchart LR", f"  accTitle: {_mermaid_text(graph.title) or 'Shots'}"]
    for i, (scene, nodes) in enumerate(_scenes(graph.nodes).items()):
        lines.append(f'  subgraph s{i}["{_mermaid_text(scene) or "-"}"]')
        for node in nodes:
            left, right = _MERMAID_SHAPES[node.state]
            rows = [_mermaid_text(node.id), _mermaid_text(node.label), _mermaid_text(_facts(node))]
            lines.append(f'    {names[node.id]}{left}"{"<br/>".join(filter(None, rows))}"{right}:::{node.state}')
        lines.append("  end")
    for edge in _known(graph):
        arrow = "-->" if edge.kind == "from" else "-.->"
        said = _edge_words(edge)
        lines.append(f"  {names[edge.tail]} {arrow}{_mermaid_label(said)} {names[edge.head]}")
    used = {node.state for node in graph.nodes}
    lines += [f"  classDef {state} {_MERMAID_STYLES[state]}" for state in STATES if state in used]
    return "\n".join(lines) + "\n"


def _mermaid_label(words: str) -> str:
    return f'|"{_mermaid_text(words)}"|' if words else ""


def _edge_words(edge: Edge) -> str:
    """What stands at a line: nothing for the common case, a last frame that the next shot begins on."""
    if edge.kind == "to":
        return f"ends on @{edge.frame}"
    return "" if edge.frame == "last" else f"@{edge.frame}"


# --- dot -------------------------------------------------------------------------------------------------------------

_DOT_STYLES = {
    "current": "style=solid, penwidth=1.5",
    "stale": 'style="rounded"',
    "missing": "style=dashed",
    "waiting": "shape=parallelogram",
    "unknown": "shape=hexagon",
    "blocked": "shape=box, peripheries=2",
    "failed": "shape=octagon, penwidth=2.5",
}


def _dot_text(text: str, room: int = 60) -> str:
    # In DOT a backslash begins an escape like \N (the node's name), so it is doubled.
    return elide(text, room).replace("\\", "\\\\").replace('"', '\\"')


def dot(graph: Graph) -> str:
    """The graph in Graphviz's language, one cluster a scene; ends in a line break."""
    names = {node.id: f"n{i}" for i, node in enumerate(graph.nodes)}
    lines = [
        "digraph shots {",
        f'  graph [rankdir=LR, labelloc=t, fontname="Helvetica", label="{_dot_text(graph.title)}"];',
        '  node [shape=box, fontname="Helvetica", fontsize=11];',
        '  edge [fontname="Helvetica", fontsize=9];',
    ]
    for i, (scene, nodes) in enumerate(_scenes(graph.nodes).items()):
        lines.append(f"  subgraph cluster_{i} {{")
        lines.append(f'    label="{_dot_text(scene)}"; style=rounded; color=gray;')
        for node in nodes:
            rows = [_dot_text(node.id), _dot_text(node.label, 32), _dot_text(_facts(node))]
            label = "\\n".join(filter(None, rows))
            lines.append(f'    {names[node.id]} [label="{label}", {_DOT_STYLES[node.state]}];')
        lines.append("  }")
    for edge in _known(graph):
        marks = [f'label="{_dot_text(_edge_words(edge))}"'] if _edge_words(edge) else []
        marks += ["style=dashed", "arrowhead=empty", "constraint=false"] if edge.kind == "to" else []
        lines.append(f"  {names[edge.tail]} -> {names[edge.head]}{' [' + ', '.join(marks) + ']' if marks else ''};")
    return "\n".join([*lines, "}"]) + "\n"


# --- svg: where everything stands ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Cell:
    """A shot's place inside its scene: line of the scene's text-like flow, column and row in that line."""

    line: int
    column: int
    row: int


@dataclass(frozen=True, slots=True)
class _Spot:
    x: int
    y: int

    @property
    def middle(self) -> int:
        return self.y + HEIGHT // 2

    @property
    def right(self) -> int:
        return self.x + WIDTH


@dataclass(frozen=True, slots=True)
class _Band:
    scene: str
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class _Layout:
    spots: dict[str, _Spot]
    bands: tuple[_Band, ...]
    width: int
    height: int


def _layers(ids: Sequence[str], edges: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Each shot's longest way from a beginning. A circle, which only a wrong storyboard has, is drawn all the same."""
    after: dict[str, list[str]] = {i: [] for i in ids}
    waits = dict.fromkeys(ids, 0)
    for tail, head in edges:
        after[tail].append(head)
        waits[head] += 1
    layer = dict.fromkeys(ids, 0)
    ready = [i for i in ids if waits[i] == 0]
    for i in ready:
        for head in after[i]:
            layer[head] = max(layer[head], layer[i] + 1)
            waits[head] -= 1
            if waits[head] == 0:
                ready.append(head)
    return layer


def _components(ids: Sequence[str], edges: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Shots that hang together, each group in film order, the groups in the order of their first shot."""
    leader = {i: i for i in ids}

    def find(i: str) -> str:
        while leader[i] != i:
            leader[i] = leader[leader[i]]
            i = leader[i]
        return i

    for tail, head in edges:
        leader[find(head)] = find(tail)
    groups: dict[str, list[str]] = {}
    for i in ids:
        groups.setdefault(find(i), []).append(i)
    return list(groups.values())


def _rows(group: Sequence[str], layer: dict[str, int], edges: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Rows that keep a chain on one line, its branches below it in the order of their parents: few lines cross."""
    parents: dict[str, list[str]] = {i: [] for i in group}
    for tail, head in edges:
        if head in parents:
            parents[head].append(tail)
    row: dict[str, int] = {}
    for depth in range(max(layer[i] for i in group) + 1):
        here = [i for i in group if layer[i] == depth]
        wish = {i: min((row[p] for p in parents[i] if p in row), default=0) for i in here}
        free = 0
        for i in sorted(here, key=wish.__getitem__):
            row[i] = max(free, wish[i])
            free = row[i] + 1
    return row


def _flow(nodes: Sequence[Node], edges: Sequence[tuple[str, str]]) -> dict[str, _Cell]:
    """Sets one scene like text: what hangs together runs left to right, and what is too long goes on in a new line."""
    ids = [node.id for node in nodes]
    layer = _layers(ids, edges)
    cells: dict[str, _Cell] = {}
    line, column = 0, 0
    for group in _components(ids, edges):
        row = _rows(group, layer, edges)
        length = max(layer[i] for i in group) + 1
        if column and column + length > COLUMNS:
            line, column = line + 1, 0
        for i in group:
            down, across = divmod(column + layer[i], COLUMNS)
            cells[i] = _Cell(line + down, across, row[i])
        down, column = divmod(column + length, COLUMNS)
        line += down
    return _tight(cells)


def _tight(cells: dict[str, _Cell]) -> dict[str, _Cell]:
    """The same without empty rows, which a branch leaves that began in an earlier line."""
    used: dict[int, set[int]] = {}
    for cell in cells.values():
        used.setdefault(cell.line, set()).add(cell.row)
    rank = {line: {row: n for n, row in enumerate(sorted(rows))} for line, rows in used.items()}
    return {i: _Cell(c.line, c.column, rank[c.line][c.row]) for i, c in cells.items()}


def _lay_out(graph: Graph) -> _Layout:
    spots: dict[str, _Spot] = {}
    bands: list[_Band] = []
    begins = [(edge.tail, edge.head) for edge in _known(graph) if edge.kind == "from"]
    y = TOP
    for scene, nodes in _scenes(graph.nodes).items():
        ids = {node.id for node in nodes}
        cells = _flow(nodes, [(tail, head) for tail, head in begins if tail in ids and head in ids])
        heights: dict[int, int] = {}
        for cell in cells.values():
            heights[cell.line] = max(heights.get(cell.line, 0), cell.row + 1)
        first_row = {line: sum(heights[n] for n in range(line)) for line in heights}
        top = y + HEAD
        for i, cell in cells.items():
            down = (first_row[cell.line] + cell.row) * (HEIGHT + ROW_GAP) + ROW_GAP
            spots[i] = _Spot(MARGIN + GUTTER + cell.column * (WIDTH + GUTTER), top + down)
        height = HEAD + sum(heights.values()) * (HEIGHT + ROW_GAP) + PAD
        bands.append(_Band(scene, y, height))
        y += height + BAND_GAP
    width = max((spot.right for spot in spots.values()), default=0) + GUTTER + MARGIN
    return _Layout(spots, tuple(bands), max(width, 420), y - BAND_GAP + FOOT if bands else TOP + FOOT + 20)


def _route(edge: Edge, layout: _Layout, lane: int) -> str:
    """The line of one frame: through the gutters alone, so that it never runs behind a shot."""
    a, b = layout.spots[edge.tail], layout.spots[edge.head]
    if edge.kind == "from" and b.x == a.right + GUTTER and abs(b.y - a.y) <= 2 * (HEIGHT + ROW_GAP):
        half = GUTTER // 2
        return f"M{a.right} {a.middle}C{a.right + half} {a.middle} {b.x - half} {b.middle} {b.x - 2} {b.middle}"
    channel = b.y - 17 - 3 * lane
    out = a.right + 9 + 3 * lane
    # What a shot must end on arrives at its right side, a little lower than where its own frame leaves.
    begins = edge.kind == "from"
    back, end, level = (b.x - 13 - 3 * lane, b.x - 2, 0) if begins else (b.right + 19 + lane, b.right + 2, 17)
    arrival = b.middle + level
    corners = [(a.right, a.middle), (out, a.middle), (out, channel), (back, channel), (back, arrival), (end, arrival)]
    return _rounded(corners)


def _rounded(corners: Sequence[tuple[int, int]]) -> str:
    path = f"M{corners[0][0]} {corners[0][1]}"
    for (ax, ay), (bx, by), (cx, cy) in zip(corners, corners[1:], corners[2:], strict=False):
        before, after = abs(bx - ax) + abs(by - ay), abs(cx - bx) + abs(cy - by)
        r = min(8, before // 2, after // 2)
        if r < 1:
            path += f"L{bx} {by}"
            continue
        px, py = bx - r * _sign(bx - ax), by - r * _sign(by - ay)
        qx, qy = bx + r * _sign(cx - bx), by + r * _sign(cy - by)
        path += f"L{px} {py}Q{bx} {by} {qx} {qy}"
    return path + f"L{corners[-1][0]} {corners[-1][1]}"


def _sign(n: int) -> int:
    return (n > 0) - (n < 0)


# --- svg: how it looks -----------------------------------------------------------------------------------------------

_MARKS: dict[str, str] = {
    "current": '<circle cx="8" cy="8" r="7" class="f"/><path d="M4.8 8.3l2.2 2.2 4.2-4.6" class="k"/>',
    "stale": '<circle cx="8" cy="8" r="6.2" class="o"/><path d="M8 1.8a6.2 6.2 0 0 1 0 12.4z" class="f"/>',
    "missing": '<circle cx="8" cy="8" r="6.2" class="o" stroke-dasharray="2.6 2.3"/>',
    "waiting": '<circle cx="8" cy="8" r="6.2" class="o"/><path d="M6.2 5.4v5.2M9.8 5.4v5.2" class="o"/>',
    "unknown": '<circle cx="8" cy="8" r="6.2" class="o"/>'
    '<path d="M6.2 6.4a1.9 1.9 0 1 1 2.7 1.8q-.9.4-.9 1.3M8 11.3v.5" class="o"/>',
    "blocked": '<rect x="2" y="2" width="12" height="12" rx="2" class="o"/><path d="M5 8h6" class="o"/>',
    "failed": '<path d="M8 .8L15.2 8 8 15.2.8 8z" class="f"/><path d="M5.8 5.8l4.4 4.4M10.2 5.8l-4.4 4.4" class="k"/>',
}


def _style() -> str:
    return (Path(__file__).parent / "graph.css").read_text(encoding="utf-8")


_TIPS = (
    '<defs><marker id="mc-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0 .6L7.4 4 0 7.4z" class="tip"/></marker>'
    '<marker id="mc-open" viewBox="0 0 9 9" refX="8" refY="4.5" markerWidth="8" markerHeight="8" orient="auto">'
    '<path d="M1 1L8 4.5 1 8z" class="open"/></marker></defs>'
)


def mark(state: State) -> str:
    """The sign of a state as a small inline SVG: its shape alone tells the state, its colour is that of the text.

    A page that shows it styles ``.mark``'s ``.f`` (filled), ``.o`` (outlined) and ``.k`` (cut out).
    """
    return f'<svg class="mark" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">{_MARKS[state]}</svg>'


def svg(graph: Graph) -> str:
    """The graph as an SVG document, which also stands alone: scenes as bands, shots as cards, frames as lines.

    A line into a card's left side is the frame it begins on; a dashed one into its right side the frame it ends on.
    Cards link to ``#shot-ID`` (see ``anchor``). The same graph gives the same text.
    """
    layout = _lay_out(graph)
    edges = _known(graph)
    lanes = _lanes(edges)
    title = escape(elide(graph.title, 120) or "Shots")
    width, height = layout.width, layout.height
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="mc-graph" width="{width}" height="{height}"',
        f'viewBox="0 0 {width} {height}" role="group" aria-labelledby="mc-graph-title">',
        f'<title id="mc-graph-title">{title}: which shot continues which</title>',
        f"<style>\n{_style()}</style>{_TIPS}",
        f'<text class="title" x="{MARGIN}" y="22">{escape(elide(graph.title, width / 9.5))}</text>',
    ]
    parts += [_band(band, width) for band in layout.bands]
    parts += [_line(edge, layout, lanes[edge.tail]) for edge in edges]
    parts += [_card(node, layout.spots[node.id]) for node in graph.nodes]
    parts += [_note(edge, layout.spots[edge.head]) for edge in edges if _edge_words(edge)]
    parts.append(_legend(layout, {edge.kind for edge in edges}))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _lanes(edges: Iterable[Edge]) -> dict[str, int]:
    """Lines of one shot share a lane; those of neighbours run beside each other, not upon each other."""
    lanes: dict[str, int] = {}
    for edge in edges:
        lanes.setdefault(edge.tail, len(lanes) % LANES)
    return lanes


def _band(band: _Band, width: int) -> str:
    name = escape(elide(band.scene, (width - 4 * MARGIN) / 8))
    return (
        f'<rect class="band" x="{MARGIN}" y="{band.y}" width="{width - 2 * MARGIN}" height="{band.height}" rx="12"/>'
        f'<text class="scene" x="{MARGIN + 16}" y="{band.y + 24}">{name}</text>'
    )


def _line(edge: Edge, layout: _Layout, lane: int) -> str:
    kind, tip = ("", "mc-tip") if edge.kind == "from" else (" to", "mc-open")
    return f'<path class="line{kind}" d="{_route(edge, layout, lane)}" marker-end="url(#{tip})"/>'


def _note(edge: Edge, spot: _Spot) -> str:
    # A frame's name stands at the end of the shot that receives it, clear of the channel above the card.
    if edge.kind == "from":
        return f'<text class="note" x="{spot.x + 6}" y="{spot.y - 5}">{escape(elide("@" + edge.frame, 11))}</text>'
    said = escape(elide("to @" + edge.frame, 13))
    return f'<text class="note" x="{spot.right - 6}" y="{spot.y - 5}" text-anchor="end">{said}</text>'


def _card(node: Node, spot: _Spot) -> str:
    whole = escape(elide(f"{node.id} {node.label}", 400) + ", " + _facts(node))
    return (
        f'<a href="#{anchor(node.id)}"><g class="{node.state}" transform="translate({spot.x} {spot.y})">'
        f'<title>{whole}</title><rect class="card" width="{WIDTH}" height="{HEIGHT}" rx="9"/>'
        f'<g class="mark" transform="translate(11 9)">{_MARKS[node.state]}</g>'
        f'<text class="id" x="34" y="22">{escape(elide(node.id, 14))}</text>'
        f'<text class="label" x="12" y="40">{escape(elide(node.label, 19))}</text>'
        f'<text class="facts" x="12" y="57">{escape(elide(_facts(node), 25))}</text></g></a>'
    )


def _legend(layout: _Layout, kinds: set[str]) -> str:
    y, x, parts = layout.height - 12, MARGIN + 2, []
    for kind, said, style, tip in (
        ("from", "begins on the frame", "line", "mc-tip"),
        ("to", "must end on the frame", "line to", "mc-open"),
    ):
        if kind in kinds:
            parts.append(f'<path class="{style}" d="M{x} {y - 4}h30" marker-end="url(#{tip})"/>')
            parts.append(f'<text class="key" x="{x + 40}" y="{y}">{said}</text>')
            x += 190
    return "".join(parts)
