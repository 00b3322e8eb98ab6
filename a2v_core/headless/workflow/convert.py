"""A saved workflow (UI format) -> what `POST /prompt` takes (API format).

The same steps as the front end's own export: widget values by name or position, links followed to the node
that makes the value, muted and virtual nodes left out together with the links to them.
Source: `graphToPrompt` of ComfyUI_frontend 1.58; tests/headless compares with exports of this and of 1.32.
"""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any

from ...errors import WorkflowError
from .graph import Node, read_graph
from .links import Constant, resolve_input
from .values import ObjectInfo, Texts, Values, title_of
from .virtual import mark_virtual
from .widgets import CURVE, Spec, input_specs, type_of

ApiPrompt = dict[str, dict[str, Any]]
"""Execution id -> {"class_type", "inputs", "_meta": {"title"}}."""


def to_api(
    workflow: dict[str, Any],
    object_info: ObjectInfo,
    *,
    rng: random.Random | None = None,
    now: datetime | None = None,
) -> ApiPrompt:
    """Convert a saved workflow.

    `object_info` is the server's answer for every node type. `rng` chooses among {a|b} in prompts, `now`
    fills %date:...% in file names. Raises WorkflowError: unknown node types (all of them in one message),
    group nodes of the old kind, circular links, a broken file.
    """
    nodes = list(read_graph(workflow).walk())
    mark_virtual(nodes, object_info)
    _check_types(nodes, object_info)
    values = Values(nodes, object_info)
    texts = Texts(nodes, values, object_info, rng or random.Random(), now or datetime.now())

    prompt: ApiPrompt = {}
    for node in nodes:
        if not node.runs:
            continue
        specs = input_specs(object_info[node.type])
        inputs = {name: _wrap(value, specs.get(name)) for name, value in texts.serialised(node).items()}
        for index, slot in enumerate(node.inputs):
            found = resolve_input(node, index, values.promoted.value)
            if isinstance(found, Constant):
                inputs[slot.name] = _wrap(found.value)
            elif found is not None:
                inputs[slot.name] = [found.node.id, found.slot]
        prompt[node.id] = {
            "class_type": node.type,
            "inputs": inputs,
            "_meta": {"title": title_of(node, object_info)},
        }
    return _without_dead_links(prompt)


def _check_types(nodes: list[Node], object_info: ObjectInfo) -> None:
    unknown: dict[str, list[Node]] = {}
    for node in nodes:
        if node.runs and node.type not in object_info:
            unknown.setdefault(node.type, []).append(node)
    if unknown:
        lines = [
            f"  {kind} (node {', '.join(n.id for n in found)}){_pack_of(found[0])}"
            for kind, found in unknown.items()
        ]
        raise WorkflowError(
            "the server does not know these node types:\n"
            + "\n".join(lines)
            + "\nInstall the packs that bring them (ComfyUI Manager: Install Missing Custom Nodes), restart "
            "the server, and look in its log for packs that failed to import."
        )


def _pack_of(node: Node) -> str:
    properties = node.data.get("properties") or {}
    pack = properties.get("cnr_id") or properties.get("aux_id")
    return f", from the pack {pack!r}" if pack else ""


def _without_dead_links(prompt: ApiPrompt) -> ApiPrompt:
    """Drop links to nodes that are not in the prompt."""

    def is_valid(value: Any) -> bool:
        return not (isinstance(value, list) and len(value) == 2 and value[0] not in prompt)

    return {
        number: {**node, "inputs": {name: value for name, value in node["inputs"].items() if is_valid(value)}}
        for number, node in prompt.items()
    }


def _wrap(value: Any, spec: Spec | None = None) -> Any:
    """A bare list would read as a link, so the API wraps it; a curve is always wrapped, with its type."""
    if spec and type_of(spec) == CURVE and value is not None:
        return {"__type__": CURVE, "__value__": value}
    return {"__value__": value} if isinstance(value, list) else value
