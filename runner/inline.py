"""A schema with its own definitions written out where they are meant: the same rules, found without looking them up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_OWN = "#/$defs/"
_SAID = frozenset({"$ref", "title", "description", "default", "examples"})
"""What may stand beside a reference and rules nothing."""


def inlined(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with every reference to its own ``$defs`` written out; what refers to itself stays a reference."""
    defs: Mapping[str, Any] = schema.get("$defs", {})

    def copy(node: Any, within: tuple[str, ...]) -> Any:
        if isinstance(node, list):
            return [copy(item, within) for item in node]
        if not isinstance(node, dict):
            return node
        ref = node.get("$ref")
        name = ref.removeprefix(_OWN) if isinstance(ref, str) and ref.startswith(_OWN) else None
        if name is not None and name in defs and name not in within and node.keys() <= _SAID:
            return copy(defs[name], (*within, name))
        return {key: copy(item, within) for key, item in node.items()}

    return {**copy({key: value for key, value in schema.items() if key != "$defs"}, ()), "$defs": defs}
