"""Other families of text-to-video models in the pack's nodes, on a real ComfyUI."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from a2v_core.backbones import load_t2v
from a2v_core.media import load_audio, read_video
from a2v_core.pipeline import VideoPipeline, VideoRequest
from a2v_core.sampling import SampleSettings
from tests import tiny_original
from tests.comfyui.driver import Comfy, Graph, changed, node_of
from tests.tiny_motion import make_tiny_motion
from tests.tiny_wan import make_tiny_wan


@pytest.fixture(scope="module")
def families(comfy: Comfy) -> Iterator[Comfy]:
    """The server with a tiny AnimateDiff and a tiny Wan, which go again."""
    folder = comfy.server.models / "a2v_t2v"
    made = [make_tiny_motion(folder / "motion"), make_tiny_wan(folder / "wan")]
    yield comfy
    for model in made:
        shutil.rmtree(model)


def video(comfy: Comfy, graph: Graph) -> Tensor:
    return read_video(comfy.file(comfy.good(graph), node_of(graph, "SaveVideo"))).frames


def with_model(graph: Graph, name: str, **sampler: Any) -> Graph:
    return changed(
        graph, A2VLoadT2VModel={"model_name": name}, A2VT2VSampler={"width": 32, "height": 32, **sampler}
    )


def test_animatediff_follows_the_sound(families: Comfy, graph: Graph) -> None:
    frames = video(families, with_model(graph, "motion"))
    assert tuple(frames.shape) == (8, 32, 32, 3)
    plain = video(families, with_model(graph, "motion", prompt="a video"))
    assert float((frames - plain).abs().mean()) > 1e-3


def test_long_videos_of_animatediff(families: Comfy, graph: Graph) -> None:
    longer = changed(graph, A2VAudioMapper={"num_frames": 20, "fps": 20.0})
    made = [
        video(families, with_model(longer, "motion", long_video=mode))
        for mode in ("windowed attention", "whole-model windows")
    ]
    assert [tuple(frames.shape) for frames in made] == [(20, 32, 32, 3)] * 2
    assert float((made[0] - made[1]).abs().mean()) > 1e-4


def test_animatediff_of_two_files(families: Comfy, graph: Graph) -> None:
    """A checkpoint and motion modules in a folder, with the tokenizer that ComfyUI has."""
    folder = families.server.models / "a2v_t2v" / "mine" / "two files"
    folder.mkdir(parents=True)
    parts = dict(zip(("unet", "vae", "text_encoder"), tiny_original.networks(49408), strict=True))
    save_file(tiny_original.checkpoint(**parts), folder / "sd15.safetensors")
    torch.save(tiny_original.published(tiny_original.motion_adapter().state_dict()), folder / "mm.ckpt")
    text = with_model(graph, "mine/two files", prompt="a red ball", num_frames=4)
    del text[node_of(text, "A2VT2VSampler")]["inputs"]["audio_tokens"]
    assert tuple(video(families, text).shape) == (4, 32, 32, 3)
    (folder / "mm.ckpt").unlink()
    names = families.get("/object_info/A2VLoadT2VModel")["A2VLoadT2VModel"]["input"]["required"]["model_name"]
    assert "motion" in names[1]["options"]
    assert "mine/two files" not in names[1]["options"]
    shutil.rmtree(folder.parent)


def test_wan_makes_videos_from_text(families: Comfy, graph: Graph) -> None:
    text = with_model(graph, "wan", prompt="a red ball bouncing", fps=8.0)
    del text[node_of(text, "A2VT2VSampler")]["inputs"]["audio_tokens"]
    run = families.good(text)
    path = families.file(run, node_of(text, "SaveVideo"))
    assert tuple(read_video(path).frames.shape) == (9, 32, 32, 3)  # the length nearest to a second
    assert load_audio(path).duration == pytest.approx(9 / 8, abs=0.03)
    run = families.run(changed(text, A2VT2VSampler={"num_frames": 85}))
    assert "Wan cannot do that" in run.message
    assert "whole-model windows" in run.message
    spoken = families.run(with_model(graph, "wan", num_frames=9))
    assert "audio" in spoken.message


def test_latents_of_wan_are_in_cores_scale(families: Comfy, graph: Graph) -> None:
    """As core's VAE takes them: not normalised."""
    text = with_model(graph, "wan", prompt="a red ball bouncing", num_frames=9, seed=3, cfg=4.0)
    sampler = node_of(text, "A2VT2VSampler")
    del text[sampler]["inputs"]["audio_tokens"]
    save = {"class_type": "SaveLatent", "inputs": {"samples": [sampler, 1], "filename_prefix": "wan"}}
    run = families.good({**text, "save": save})
    (saved,) = run.outputs["save"]["latents"]
    found = load_file(families.server.output / saved["subfolder"] / saved["filename"])["latent_tensor"]
    backbone = load_t2v(families.server.models / "a2v_t2v" / "wan")
    settings = SampleSettings(2, 4.0, "dpmpp_2m", 3, 32, 32, 9)
    video = VideoPipeline(backbone).generate(VideoRequest("a red ball bouncing", settings=settings))
    vae: Any = backbone.parts()["vae"][0]
    mean, std = (
        torch.tensor(values).view(1, -1, 1, 1, 1)
        for values in (vae.config.latents_mean, vae.config.latents_std)
    )
    torch.testing.assert_close(found, video.latents * std + mean, atol=5e-3, rtol=0)
