"""Graphs of the nodes that let a sound steer others: the node, what it needs, and looks at what it gives."""

from __future__ import annotations

from typing import Any

from tests.comfyui.driver import Comfy, Graph

DRUM = "demo (bundled): drum.wav"
DEMO = "demo (bundled)"


def loaded(sound: str = DRUM, **inputs: Any) -> Graph:
    """A sound and BEATs."""
    return {
        "sound": {
            "class_type": "A2VLoadAudio",
            "inputs": {"audio": sound, "start_time": 0.0, "duration": 0.0, **inputs},
        },
        "beats": {
            "class_type": "A2VLoadBEATs",
            "inputs": {"beats_name": DEMO, "download_if_missing": False},
        },
    }


def looks(node: str, **outputs: int) -> Graph:
    """The texts and numbers of outputs of a node by their number: core's Preview as Text."""
    return {
        name: {"class_type": "PreviewAny", "inputs": {"source": [node, number]}}
        for name, number in outputs.items()
    }


def probe(node: str, **outputs: int) -> Graph:
    """Types, shapes and ranges of outputs of a node by their number."""
    return {
        name: {"class_type": "ProbeLook", "inputs": {"value": [node, number]}}
        for name, number in outputs.items()
    }


def texts(comfy: Comfy, graph: Graph, *names: str) -> list[list[str]]:
    """What the looks saw, one text for every time that they were run."""
    outputs = comfy.good(graph).outputs
    return [outputs[name]["text"] for name in names]
