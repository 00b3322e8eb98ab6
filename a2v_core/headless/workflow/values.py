"""Widget values of all nodes of a workflow, before and after text substitution."""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any

from .graph import Node, Scope, Slot
from .promoted import Promoted
from .saved_values import first_value, widget_values
from .text import SAVE_NODE_TYPES, choose_dynamic, replace_patterns
from .widgets import definition_slots, dynamic_specs, input_specs, options

ObjectInfo = dict[str, dict[str, Any]]
"""`GET /object_info`: class type -> definition."""


def title_of(node: Node, object_info: ObjectInfo) -> str:
    """The displayed title of a node: its own, else the type's display name."""
    definition = object_info.get(node.type) or {}
    return str(node.data.get("title") or definition.get("display_name") or node.type)


class Values:
    """Widget values of every node, with the values of primitive nodes copied to their targets."""

    def __init__(self, nodes: list[Node], object_info: ObjectInfo) -> None:
        self.by_node: dict[Node, dict[str, Any]] = {}
        for node in nodes:
            definition = object_info.get(node.type)
            if definition is not None:
                node.inputs = definition_slots(node, definition)
                self.by_node[node] = widget_values(node, definition)
            elif node.type == "PrimitiveNode":
                self.by_node[node] = {"value": first_value(node.data)}
        for node in nodes:
            for slot in node.inputs:
                origin = _origin_of(node.scope, slot)
                if origin is not None and origin.type == "PrimitiveNode":
                    self._copy_primitive(origin, node, slot)
        self.promoted = Promoted(nodes, self.by_node)

    def _copy_primitive(self, primitive: Node, node: Node, slot: Slot) -> None:
        value = self.by_node[primitive]["value"]
        target = self.by_node.get(node, {})
        name = slot.widget or slot.name
        if value is not None and name in target:
            target[name] = value


class Texts:
    """Text substitution before sending: dynamic prompts and patterns in file names."""

    def __init__(
        self, nodes: list[Node], values: Values, object_info: ObjectInfo, rng: random.Random, now: datetime
    ) -> None:
        self.nodes, self.values, self.object_info, self.rng, self.now = nodes, values, object_info, rng, now

    def serialised(self, node: Node) -> dict[str, Any]:
        """The node's widget values as the server gets them."""
        values = dict(self.values.by_node.get(node, {}))
        specs = dynamic_specs(input_specs(self.object_info[node.type]), values)
        for name, value in values.items():
            if not isinstance(value, str):
                continue
            if options(specs.get(name, [])).get("dynamicPrompts"):
                values[name] = choose_dynamic(value, self.rng)
            elif name == "filename_prefix" and node.type in SAVE_NODE_TYPES:
                values[name] = replace_patterns(value, self._look_up, self.now)
        return values

    def _look_up(self, node_name: str, widget: str) -> object:
        def alias(node: Node) -> object:
            return (node.data.get("properties") or {}).get("Node name for S&R")

        named = [node for node in self.nodes if alias(node) == node_name]
        named = named or [node for node in self.nodes if title_of(node, self.object_info) == node_name]
        return self.values.by_node.get(named[0], {}).get(widget) if named else None


def _origin_of(scope: Scope, slot: Slot) -> Node | None:
    link = scope.links.get(slot.link) if slot.link is not None else None
    return scope.nodes.get(link.origin) if link else None
