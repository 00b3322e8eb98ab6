"""What the registry ships, unpacked into a real ComfyUI that runs with flags of users' own."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import av
import pytest
from PIL import Image

from a2v_core.headless.server import find_comfyui, running_server
from a2v_core.media import read_video
from scripts.archive import archive_bytes
from tests.comfyui import tiny_models
from tests.comfyui.driver import Comfy, Graph, changed, node_of
from tests.comfyui.snapshot import SNAPSHOT

PACK = "a2v_from_the_registry"


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Comfy]:
    """A server with the archive as its only pack, no cache, no metadata in files, and UNets in 8 bits.

    --lowvram and --gpu-only cannot be had together with --cpu.
    """
    folder = tmp_path_factory.mktemp("shipped")
    with zipfile.ZipFile(io.BytesIO(archive_bytes())) as archive:
        archive.extractall(folder / "custom_nodes" / PACK)
    config = folder / "paths.yaml"
    config.write_text(json.dumps({"tests": {"custom_nodes": str(folder / "custom_nodes")}}))
    arguments = ["--extra-model-paths-config", str(config), "--cache-none", "--disable-metadata"]
    arguments += ["--fp8_e4m3fn-unet"]
    arguments += ["--disable-all-custom-nodes", "--whitelist-custom-nodes", PACK]
    with running_server(find_comfyui(), own_models=True, cpu=True, arguments=arguments) as server:
        tiny_models.install_models(server.models)
        tiny_models.install_sounds(server.input)
        yield Comfy(server)


def container_tags(path: Path) -> dict[str, str]:
    with av.open(str(path)) as container:
        return dict(container.metadata)


def test_every_node_help_page_and_workflow_is_in_the_archive(shipped: Comfy) -> None:
    info = shipped.get("/object_info")
    ours = {name for name, node in info.items() if node["python_module"] == f"custom_nodes.{PACK}"}
    assert ours == set(json.loads(SNAPSHOT.read_text())), shipped.server.log_tail()
    templates = shipped.get("/workflow_templates")[PACK]
    assert {"audio_to_video", "text_and_audio_to_video"} <= set(templates)
    assert any(path.startswith(f"/extensions/{PACK}/js/") for path in shipped.get("/extensions"))


def test_no_cache_runs_everything_again(shipped: Comfy, graph: Graph) -> None:
    save = node_of(graph, "SaveVideo")
    first, second = shipped.good(graph), shipped.good(graph)
    assert first.ran == second.ran == set(graph)
    one, other = (read_video(shipped.file(run, save)).frames for run in (first, second))
    assert one.shape == other.shape == (8, 64, 64, 3)


def test_files_carry_the_workflow_only_when_they_may(shipped: Comfy, comfy: Comfy, graph: Graph) -> None:
    """The very same run on a server without the flag has it in the mp4."""
    seeded = changed(graph, A2VT2VSampler={"seed": 77})
    save = node_of(graph, "SaveVideo")
    usual, secret = (container_tags(server.file(server.good(seeded), save)) for server in (comfy, shipped))
    assert "A2VT2VSampler" in usual["prompt"]
    assert "A2V" not in json.dumps(secret)
    pictures = sorted((shipped.server.folder / "temp").rglob("*.png"))
    assert pictures, "AV-Align Score shows a picture"
    for path in pictures:
        with Image.open(path) as picture:
            assert "A2V" not in json.dumps(picture.info, default=str)


def test_a_unet_in_8_bits_when_the_user_wants_that(shipped: Comfy, graph: Graph) -> None:
    """`auto` is then fp8 with a VAE in fp32; recipe weights make much of what both round."""
    auto, fp8, fp32 = (
        shipped.frames(some)
        for some in (graph, *(changed(graph, A2VLoadT2VModel={"dtype": dtype}) for dtype in ("fp8", "fp32")))
    )
    assert (auto - fp8).abs().mean() < 0.75 * (auto - fp32).abs().mean()
