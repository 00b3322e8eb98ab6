"""The contract of the nodes as ComfyUI tells it: what saved workflows rely on.

    python -m tests.comfyui.snapshot      writes object_info.json anew, after an intended change

After a release widgets may only be appended: saved workflows hold their values by position.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from a2v_core.headless.server import find_comfyui, running_server
from tests.comfyui.driver import Comfy

SNAPSHOT = Path(__file__).parent / "object_info.json"
_KEPT = ("default", "min", "max", "step", "control_after_generate", "audio_upload", "multiline")
_FILE_LISTS = ("audio", "beats_name", "mapper_name", "adapter_name", "model_name", "lora_name")


def contract(object_info: dict[str, Any]) -> dict[str, Any]:
    """Of our nodes: ids, inputs in their order with types, defaults, ranges and choices, outputs."""
    nodes = {
        name: node for name, node in object_info.items() if node["python_module"].endswith("audio-to-video")
    }
    return {
        name: {
            "display_name": node["display_name"],
            "category": node["category"],
            "output_node": node["output_node"],
            "inputs": [
                _input(name, group, *node["input"][group][name])
                for group in ("required", "optional")
                for name in node["input_order"].get(group, [])
            ],
            "outputs": [list(pair) for pair in zip(node["output_name"], node["output"], strict=True)],
        }
        for name, node in sorted(nodes.items())
    }


def _input(name: str, group: str, kind: str, options: dict[str, Any] | None = None) -> dict[str, Any]:
    options = options or {}
    kept = {key: options[key] for key in _KEPT if key in options}
    if "options" in options:
        kept["options"] = "files" if name in _FILE_LISTS else options["options"]
    if name in _FILE_LISTS:
        kept.pop("default", None)  # the first file
    return {"name": name, "type": kind, "group": group, **kept}


def main() -> None:
    with running_server(find_comfyui(), own_models=True, cpu=True) as server:
        found = contract(Comfy(server).get("/object_info"))
    SNAPSHOT.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
