"""Every input of every node of the pack, as /object_info tells it, with values that it cannot take.

The server refuses the graph with a sentence that names the input; no Python error shows through.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.comfyui.driver import Comfy, Graph
from tests.comfyui.snapshot import SNAPSHOT

NODES = sorted(json.loads(SNAPSHOT.read_text()))
NUMBERS = ("INT", "FLOAT")
WIDGETS = (*NUMBERS, "COMBO", "STRING", "BOOLEAN")
DEEPEST = 6

Inputs = dict[str, tuple[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def info(probes: Comfy) -> dict[str, Any]:
    found: dict[str, Any] = probes.get("/object_info")
    return found


def inputs_of(info: dict[str, Any], node: str, group: str) -> Inputs:
    """Name -> kind and options; old nodes give a list of choices in the place of the kind."""
    found: Inputs = {}
    for name, (kind, *options) in info[node]["input"].get(group, {}).items():
        settings = options[0] if options else {}
        found[name] = ("COMBO", {**settings, "options": kind}) if isinstance(kind, list) else (kind, settings)
    return found


def good_value(kind: str, options: dict[str, Any]) -> Any:
    """What a widget holds when the node is new; LookupError for a list without entries."""
    if kind == "COMBO":
        return options.get("default", options["options"][0])
    return options.get("default", {"STRING": "", "BOOLEAN": False}.get(kind, options.get("min", 0)))


def is_socket(kind: str, options: dict[str, Any]) -> bool:
    return kind not in WIDGETS or bool(options.get("forceInput"))


def with_sources(info: dict[str, Any], node: str, depth: int = DEEPEST) -> Graph:
    """A graph that runs as far as the server can tell: the node, at "node", and what its sockets need.

    LookupError when nothing at hand gives one of its kinds.
    """
    graph: Graph = {"node": {"class_type": node, "inputs": {}}}
    for name, (kind, options) in inputs_of(info, node, "required").items():
        if not is_socket(kind, options):
            graph["node"]["inputs"][name] = good_value(kind, options)
            continue
        source, number = source_of(info, kind.split(",")[0], depth)
        graph |= {f"{name}/{key}": prefixed(entry, name) for key, entry in source.items()}
        graph["node"]["inputs"][name] = [f"{name}/node", number]
    return graph


def prefixed(entry: dict[str, Any], prefix: str) -> dict[str, Any]:
    inputs = {
        name: [f"{prefix}/{value[0]}", value[1]] if isinstance(value, list) else value
        for name, value in entry["inputs"].items()
    }
    return {**entry, "inputs": inputs}


def source_of(info: dict[str, Any], kind: str, depth: int) -> tuple[Graph, int]:
    """A graph whose "node" gives `kind`, and the number of that output; nodes of the pack come first, but
    those that are outputs themselves last: a prompt with another good output is not refused.
    """
    if depth == 0:
        raise LookupError(kind)
    givers = [name for name, node in info.items() if kind in node["output"]]

    def rank(name: str) -> tuple[bool, bool, int, str]:
        return info[name]["output_node"], name not in NODES, len(info[name]["input"]), name

    for name in sorted(givers, key=rank):
        try:
            return with_sources(info, name, depth - 1), info[name]["output"].index(kind)
        except LookupError:
            continue
    raise LookupError(f"no node gives {kind}")


def bad_values(kind: str, options: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    if kind in NUMBERS:
        yield "wrong type", "many"
        if "min" in options:
            yield "too small", options["min"] - 1
        if "max" in options:
            yield "too large", options["max"] + 1
    elif kind == "COMBO":
        yield "unknown entry", "no such entry"
        yield "wrong type", 7
    elif kind not in WIDGETS:
        yield "link of another kind", ["number", 0]


def cases(info: dict[str, Any], node: str) -> Iterator[tuple[str, str, Graph]]:
    """What is wrong, with which input, and the graph."""
    good = with_sources(info, node)
    if not info[node]["output_node"]:
        good["look"] = {"class_type": "ProbeLook", "inputs": {"value": ["node", 0]}}
    good["number"] = {"class_type": "PrimitiveInt", "inputs": {"value": 1}}
    assert "PrimitiveInt" in info

    def changed(**inputs: Any) -> Graph:
        entry = good["node"]
        return {**good, "node": {**entry, "inputs": {**entry["inputs"], **inputs}}}

    for group in ("required", "optional"):
        for name, (kind, options) in inputs_of(info, node, group).items():
            for what, value in bad_values(kind, options):
                yield what, name, changed(**{name: value})
            if group == "required":
                lacking = changed()
                del lacking["node"]["inputs"][name]
                yield "missing", name, lacking


@pytest.mark.parametrize("node", NODES)
def test_bad_values_are_refused_in_plain_words(probes: Comfy, info: dict[str, Any], node: str) -> None:
    tried = 0
    for what, name, graph in cases(info, node):
        status, answer = probes.post("/prompt", {"prompt": graph})
        where = f"{node}.{name}, {what}: {json.dumps(answer)[:1500]}"
        assert status == 400, where
        faults = answer["node_errors"]["node"]["errors"]
        text = " ".join(f"{fault['message']}: {fault['details']}" for fault in faults)
        assert name in text, where
        assert "Traceback" not in json.dumps(answer), where
        assert "xception" not in text, where
        tried += 1
    assert tried >= len(info[node]["input"].get("required", {}))


def test_the_graphs_are_sound_but_for_the_one_value(info: dict[str, Any]) -> None:
    """Each node is reached with all that it needs; so what the server finds is what was changed."""
    for node in NODES:
        graph = with_sources(info, node)
        for entry in graph.values():
            required = inputs_of(info, entry["class_type"], "required")
            assert set(required) == set(entry["inputs"])
