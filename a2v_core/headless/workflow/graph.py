"""A workflow as the front end saves it, read into nodes, slots and links.

The root graph and every instance of a subgraph are one `Scope` each. A node's id is its execution id, as the
front end builds it: the ids of the instances on the way in, then its own, joined by colons ("12:34").
Both published layouts are read: version 0.4 (links are lists) and version 1 (links are objects).
Source: `LGraph.configure`, `SubgraphNode` and `ExecutableNodeDTO` of ComfyUI_frontend 1.32.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ...errors import WorkflowError

ACTIVE, MUTED, BYPASSED = 0, 2, 4
CORE_VIRTUAL_TYPES = frozenset({"Note", "MarkdownNote", "Reroute", "PrimitiveNode"})
GROUP_PREFIXES = ("workflow>", "workflow/")
SUBGRAPH_INPUT_ID = "-10"
SUBGRAPH_OUTPUT_ID = "-20"
MAX_DEPTH = 32


@dataclass(frozen=True)
class Link:
    """From an output slot to an input slot of the same scope; the ends are local node ids."""

    origin: str
    origin_slot: int
    target: str
    target_slot: int


@dataclass(frozen=True)
class Slot:
    """An input or output of a node. `widget` is the name of the widget behind an input, if there is one;
    `links`: for an input of a subgraph, the links inside from it."""

    name: str
    type: str
    link: int | None = None
    widget: str | None = None
    links: tuple[int, ...] = ()


@dataclass(eq=False)
class Node:
    """One node of the saved graph; `local_id` is unique within its scope, `id` within the whole workflow.
    `virtual`: it exists in the front end only (`virtual.mark_virtual`)."""

    id: str
    local_id: str
    type: str
    mode: int
    inputs: list[Slot]
    outputs: list[Slot]
    data: dict[str, Any]
    scope: Scope
    inner: Scope | None = None
    virtual: bool = False

    @property
    def runs(self) -> bool:
        """Whether the front end sends this node to the server."""
        return self.mode not in (MUTED, BYPASSED) and not self.virtual and self.inner is None


@dataclass(eq=False)
class Scope:
    """The root graph, or the inside of one subgraph instance."""

    nodes: dict[str, Node] = field(default_factory=dict)
    links: dict[int, Link] = field(default_factory=dict)
    instance: Node | None = None
    input_slots: list[Slot] = field(default_factory=list)
    output_slots: list[Slot] = field(default_factory=list)

    def walk(self) -> Iterator[Node]:
        """Every node of this scope and of the active subgraphs in it."""
        for node in self.nodes.values():
            yield node
            if node.inner is not None and node.mode not in (MUTED, BYPASSED):
                yield from node.inner.walk()


def read_graph(workflow: dict[str, Any]) -> Scope:
    """The saved workflow's root scope. Raises WorkflowError where the file breaks the format."""
    definitions = (workflow.get("definitions") or {}).get("subgraphs") or []
    subgraphs = {str(definition.get("id")): definition for definition in definitions}
    return _read_scope(workflow, subgraphs, None, 0)


def _read_scope(
    data: dict[str, Any], subgraphs: dict[str, dict[str, Any]], instance: Node | None, depth: int
) -> Scope:
    if depth > MAX_DEPTH:
        raise WorkflowError(
            f"the workflow nests subgraphs deeper than {MAX_DEPTH} levels: does one hold itself?"
        )
    scope = Scope(instance=instance)
    scope.links = _read_links(data.get("links") or [])
    for raw in data.get("nodes") or []:
        node = _read_node(raw, scope, instance)
        scope.nodes[node.local_id] = node
        if node.type in subgraphs:
            definition = subgraphs[node.type]
            node.inner = _read_scope(definition, subgraphs, node, depth + 1)
            node.inner.input_slots = [_read_slot(slot) for slot in definition.get("inputs") or []]
            node.inner.output_slots = [_read_slot(slot) for slot in definition.get("outputs") or []]
            node.inputs = ordered_slots([slot.name for slot in node.inner.input_slots], node.inputs)
        elif node.type.startswith(GROUP_PREFIXES):
            raise WorkflowError(
                f"node {node.id} is a group node of the old kind ({node.type!r}), which subgraphs replaced. "
                "Open the workflow in ComfyUI, convert the group node to a subgraph, and save it again."
            )
    return scope


def ordered_slots(names: list[str], slots: list[Slot], types: dict[str, str] | None = None) -> list[Slot]:
    """The slots in the order of the definition; those that the file left out are added without a link, those
    that the definition does not know stay at the end."""
    by_name = {slot.name: slot for slot in slots}
    defined = [by_name.get(name, Slot(name, (types or {}).get(name, "*"))) for name in names]
    return defined + [slot for slot in slots if slot.name not in set(names)]


def _read_node(raw: Any, scope: Scope, instance: Node | None) -> Node:
    if not isinstance(raw, dict) or "id" not in raw or not isinstance(raw.get("type"), str):
        raise WorkflowError(f"the workflow holds a node without an id and a type: {str(raw)[:80]}")
    local_id = str(raw["id"])
    return Node(
        id=f"{instance.id}:{local_id}" if instance else local_id,
        local_id=local_id,
        type=raw["type"],
        mode=int(raw.get("mode") or ACTIVE),
        inputs=[_read_slot(slot) for slot in raw.get("inputs") or []],
        outputs=[_read_slot(slot) for slot in raw.get("outputs") or []],
        data=raw,
        scope=scope,
    )


def _read_slot(raw: dict[str, Any]) -> Slot:
    kind = raw.get("type", "*")
    widget = raw.get("widget")
    return Slot(
        name=str(raw.get("name", "")),
        type=",".join(map(str, kind)) if isinstance(kind, list) else str(kind),
        link=raw.get("link"),
        widget=widget.get("name") if isinstance(widget, dict) else None,
        links=tuple(raw.get("linkIds") or ()),
    )


def _read_links(raw_links: list[Any]) -> dict[int, Link]:
    links: dict[int, Link] = {}
    for raw in raw_links:
        keys = ("id", "origin_id", "origin_slot", "target_id", "target_slot")
        parts: list[Any] = [raw.get(key) for key in keys] if isinstance(raw, dict) else list(raw or [])[:5]
        try:
            number, origin, origin_slot, target, target_slot = parts
            links[int(number)] = Link(str(origin), int(origin_slot), str(target), int(target_slot))
        except (TypeError, ValueError) as error:
            raise WorkflowError(f"the workflow holds a broken link: {str(raw)[:80]}") from error
    return links
