"""The graph of a plan's shots, ready to be drawn."""

from __future__ import annotations

from collections.abc import Mapping

from .exports.graph import Edge, Graph, Node
from .plan import Decision, Plan


def of(plan: Plan, decisions: Mapping[str, Decision]) -> Graph:
    """Shots as nodes with their states; an edge for every frame that one hands to another."""
    nodes = []
    edges = []
    for shot in plan.board.shots:
        cost = plan.cost(shot.id, bought=True)
        words = plan.briefs[shot.id].words.fields
        label = shot.title or str(words.get("action", shot.clip or "")).split("\n")[0]
        state = decisions[shot.id].state
        scene = plan.board.scene(shot.scene)
        nodes.append(
            Node(
                shot.id,
                label,
                f"{scene.id} {scene.title}".strip(),
                state,
                plan.briefs[shot.id].seconds,
                None if cost is None else float(cost),
            )
        )
        if shot.begins.shot is not None:
            edges.append(Edge(shot.begins.shot, shot.id, "from", shot.begins.frame))
        if shot.ends is not None and shot.ends.shot is not None:
            edges.append(Edge(shot.ends.shot, shot.id, "to", shot.ends.frame))
    return Graph(plan.board.title, tuple(nodes), tuple(edges))
