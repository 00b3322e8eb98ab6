"""Resolves the source of an input: follows links to the node that makes the value, through reroutes,
bypassed nodes, from Get to Set nodes, in and out of subgraphs.

Source: `ExecutableNodeDTO` of ComfyUI_frontend 1.58.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ...errors import WorkflowError
from .graph import BYPASSED, MUTED, SUBGRAPH_INPUT_ID, SUBGRAPH_OUTPUT_ID, Link, Node, Scope, Slot
from .virtual import SETTERS, setter_of


class Source(NamedTuple):
    """The output that feeds an input."""

    node: Node
    slot: int


class Constant(NamedTuple):
    """A widget value of a subgraph instance that feeds an input inside."""

    value: Any


Promoted = Callable[[Node, Slot], Constant | None]
"""The value of a subgraph instance's promoted widget, for an unlinked input."""


def resolve_input(
    node: Node, index: int, promoted: Promoted, kind: str | None = None, visited: frozenset[str] = frozenset()
) -> Source | Constant | None:
    """The source of input number `index`; None when unconnected. Raises WorkflowError for circular links."""
    visited = _visit(visited, f"{node.id} input {index}")
    slot = node.inputs[index]
    link = node.scope.links.get(slot.link) if slot.link is not None else None
    if link is None:
        return None
    if link.origin == SUBGRAPH_INPUT_ID and node.scope.instance is not None:
        return _resolve_outside(node.scope, link, promoted, visited)
    origin = node.scope.nodes.get(link.origin)
    return _resolve_output(origin, link.origin_slot, kind or slot.type, promoted, visited) if origin else None


def _resolve_outside(
    scope: Scope, link: Link, promoted: Promoted, visited: frozenset[str]
) -> Source | Constant | None:
    instance = scope.instance
    assert instance is not None
    if link.origin_slot >= len(scope.input_slots):
        return None
    name = scope.input_slots[link.origin_slot].name
    index = next(index for index, slot in enumerate(instance.inputs) if slot.name == name)
    if instance.inputs[index].link is None:
        return promoted(instance, instance.inputs[index])
    return resolve_input(instance, index, promoted, visited=visited)


def _resolve_output(
    node: Node, slot: int, kind: str, promoted: Promoted, visited: frozenset[str]
) -> Source | Constant | None:
    visited = _visit(visited, f"{node.id} output {slot}")
    if node.mode == MUTED:
        return None
    if node.mode == BYPASSED:
        index = _bypass_slot(node, slot, kind)
        return None if index is None else resolve_input(node, index, promoted, visited=visited)
    if node.inner is not None:
        for link in node.inner.links.values():
            if link.target == SUBGRAPH_OUTPUT_ID and link.target_slot == slot:
                inner = node.inner.nodes.get(link.origin)
                return _resolve_output(inner, link.origin_slot, kind, promoted, visited) if inner else None
        return None
    if not node.virtual:
        return Source(node, slot)
    if node.type in SETTERS:
        node = setter_of(node)
    return resolve_input(node, slot, promoted, kind, visited) if slot < len(node.inputs) else None


def _bypass_slot(node: Node, slot: int, kind: str) -> int | None:
    """The input that a bypassed node passes through: same index, same type, or a compatible type."""
    inputs = node.inputs
    output_type = node.outputs[slot].type if slot < len(node.outputs) else kind
    if kind in ("*", ""):
        return slot if slot < len(inputs) else (0 if inputs else None)
    compatible = [_connects(entry.type, output_type) and _connects(entry.type, kind) for entry in inputs]
    if slot < len(inputs) and compatible[slot]:
        return slot
    exact = [index for index, entry in enumerate(inputs) if entry.type == kind]
    return next(
        iter(exact + [index for index, is_compatible in enumerate(compatible) if is_compatible]), None
    )


def _connects(one: str, other: str) -> bool:
    if one in ("", "*") or other in ("", "*"):
        return True
    return bool(set(one.lower().split(",")) & set(other.lower().split(",")))


def _visit(visited: frozenset[str], step: str) -> frozenset[str]:
    if step in visited:
        raise WorkflowError(f"the workflow's links run in a circle through node {step}")
    return visited | {step}
