"""The blueprints of subgraphs/, which ComfyUI offers among its nodes: as the front end has published them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from a2v_core.headless import to_api
from tests.comfyui.driver import Comfy

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "subgraphs"
FILES = sorted(FOLDER.glob("*.json"))


@pytest.fixture(scope="module")
def offered(comfy: Comfy) -> dict[str, Any]:
    """Name -> what the server has of the pack's blueprints."""
    entries = comfy.get("/global_subgraphs").items()
    ours = {key: one for key, one in entries if one["info"]["node_pack"] == "custom_nodes.audio-to-video"}
    return {one["name"]: comfy.get(f"/global_subgraphs/{key}") for key, one in ours.items()}


def test_comfyui_offers_each_of_them(offered: dict[str, Any]) -> None:
    assert {path.stem for path in FILES} == set(offered) != set()
    for path in FILES:
        assert json.loads(offered[path.stem]["data"]) == json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_its_nodes_are_there_and_their_values_fit(comfy: Comfy, path: Path) -> None:
    info = comfy.get("/object_info")
    saved = json.loads(path.read_text(encoding="utf-8"))
    (whole,) = saved["definitions"]["subgraphs"]
    (instance,) = saved["nodes"]
    assert (instance["type"], instance["title"], whole["name"]) == (whole["id"], path.stem, path.stem)
    assert [one["name"] for one in instance["inputs"]] == [one["name"] for one in whole["inputs"]]
    for node in whole["nodes"]:
        groups = info[node["type"]]["input"]
        kinds = [kind for group in ("required", "optional") for kind, *_ in groups.get(group, {}).values()]
        widgets = [kind for kind in kinds if kind in ("INT", "FLOAT", "STRING", "BOOLEAN", "COMBO")]
        assert len(node["widgets_values"]) == len(widgets)
        assert node["properties"]["cnr_id"] == "audio-to-video"


def beside_a_drum(name: str, **values: Any) -> tuple[dict[str, Any], dict[str, int]]:
    """A workflow as the front end saves it: the bundled drum into the blueprint, a look at every output.

    values  of the blueprint's widgets
    Returns the workflow, and the number of the node that shows an output.
    """
    saved = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    example = json.loads((ROOT / "example_workflows" / "audio_to_video.json").read_text(encoding="utf-8"))
    (instance,) = saved["nodes"]
    (sound,) = [node for node in example["nodes"] if node["type"] == "A2VLoadAudio"]
    sound = {**sound, "id": 100}
    names = [widget for _, widget in instance["properties"]["proxyWidgets"]]
    for widget, value in values.items():
        instance["widgets_values"][names.index(widget)] = value
    links = [[200, sound["id"], 0, instance["id"], 0, "AUDIO"]]
    instance["inputs"][0]["link"] = 200
    seen = {}
    for number, output in enumerate(instance["outputs"], 101):
        slot = number - 101
        links.append([number + 100, instance["id"], slot, number, 0, "*"])
        output["links"] = [number + 100]
        source = {"name": "source", "type": "*", "link": number + 100}
        saved["nodes"].append({"id": number, "type": "PreviewAny", "mode": 0, "inputs": [source]})
        seen[output["name"]] = number
    return {**saved, "nodes": [*saved["nodes"], sound], "links": links}, seen


def shown(comfy: Comfy, name: str, **values: Any) -> dict[str, list[str]]:
    """What every output of a blueprint is, one text for every time that it was made."""
    workflow, seen = beside_a_drum(name, **values)
    run = comfy.good(to_api(workflow, comfy.get("/object_info")))
    return {output: run.outputs[str(node)]["text"] for output, node in seen.items()}


def test_sound_to_timed_prompts_runs(comfy: Comfy) -> None:
    found = shown(comfy, "Sound to Timed Prompts", phrases="ball: a drum is hit", template="photo, {label}")
    assert found["local_prompts"] == ["photo, a drum is hit"]
    assert found["segment_lengths"] == ["48"]
    assert found["text"] == ["0:00+: photo, a drum is hit"]


def test_sound_to_shots_runs_once_for_every_shot(comfy: Comfy) -> None:
    found = shown(comfy, "Sound to Shots", longest=1.2, template="photo, {label}", quiet="silence")
    assert found["frames"] == ["24", "24"]
    assert [float(start) for start in found["start"]] == [0.0, 1.0]
    assert [float(fps) for fps in found["fps"]] == [24.0, 24.0]
    assert found["prompt"] == ["photo, ball"] * 2
    assert len(found["audio"]) == 2
