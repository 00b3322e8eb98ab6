"""Virtual nodes, which exist in the front end only: notes, reroutes, Set and Get, switches of packs.

The front end follows a link through such a node to the input with the index of the output; a Get node has no
input and continues at the Set node of its name. Source: `ExecutableNodeDTO.resolveOutput` of ComfyUI_frontend
1.58; `setgetnodes.js` of ComfyUI-KJNodes, `getset.js` of ComfyUI-Easy-Use, `constants.ts` of rgthree-comfy.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from typing import NamedTuple

from ...errors import WorkflowError
from .graph import CORE_VIRTUAL_TYPES, Node, Scope
from .saved_values import first_value


class Setter(NamedTuple):
    """The type of the Set nodes of a kind of Get node, and whether they may be in a graph around the subgraph
    of the Get node."""

    type: str
    around: bool


SETTERS = {"GetNode": Setter("SetNode", True), "easy getNode": Setter("easy setNode", False)}
PACK_VIRTUAL_TYPES = frozenset(
    {*SETTERS, *(setter.type for setter in SETTERS.values())}
    | {
        f"{name} (rgthree)"
        for name in (
            *("Reroute", "Bookmark", "Label", "Node Collector", "Node Combiner", "Random Unmuter"),
            *("Fast Muter", "Fast Bypasser", "Fast Groups Muter", "Fast Groups Bypasser", "Fast Node Muter"),
            *("Fast Actions Button", "Mute / Bypass Relay", "Mute / Bypass Repeater", "Power Conductor"),
        )
    }
)


def mark_virtual(nodes: Iterable[Node], server_types: Container[str]) -> None:
    """Mark nodes that the front end does not send: the types above, and nodes without sockets of a type that
    the server does not know (bookmarks, labels, panels)."""
    for node in nodes:
        if node.type in CORE_VIRTUAL_TYPES:
            node.virtual = True
        elif node.type not in server_types and node.inner is None:
            node.virtual = node.type in PACK_VIRTUAL_TYPES or not (node.inputs or node.outputs)


def setter_of(getter: Node) -> Node:
    """The Set node of a Get node. Raises WorkflowError if there is none, or several of that name around the
    subgraph; within one graph the first counts, as in the front end."""
    kind, name = SETTERS[getter.type], first_value(getter.data)
    scopes = list(_outwards(getter.scope)) if kind.around else [getter.scope]
    here, *around = [
        [node for node in _setters(scope, kind) if first_value(node.data) == name] for scope in scopes
    ]
    if here:
        return here[0]
    found = [node for nodes in around for node in nodes]
    if len(found) == 1:
        return found[0]
    what = f"node {getter.id} ({getter.type}) asks for {name!r}"
    if found:
        ids = ", ".join(node.id for node in found)
        raise WorkflowError(
            f"{what}, and several {kind.type} nodes around it have that name ({ids}): rename one"
        )
    names = sorted({str(first_value(node.data)) for scope in scopes for node in _setters(scope, kind)})
    raise WorkflowError(
        f"{what}, but no {kind.type} of that name stands in its graph{' or around it' * kind.around} "
        f"(there: {', '.join(names) or 'none'}). Choose the name again in ComfyUI, or link the nodes."
    )


def _setters(scope: Scope, kind: Setter) -> Iterator[Node]:
    return (node for node in scope.nodes.values() if node.type == kind.type)


def _outwards(scope: Scope) -> Iterator[Scope]:
    yield scope
    while scope.instance is not None:
        scope = scope.instance.scope
        yield scope
