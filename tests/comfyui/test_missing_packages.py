"""A real ComfyUI whose Python lacks what requirements.txt asks for: one line in the log, the rest works."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from a2v_core.headless.server import find_comfyui, running_server
from tests.comfyui import tiny_models
from tests.comfyui.driver import Comfy, Graph, node_of
from tests.comfyui.snapshot import SNAPSHOT, contract

HERE = Path(__file__).parent
REMEDY = r'Install the requirements: ".*python.*" -m pip install -r ".*requirements\.txt"'


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Comfy]:
    """A server without diffusers, librosa and OpenCV."""
    folder = tmp_path_factory.mktemp("bare")
    (folder / "custom_nodes").mkdir()
    for name in ("hidden_packages", "probe_nodes"):
        (folder / "custom_nodes" / name).symlink_to(HERE / name, target_is_directory=True)
    config = folder / "paths.yaml"
    config.write_text(json.dumps({"tests": {"custom_nodes": str(folder / "custom_nodes")}}))
    arguments = ["--extra-model-paths-config", str(config)]
    with running_server(find_comfyui(), own_models=True, cpu=True, arguments=arguments) as server:
        tiny_models.install_models(server.models)
        tiny_models.install_sounds(server.input)
        yield Comfy(server)


def test_one_line_says_what_is_missing_and_what_to_do(bare: Comfy) -> None:
    bare.get("/object_info")
    lines = [line for line in bare.server.log_text().splitlines() if "audio-to-video" in line]
    lines = [line for line in lines if not re.search(r"\d\.\d seconds: |extra search path", line)]
    (line,) = lines
    missing = "without diffusers, librosa, opencv-python-headless the nodes Load T2V Model, AV-Align Score"
    assert missing in line
    assert re.search(REMEDY, line)
    assert "Traceback" not in bare.server.log_text()


def test_all_nodes_are_there(bare: Comfy) -> None:
    assert set(contract(bare.get("/object_info"))) == set(json.loads(SNAPSHOT.read_text()))


def test_the_nodes_say_what_they_need(bare: Comfy, graph: Graph) -> None:
    loader = bare.run(graph)
    assert loader.error is not None
    assert loader.error["node_type"] == "A2VLoadT2VModel"
    assert re.search(f"Load T2V Model needs the package diffusers, .*{REMEDY}", loader.message)

    audio, score = node_of(graph, "A2VLoadAudio"), node_of(graph, "A2VAVAlignScore")
    pictures = {"width": 64, "height": 64, "batch_size": 8, "color": 0}
    alone: Graph = {
        "images": {"class_type": "EmptyImage", "inputs": pictures},
        audio: graph[audio],
        score: {
            "class_type": "A2VAVAlignScore",
            "inputs": {**graph[score]["inputs"], "images": ["images", 0], "audio": [audio, 0], "fps": 8.0},
        },
    }
    scorer = bare.run(alone)
    assert scorer.error is not None
    assert scorer.error["node_type"] == "A2VAVAlignScore"
    assert re.search(r"needs the package (librosa|opencv-python-headless) .* -m pip install", scorer.message)


def test_the_other_nodes_run(bare: Comfy, graph: Graph) -> None:
    """From the sound to the words of every frame."""
    pooling = node_of(graph, "A2VTemporalContextPooling")
    for name in ("A2VT2VSampler", "A2VLoadT2VModel", "A2VAVAlignScore", "CreateVideo", "SaveVideo"):
        del graph[node_of(graph, name)]
    graph["look"] = {"class_type": "ProbeLook", "inputs": {"value": [pooling, 0]}}
    (text,) = bare.good(graph).outputs["look"]["text"]
    assert text == "AudioTokens"
