"""Widget values of a saved node, by name.

A saved workflow holds the values of a node's widgets as a bare list, in the order in which the front end made
the widgets: the inputs that have a widget, in the order of the node's definition on the server, some of them
followed by helpers of the front end's own (the "control after generate" of a seed). So the list can only be
read next to `GET /object_info`. Newer front ends also save the values by name, some packs only by name.
Source: `LGraphNode.configure` and `serialize` of ComfyUI_frontend 1.32 and 1.58; `VHS.core.js` of
ComfyUI-VideoHelperSuite.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from typing import Any

from .graph import Node
from .widgets import (
    DYNAMIC_COMBO,
    NEWER_WIDGET_TYPES,
    Spec,
    chosen_inputs,
    default_of,
    helper_slots,
    input_specs,
    is_widget,
    options,
    type_of,
)

_HELPERS = re.compile(
    r"(.* )?(control_after_generate|control_filter_list)|upload|choose .* to upload"
    r"|audioUI|videopreview|\$\$.*"
)


def first_value(data: dict[str, Any]) -> Any:
    """The value of a saved node's first widget, as nodes of the front end's own have one; None without."""
    saved = data.get("widgets_values") or data.get("widgets_values_named") or []
    return next(iter(saved.values() if isinstance(saved, dict) else saved), None)


def named_values(data: dict[str, Any]) -> dict[str, Any] | None:
    """The widget values that the file holds by name, if they are what the front end reads; else None.

    A node may have the bare list as well. Where the two differ the list was edited, and the front end reads
    the list.
    """
    saved, named = data.get("widgets_values"), data.get("widgets_values_named")
    if isinstance(saved, dict):
        return saved
    if not isinstance(named, dict) or (saved and not all(value in saved for value in named.values())):
        return None
    return named


def widget_values(node: Node, definition: dict[str, Any]) -> dict[str, Any]:
    """The node's widget values by input name, defaults for widgets newer than the file, and the values of
    widgets that a script added, where the file names them."""
    specs = input_specs(definition)
    named = named_values(node.data)
    widgets = _widget_specs(node, specs, named or {})
    if named is not None:
        return _by_name(named, specs, widgets)
    saved = _without_dummies(specs, widgets, list(node.data.get("widgets_values") or []))
    return _by_position(node, saved, widgets)


def _widget_specs(node: Node, specs: dict[str, Spec], named: Container[str]) -> dict[str, Spec]:
    """Those inputs of the definition that have a widget in this file."""
    listed = _listed_widgets(node)
    sockets = {str(slot.get("name")) for slot in node.data.get("inputs") or []} - listed.keys()

    def has_widget(name: str, spec: Spec) -> bool:
        newer = type_of(spec) in NEWER_WIDGET_TYPES and not options(spec).get("forceInput")
        return name in listed or is_widget(spec) or (name not in sockets and (newer or name in named))

    return {name: spec for name, spec in specs.items() if has_widget(name, spec)}


def _by_name(saved: dict[str, Any], specs: dict[str, Spec], widgets: dict[str, Spec]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    pending = dict(widgets)
    while pending:
        name = next(iter(pending))
        spec = pending.pop(name)
        values[name] = saved.get(name, default_of(spec))
        if type_of(spec) == DYNAMIC_COMBO:
            inner = chosen_inputs(spec, values[name]).items()
            pending.update({f"{name}.{key}": sub for key, sub in inner if is_widget(sub)})
    scripted = {name: value for name, value in saved.items() if name not in specs and name not in values}
    return values | {name: value for name, value in scripted.items() if _is_sent(name, value)}


def _by_position(node: Node, saved: list[Any], widgets: dict[str, Spec]) -> dict[str, Any]:
    queue = iter(saved)
    values = dict(_assign(widgets, queue))
    if not list(queue):
        return values
    # More values than the definition has widgets: a script added some; newer files say which and where.
    scripted = _with_scripted(_listed_widgets(node), widgets)
    added = scripted.keys() - widgets.keys()
    values = dict(_assign(scripted, iter(saved)))
    return {
        name: value
        for name, value in values.items()
        if name not in added or (_is_sent(name, value) and not type_of(scripted[name]).endswith("UPLOAD"))
    }


def _with_scripted(listed: dict[str, str], widgets: dict[str, Spec]) -> dict[str, Spec]:
    """`widgets` and those that a script added, in the order of the file; `widgets` alone where the file does
    not list every widget."""
    if not widgets.keys() <= listed.keys():
        return widgets
    order, index = list(widgets), 0
    for name in listed:
        if name not in widgets:
            order.insert(index, name)
        index = order.index(name) + 1
    return {name: widgets.get(name) or [listed[name], {}] for name in order}


def _listed_widgets(node: Node) -> dict[str, str]:
    """Name and type of the inputs with a widget, in the order of the file."""
    slots = [slot for slot in node.data.get("inputs") or [] if slot.get("widget")]
    return {str(slot.get("name", "")): str(slot.get("type", "*")) for slot in slots}


def _is_sent(name: str, value: Any) -> bool:
    """False for helper widgets of scripts and of the front end: buttons, players, previews, the control after
    generate of a seed. Their widgets have `options.serialize` false, which no file holds."""
    return value is not None and not _HELPERS.fullmatch(name)


def _assign(widgets: dict[str, Spec], queue: Iterator[Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Assign the saved values in order, skipping those of the front end's helper widgets."""
    for name, spec in widgets.items():
        value = next(queue, default_of(spec))
        yield prefix + name, value
        for _ in range(helper_slots(name, spec)):
            next(queue, None)
        if type_of(spec) == DYNAMIC_COMBO:
            inner = {key: sub for key, sub in chosen_inputs(spec, value).items() if is_widget(sub)}
            yield from _assign(inner, queue, f"{prefix}{name}.")


def _without_dummies(specs: dict[str, Spec], widgets: dict[str, Spec], saved: list[Any]) -> list[Any]:
    """Front ends before 1.16 also saved a value for inputs that are sockets only (`forceInput`): drop those.

    Source: `migrateWidgetsValues`, including its way of telling such a list by its length.
    """
    forced = {name for name, spec in specs.items() if options(spec).get("forceInput")}
    originals = [name for name in specs if name in widgets or name in forced]
    slots = sum(1 + int(bool(helper_slots(name, specs[name]))) for name in originals)
    if not forced or slots != len(saved):
        return saved
    names = originals + [""] * (len(saved) - len(originals))
    return [value for name, value in zip(names, saved, strict=True) if name not in forced]
