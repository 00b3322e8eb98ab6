"""Conversion of saved workflows, against the real front end's own exports.

data/NAME.ui.json is what ComfyUI_frontend 1.32.9 saved, data/NAME.api.json what it exported after loading
that file; the same of 1.58.1 is in data/newest, of 1.47.12 (no values by name yet) in data/1.47.
data/object_info.json is the answer of ComfyUI 0.3.75. Made again with `python -m tests.headless.recording`.
"""

from __future__ import annotations

import copy
import json
import random
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from a2v_core.errors import WorkflowError
from a2v_core.headless.workflow.convert import to_api
from a2v_core.headless.workflow.text import choose_dynamic, format_date

DATA = Path(__file__).parents[1] / "data"


def load(name: str) -> Any:
    return json.loads((DATA / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def object_info() -> dict[str, Any]:
    info: dict[str, Any] = load("object_info.json")
    return info


def inputs_of(prompt: dict[str, Any]) -> dict[str, Any]:
    """Types and inputs, without the titles: newer front ends translate those that nobody changed."""
    return {number: {"type": node["class_type"], **node["inputs"]} for number, node in prompt.items()}


def compressed(workflow: dict[str, Any]) -> dict[str, Any]:
    """As the front end writes it into pictures and videos: without sockets of widgets without a link."""
    workflow = copy.deepcopy(workflow)
    graphs = [workflow, *(workflow.get("definitions") or {}).get("subgraphs", [])]
    for node in (node for graph in graphs for node in graph["nodes"]):
        slots = node.get("inputs") or []
        node["inputs"] = [
            slot
            for slot in slots
            if not (slot.get("widget") and slot["link"] is None and not slot.get("label"))
        ]
    return workflow


RECORDED = [
    *((".", name) for name in ("plain", "modes", "virtual", "subgraphs", "promoted")),
    *(
        ("newest", name)
        for name in ("plain", "modes", "virtual", "subgraphs", "promoted", "names", "scripted")
    ),
    *(("1.47", name) for name in ("subgraphs", "promoted")),
]


@pytest.mark.parametrize(("folder", "name"), RECORDED)
def test_equals_the_front_ends_export(folder: str, name: str, object_info: dict[str, Any]) -> None:
    expected = inputs_of(load(f"{folder}/{name}.api.json"))
    for node in expected.values():
        # An audio player of front ends up to 1.32, which the server does not know.
        node.pop("audioUI", None)
    if (folder, name) == (".", "subgraphs"):
        # This front end also exports what is inside a bypassed subgraph, though nothing hangs on it.
        del expected["13:3"]
    workflow = load(f"{folder}/{name}.ui.json")
    assert inputs_of(to_api(workflow, object_info)) == expected
    assert inputs_of(to_api(compressed(workflow), object_info)) == expected


@pytest.mark.parametrize("name", ["plain", "modes", "virtual", "subgraphs", "promoted"])
def test_titles_are_those_of_the_pinned_front_end(name: str, object_info: dict[str, Any]) -> None:
    expected = load(f"{name}.api.json")
    prompt = to_api(load(f"{name}.ui.json"), object_info)
    assert {number: node["_meta"] for number, node in prompt.items()} == {
        number: expected[number]["_meta"] for number in prompt
    }


def test_names_that_only_newer_front_ends_follow(object_info: dict[str, Any]) -> None:
    """From a Get in a subgraph to a Set outside: KJNodes patches front ends that cannot."""
    expected = inputs_of(load("names.api.json"))
    expected["30:23"]["image"], expected["30:28"]["width"] = ["1", 0], ["16", 0]
    assert inputs_of(to_api(load("names.ui.json"), object_info)) == expected


def test_widgets_of_scripts_that_an_older_file_does_not_name(object_info: dict[str, Any]) -> None:
    """`shade` is in the definition as the script changed it and so among the sockets; `grain` is nowhere."""
    expected = inputs_of(load("scripted.api.json"))
    for node in expected.values():
        node.pop("grain", None)
    assert inputs_of(to_api(load("scripted.ui.json"), object_info)) == expected


def test_values_of_instances_for_widgets_inside(object_info: dict[str, Any]) -> None:
    """A file of older front ends, in which `proxyWidgets` names nodes inside, with values on the instance."""
    expected = inputs_of(load("newest/proxies.api.json"))
    assert inputs_of(to_api(load("proxies.ui.json"), object_info)) == expected


def test_version_1_links_are_objects(object_info: dict[str, Any]) -> None:
    workflow = load("modes.ui.json")
    keys = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
    workflow["links"] = [dict(zip(keys, link, strict=True)) for link in workflow["links"]]
    assert to_api(workflow, object_info) == to_api(load("modes.ui.json"), object_info)


def test_widgets_that_the_file_is_too_old_for_get_defaults(object_info: dict[str, Any]) -> None:
    workflow = load("plain.ui.json")
    sampler = next(node for node in workflow["nodes"] if node["type"] == "KSampler")
    sampler["widgets_values"] = sampler["widgets_values"][:3]
    inputs = to_api(workflow, object_info)[str(sampler["id"])]["inputs"]
    assert (inputs["seed"], inputs["steps"]) == (123456789012345, 7)
    assert (inputs["cfg"], inputs["denoise"]) == (8.0, 1.0)


def test_widget_values_by_name(object_info: dict[str, Any]) -> None:
    workflow = load("virtual.ui.json")
    scale = next(node for node in workflow["nodes"] if node["type"] == "ImageScale")
    scale["widgets_values"] = {"width": 3, "height": 4}
    inputs = to_api(workflow, object_info)[str(scale["id"])]["inputs"]
    assert (inputs["width"], inputs["height"], inputs["crop"]) == (3, 4, "disabled")


def test_a_dynamic_combo_brings_its_own_widgets(object_info: dict[str, Any]) -> None:
    """Newer servers: the chosen option decides which widgets follow it."""
    info = copy.deepcopy(object_info)
    choice = {
        "options": [
            {"key": "auto", "inputs": {"required": {}}},
            {"key": "mp4", "inputs": {"required": {"codec": ["COMBO", {"options": ["h264", "av1"]}]}}},
        ]
    }
    info["SaveVideo"]["input"]["required"]["format"] = ["COMFY_DYNAMICCOMBO_V3", choice]
    info["SaveVideo"]["input"]["required"]["last"] = ["INT", {"default": 5}]
    del info["SaveVideo"]["input"]["required"]["codec"]
    info["SaveVideo"]["input_order"]["required"] = ["video", "filename_prefix", "format", "last"]
    workflow = load("plain.ui.json")
    save = next(node for node in workflow["nodes"] if node["type"] == "SaveVideo")
    save["inputs"] = [slot for slot in save["inputs"] if slot["name"] == "video"]

    save["widgets_values"] = ["clip", "mp4", "av1", 9]
    inputs = to_api(workflow, info)[str(save["id"])]["inputs"]
    assert {name: inputs[name] for name in ("format", "format.codec", "last")} == {
        "format": "mp4",
        "format.codec": "av1",
        "last": 9,
    }
    save["widgets_values"] = ["clip", "auto", 9]
    inputs = to_api(workflow, info)[str(save["id"])]["inputs"]
    assert inputs["last"] == 9
    assert "format.codec" not in inputs


def test_list_values_are_wrapped(object_info: dict[str, Any]) -> None:
    workflow = load("virtual.ui.json")
    scale = next(node for node in workflow["nodes"] if node["type"] == "ImageScale")
    scale["widgets_values"][0] = ["bicubic", "area"]
    # Its choice is fed by a primitive; without that link the node's own value counts.
    next(slot for slot in scale["inputs"] if slot["name"] == "upscale_method")["link"] = None
    inputs = to_api(workflow, object_info)[str(scale["id"])]["inputs"]
    assert inputs["upscale_method"] == {"__value__": ["bicubic", "area"]}


def test_unknown_nodes_are_all_named(object_info: dict[str, Any]) -> None:
    workflow = load("plain.ui.json")
    workflow["nodes"][0]["type"] = "NoSuchNode"
    workflow["nodes"][0]["properties"] = {"cnr_id": "no-such-pack"}
    workflow["nodes"][1]["type"] = "AlsoMissing"
    muted = next(node for node in workflow["nodes"] if node["type"] == "LoadImage")
    muted.update(type="MissingButMuted", mode=2)
    with pytest.raises(WorkflowError) as caught:
        to_api(workflow, object_info)
    message = str(caught.value)
    assert "NoSuchNode (node " in message
    assert "from the pack 'no-such-pack'" in message
    assert "AlsoMissing" in message
    assert "MissingButMuted" not in message


def test_old_group_nodes_are_refused(object_info: dict[str, Any]) -> None:
    workflow = load("plain.ui.json")
    workflow["nodes"][0]["type"] = "workflow>my group"
    with pytest.raises(WorkflowError, match="convert the group node to a subgraph"):
        to_api(workflow, object_info)


def test_links_in_a_circle_are_refused(object_info: dict[str, Any]) -> None:
    workflow = load("virtual.ui.json")
    reroutes = [node for node in workflow["nodes"] if node["type"] == "Reroute"]
    one, two = reroutes[0], reroutes[1]
    one["inputs"][0]["link"] = 9001
    workflow["links"].append([9001, two["id"], 0, one["id"], 0, "IMAGE"])
    with pytest.raises(WorkflowError, match="circle"):
        to_api(workflow, object_info)


def test_a_link_that_is_not_there_counts_as_unconnected(object_info: dict[str, Any]) -> None:
    workflow = load("virtual.ui.json")
    save = next(node for node in workflow["nodes"] if node["type"] == "SaveImage")
    save["inputs"][0]["link"] = 777
    assert "images" not in to_api(workflow, object_info)[str(save["id"])]["inputs"]


@pytest.mark.parametrize("links", [[[1, 2]], [None], [["x", 1, 0, 2, 0, "IMAGE"]], [{"id": 1}]])
def test_broken_links_are_named(links: list[Any], object_info: dict[str, Any]) -> None:
    with pytest.raises(WorkflowError, match="broken link"):
        to_api({"nodes": [], "links": links}, object_info)


def test_dynamic_prompts() -> None:
    rng = random.Random(0)
    seen = {choose_dynamic("{a|b|{c|d}} ball", rng) for _ in range(100)}
    assert seen == {"a ball", "b ball", "c ball", "d ball"}
    assert choose_dynamic(r"\{kept\|as\} is // not this", rng) == "{kept|as} is "
    assert choose_dynamic("open {one", rng) == "open one"


def test_file_name_patterns(object_info: dict[str, Any]) -> None:
    now = datetime(2026, 3, 7, 5, 4, 9)
    assert format_date("yyyy-MM-dd hh:mm:ss", now) == "2026-03-07 05:04:09"
    assert format_date("yy-M-d h:m:s", now) == "26-3-7 5:4:9"
    workflow = load("plain.ui.json")
    save = next(node for node in workflow["nodes"] if node["type"] == "SaveImage")
    save["widgets_values"][0] = "%date:yyyyMMdd%/%KSampler.scheduler%_%Nobody.seed%_%height%"
    inputs = to_api(workflow, object_info, now=now)[str(save["id"])]["inputs"]
    assert inputs["filename_prefix"] == "20260307/simple_%Nobody.seed%_%height%"
