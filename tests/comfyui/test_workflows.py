"""The example workflows as they ship: what the front end saved, and its export for the API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from a2v_core.headless import to_api
from tests.comfyui.driver import WORKFLOWS, Comfy, load_graph

EXAMPLES = Path(__file__).resolve().parents[2] / "example_workflows"
NAMES = (
    "audio_to_video",
    "audio_to_video_app",
    "sound_events_to_shots",
    "sound_schedule_to_prompts",
    "text_and_audio_to_video",
    "wan_audio_to_video",
)


@pytest.fixture(scope="module")
def info(comfy: Comfy) -> dict[str, Any]:
    found: dict[str, Any] = comfy.get("/object_info")
    return found


@pytest.mark.parametrize("name", NAMES)
def test_our_converter_gives_what_the_front_end_exports(info: dict[str, Any], name: str) -> None:
    saved = json.loads((EXAMPLES / f"{name}.json").read_text())
    assert to_api(saved, info) == load_graph(name)


@pytest.mark.parametrize("name", NAMES)
def test_every_input_is_one_that_the_nodes_have(info: dict[str, Any], name: str) -> None:
    for node in load_graph(name).values():
        groups = info[node["class_type"]]["input"]
        known = {socket for group in ("required", "optional") for socket in groups.get(group, {})}
        assert set(groups["required"]) <= set(node["inputs"]) <= known


def test_every_example_has_its_api_form() -> None:
    assert sorted(path.stem for path in EXAMPLES.glob("*.json")) == sorted(
        path.name.removesuffix(".api.json") for path in WORKFLOWS.glob("*.api.json")
    )
