"""Promoted widgets: those of a subgraph instance that stand for widgets inside it, and their values.

Front ends up to 1.45 list them in the property `proxyWidgets`: ["-1", input of the subgraph] has its
value on the instance, [node inside, widget] inside. From 1.46 on there is a value for every input of the
subgraph that feeds a widget, in the order of the instance's inputs, and newer ones add the names. The
workflow in a picture or video lacks the sockets of widgets: then the order is that of the definition.
Source: `SubgraphNode` and `proxyWidgetMigration` of ComfyUI_frontend 1.32 to 1.58.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .graph import SUBGRAPH_INPUT_ID, Node, Slot
from .links import Constant
from .saved_values import named_values


class Promoted:
    """Widget values of all subgraph instances of a workflow. `by_node`: widget values of the other nodes, in
    which the values that an instance holds for them are set."""

    def __init__(self, nodes: list[Node], by_node: dict[Node, dict[str, Any]]) -> None:
        self.by_node = by_node
        instances = [node for node in nodes if node.inner is not None]
        self.by_instance: dict[Node, dict[str, Any]] = {}
        for node in reversed(instances):  # inner ones first: outer instances take precedence
            self.by_instance[node] = self._values(node)
            for (inside, name), value in _proxies(node):
                if inside != "-1" and value is not None:
                    self._set_inner(node, inside, name, value)

    def value(self, instance: Node, slot: Slot) -> Constant | None:
        """The instance's value of one of its inputs: its own, else that of the widget inside."""
        value = self.by_instance[instance].get(slot.name)
        if value is not None:
            return Constant(value)
        return next(self._inside(instance, slot.name), None)

    def _values(self, instance: Node) -> dict[str, Any]:
        named = named_values(instance.data)
        if named is not None:
            return dict(named)
        proxies = list(_proxies(instance))
        if proxies:
            values = {name: value for (inside, name), value in proxies if inside == "-1"}
        else:
            saved = list(instance.data.get("widgets_values") or [])
            values = dict(zip(self._names(instance), saved, strict=False))
        for entry in reversed(_properties(instance).get("proxyWidgetErrorQuarantine") or []):
            inside, name = entry["originalEntry"][:2]
            if inside == "-1" and "hostValue" in entry:
                values[name] = entry["hostValue"]
        return values

    def _names(self, instance: Node) -> list[str]:
        """The inputs that have a widget, in the order of their values."""
        assert instance.inner is not None
        raw = {str(slot.get("name")): bool(slot.get("widget")) for slot in instance.data.get("inputs") or []}
        names = [slot.name for slot in instance.inner.input_slots]
        order = [name for name in raw if name in names] if set(names) <= raw.keys() else names
        return [name for name in order if raw.get(name) or any(True for _ in self._inside(instance, name))]

    def _inside(self, instance: Node, name: str) -> Iterator[Constant]:
        """The values of the widgets that an input of the subgraph feeds, in the order of the links."""
        for node, slot in _inner_inputs(instance, name):
            if node.inner is not None:
                own = self.by_instance.get(node, {}).get(slot.name)
                if own is not None:
                    yield Constant(own)
                else:
                    yield from self._inside(node, slot.name)
            elif (slot.widget or slot.name) in self.by_node.get(node, {}):
                yield Constant(self.by_node[node][slot.widget or slot.name])

    def _set_inner(self, instance: Node, inside: str, name: str, value: Any) -> None:
        assert instance.inner is not None
        node = instance.inner.nodes.get(inside)
        if node is None:
            return
        for slot in instance.inner.input_slots:
            if any(
                inner is node and name in (target.widget, target.name)
                for inner, target in _inner_inputs(instance, slot.name)
            ):
                self.by_instance[instance][slot.name] = value
                return
        values = self.by_instance if node.inner is not None else self.by_node
        if name in values.get(node, {}):
            values[node][name] = value


def _inner_inputs(instance: Node, name: str) -> list[tuple[Node, Slot]]:
    """The inputs inside that the subgraph's input of this name feeds."""
    assert instance.inner is not None
    scope = instance.inner
    index = next((index for index, slot in enumerate(scope.input_slots) if slot.name == name), None)
    if index is None:
        return []  # an input that the subgraph had when the file was saved
    numbers = {
        number: link
        for number, link in scope.links.items()
        if link.origin == SUBGRAPH_INPUT_ID and link.origin_slot == index
    }
    order = [*(number for number in scope.input_slots[index].links if number in numbers), *numbers]
    found = [
        (number, node, slot)
        for number in dict.fromkeys(order)
        if (node := scope.nodes.get(numbers[number].target)) is not None
        for slot in node.inputs
        if slot.link == number
    ]
    return [(node, slot) for _, node, slot in found]


def _proxies(instance: Node) -> Iterator[tuple[tuple[str, str], Any]]:
    """((node inside or "-1", name), value or None) of what `proxyWidgets` lists."""
    proxies = _properties(instance).get("proxyWidgets")
    saved = instance.data.get("widgets_values")
    values = list(saved) if isinstance(saved, list) else []
    for index, proxy in enumerate(proxies if isinstance(proxies, list) else []):
        yield (str(proxy[0]), str(proxy[1])), values[index] if index < len(values) else None


def _properties(instance: Node) -> dict[str, Any]:
    return instance.data.get("properties") or {}
