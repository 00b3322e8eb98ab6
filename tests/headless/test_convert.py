"""Conversion of saved workflows, against the real front end's own exports.

data/NAME.ui.json is what ComfyUI_frontend 1.32.9 saved, data/NAME.api.json what it exported after loading
that file, data/object_info.json the answer of ComfyUI 0.3.75. Made again with
`python -m scripts.frontend --build tests/headless/data/NAME.js --save NAME.ui.json --api NAME.api.json`.
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
from a2v_core.headless.convert import to_api
from a2v_core.headless.text import choose_dynamic, format_date
from a2v_core.headless.widgets import input_specs

DATA = Path(__file__).parent / "data"


def load(name: str) -> Any:
    return json.loads((DATA / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def object_info() -> dict[str, Any]:
    info: dict[str, Any] = load("object_info.json")
    return info


def known_inputs(prompt: dict[str, Any], object_info: dict[str, Any]) -> dict[str, Any]:
    """Without what the front end adds for itself and the server does not know (the audio player's widget)."""
    return {
        number: {
            **node,
            "inputs": {
                name: value
                for name, value in node["inputs"].items()
                if name in input_specs(object_info[node["class_type"]])
            },
        }
        for number, node in prompt.items()
    }


@pytest.mark.parametrize("name", ["plain", "modes", "virtual", "subgraphs"])
def test_equals_the_front_ends_export(name: str, object_info: dict[str, Any]) -> None:
    expected = known_inputs(load(f"{name}.api.json"), object_info)
    # This front end also exports what is inside a bypassed subgraph, though nothing hangs on it: we do not.
    expected.pop("13:3", None)
    assert to_api(load(f"{name}.ui.json"), object_info) == expected


def test_version_1_links_are_objects(object_info: dict[str, Any]) -> None:
    workflow = load("modes.ui.json")
    keys = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
    workflow["links"] = [dict(zip(keys, link, strict=True)) for link in workflow["links"]]
    assert to_api(workflow, object_info) == to_api(load("modes.ui.json"), object_info)


def test_compressed_widget_slots(object_info: dict[str, Any]) -> None:
    """Older files leave out the sockets of widgets that nothing is linked to."""
    workflow = load("plain.ui.json")
    for node in workflow["nodes"]:
        node["inputs"] = [slot for slot in node["inputs"] if slot["link"] is not None or "widget" not in slot]
    assert to_api(workflow, object_info) == to_api(load("plain.ui.json"), object_info)


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
