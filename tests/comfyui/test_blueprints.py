"""The blueprints of subgraphs/, which ComfyUI offers among its nodes: as the front end has published them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.comfyui.driver import Comfy

FOLDER = Path(__file__).resolve().parents[2] / "subgraphs"
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
