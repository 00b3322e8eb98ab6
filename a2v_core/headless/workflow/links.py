"""What feeds an input: links followed to the node that really makes the value.

Through reroutes, bypassed nodes, from Get to Set nodes, in and out of subgraphs.
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
    """A value that stands on a subgraph instance and feeds an input inside."""

    value: Any


Promoted = Callable[[Node, Slot], Constant | None]
"""The value of the widget that a subgraph instance shows for an input that nothing is linked to."""


def resolve_input(
    node: Node, at: int, promoted: Promoted, kind: str | None = None, seen: frozenset[str] = frozenset()
) -> Source | Constant | None:
    """What feeds input number `at`; None when nothing does. Raises WorkflowError on a circle."""
    seen = _mark(seen, f"{node.id} input {at}")
    slot = node.inputs[at]
    link = node.scope.links.get(slot.link) if slot.link is not None else None
    if link is None:
        return None
    if link.origin == SUBGRAPH_INPUT_ID and node.scope.instance is not None:
        return _resolve_outside(node.scope, link, promoted, seen)
    origin = node.scope.nodes.get(link.origin)
    return _resolve_output(origin, link.origin_slot, kind or slot.type, promoted, seen) if origin else None


def _resolve_outside(
    scope: Scope, link: Link, promoted: Promoted, seen: frozenset[str]
) -> Source | Constant | None:
    instance = scope.instance
    assert instance is not None
    if link.origin_slot >= len(scope.input_slots):
        return None
    name = scope.input_slots[link.origin_slot].name
    at = next(at for at, slot in enumerate(instance.inputs) if slot.name == name)
    if instance.inputs[at].link is None:
        return promoted(instance, instance.inputs[at])
    return resolve_input(instance, at, promoted, seen=seen)


def _resolve_output(
    node: Node, slot: int, kind: str, promoted: Promoted, seen: frozenset[str]
) -> Source | Constant | None:
    seen = _mark(seen, f"{node.id} output {slot}")
    if node.mode == MUTED:
        return None
    if node.mode == BYPASSED:
        at = _bypass_slot(node, slot, kind)
        return None if at is None else resolve_input(node, at, promoted, seen=seen)
    if node.inner is not None:
        for link in node.inner.links.values():
            if link.target == SUBGRAPH_OUTPUT_ID and link.target_slot == slot:
                inner = node.inner.nodes.get(link.origin)
                return _resolve_output(inner, link.origin_slot, kind, promoted, seen) if inner else None
        return None
    if not node.virtual:
        return Source(node, slot)
    if node.type in SETTERS:
        node = setter_of(node)
    return resolve_input(node, slot, promoted, kind, seen) if slot < len(node.inputs) else None


def _bypass_slot(node: Node, slot: int, kind: str) -> int | None:
    """Which input a bypassed node hands through: opposite, of the same type, or fitting."""
    inputs = node.inputs
    made = node.outputs[slot].type if slot < len(node.outputs) else kind
    if kind in ("*", ""):
        return slot if slot < len(inputs) else (0 if inputs else None)
    fits = [_connects(entry.type, made) and _connects(entry.type, kind) for entry in inputs]
    if slot < len(inputs) and fits[slot]:
        return slot
    exact = [at for at, entry in enumerate(inputs) if entry.type == kind]
    return next(iter(exact + [at for at, fit in enumerate(fits) if fit]), None)


def _connects(one: str, other: str) -> bool:
    if one in ("", "*") or other in ("", "*"):
        return True
    return bool(set(one.lower().split(",")) & set(other.lower().split(",")))


def _mark(seen: frozenset[str], step: str) -> frozenset[str]:
    if step in seen:
        raise WorkflowError(f"the workflow's links run in a circle through node {step}")
    return seen | {step}
