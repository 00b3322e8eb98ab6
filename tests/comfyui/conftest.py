"""Servers with toy models and sounds, and graphs that run on them in a moment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from a2v_core.headless.server import ComfyServer, find_comfyui, running_server
from tests.comfyui import tiny_models
from tests.comfyui.driver import Comfy, Graph, changed, load_graph

PROBES = Path(__file__).parent / "probe_nodes"


@pytest.fixture(scope="session")
def comfy(comfy_server: ComfyServer) -> Comfy:
    """The server of all tests, with the toy models and sounds."""
    tiny_models.install_models(comfy_server.models)
    tiny_models.install_sounds(comfy_server.input)
    return Comfy(comfy_server)


@pytest.fixture(scope="session")
def probes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Comfy]:
    """Another server with the probe nodes, previews switched on, and a folder of models beside its own."""
    folder = tmp_path_factory.mktemp("extra")
    (folder / "custom_nodes").mkdir()
    (folder / "custom_nodes" / "probes").symlink_to(PROBES, target_is_directory=True)
    tiny_models.install_models(folder / "models")
    keys = ("audio_encoders", "a2v_mappers", "a2v_audio_adapters", "a2v_t2v")
    paths = {"custom_nodes": str(folder / "custom_nodes")} | {
        key: str(folder / "models" / key) for key in keys
    }
    config = folder / "paths.yaml"
    config.write_text(json.dumps({"tests": paths}))
    arguments = ["--extra-model-paths-config", str(config), "--preview-method", "latent2rgb"]
    with running_server(find_comfyui(), own_models=True, cpu=True, arguments=arguments) as server:
        tiny_models.install_sounds(server.input)
        yield Comfy(server)


@pytest.fixture
def graph() -> Graph:
    """audio_to_video with the toy models: 1 s, 8 fps, 2 steps."""
    return toy(load_graph("audio_to_video"))


def toy(graph: Graph) -> Graph:
    """A graph of the pack with the toy models and hits.wav in the place of the bundled ones."""
    return changed(
        graph,
        A2VLoadAudio={"audio": "hits.wav"},
        A2VLoadBEATs={"beats_name": tiny_models.BEATS},
        A2VLoadAudioMapper={"mapper_name": tiny_models.MAPPER},
        A2VLoadT2VModel={"model_name": tiny_models.T2V},
        A2VAudioMapper={"fps": 8.0},
        A2VT2VSampler={"steps": 2},
    )
