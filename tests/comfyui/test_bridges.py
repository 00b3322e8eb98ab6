"""Audio tokens and BEATs features in ComfyUI's own nodes: CONDITIONING per frame, core's sampler, VIDEO."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from a2v_core.audio import encode_audio, load_audio, load_beats
from a2v_core.backbones.load import load_t2v
from a2v_core.tokens import AudioTokens
from tests.comfyui import tiny_models
from tests.comfyui.driver import Comfy, Graph, node_of

WORDS = "a video of <temp> <local1> <local2> <local3> <local4> <class>"
FRAMES, FPS = 8, 8.0


def encoded(graph: Graph, text: str = WORDS, tokens: bool = True, **sd: Any) -> Graph:
    """The toy graph up to the audio tokens, a toy Stable Diffusion of core, and the prompt for it."""
    inputs: dict[str, Any] = {"clip": ["sd", 1], "text": text}
    if tokens:
        inputs["audio_tokens"] = [node_of(graph, "A2VTemporalContextPooling"), 0]
    kept = {key: node for key, node in graph.items() if node["class_type"].startswith("A2V")}
    for kind in ("A2VT2VSampler", "A2VAVAlignScore"):
        kept.pop(node_of(graph, kind))
    return {
        **kept,
        "sd": {"class_type": "ProbeSD", "inputs": {"kind": "sd1", "width": 32, **sd}},
        "encode": {"class_type": "A2VTextEncode", "inputs": inputs},
        "look": {"class_type": "ProbeLook", "inputs": {"value": ["encode", 0]}},
    }


def core_text(text: str) -> dict[str, Any]:
    return {"class_type": "CLIPTextEncode", "inputs": {"clip": ["sd", 1], "text": text}}


def sampled(comfy: Comfy, graph: Graph, positive: list[Any], name: str) -> Tensor:
    """Latents [8, 4, 8, 8] that core's KSampler makes of a batch under this conditioning."""
    sampler = {
        "model": ["sd", 0],
        "positive": positive,
        "negative": ["negative", 0],
        "latent_image": ["latents", 0],
        "seed": 5,
        "steps": 3,
        "cfg": 4.0,
        "sampler_name": "euler",
        "scheduler": "normal",
        "denoise": 1.0,
    }
    whole = {
        **{key: node for key, node in graph.items() if key != "look"},
        "negative": core_text("blurry"),
        "latents": {
            "class_type": "EmptyLatentImage",
            "inputs": {"width": 64, "height": 64, "batch_size": FRAMES},
        },
        "sampler": {"class_type": "KSampler", "inputs": sampler},
        "save": {"class_type": "SaveLatent", "inputs": {"samples": ["sampler", 0], "filename_prefix": name}},
    }
    (saved,) = comfy.good(whole).outputs["save"]["latents"]
    latents = load_file(comfy.server.output / saved["subfolder"] / saved["filename"])["latent_tensor"]
    assert latents.shape == (FRAMES, 4, 8, 8)
    assert latents.isfinite().all()
    return latents


def seen(comfy: Comfy, graph: Graph) -> str:
    (text,) = comfy.good(graph).outputs["look"]["text"]
    return str(text)


def toy_tokens(comfy: Comfy) -> AudioTokens:
    """What the graph's pooling gives, by the library alone."""
    models = comfy.server.folder / "by_hand"
    if not models.exists():
        tiny_models.install_models(models)
    sound = load_audio(comfy.server.input / "hits.wav")
    beats = load_beats(models / "audio_encoders" / tiny_models.BEATS)
    mapper = tiny_models.mapper("time_aligned")
    features = encode_audio(beats, sound.samples[None], sound.sample_rate, 2)
    return mapper.pool(mapper.frame_tokens(features, 0, FPS))


def test_ksampler_takes_a_row_for_every_latent_of_the_batch(probes: Comfy, graph: Graph) -> None:
    """Latent n of the batch is what it would be if the row of frame n steered all of them."""
    base = encoded(graph)
    together = sampled(probes, base, ["encode", 0], "together")
    for frame in (2, 6):
        one = {"class_type": "ProbeFrame", "inputs": {"conditioning": ["encode", 0], "frame": frame}}
        alone = sampled(probes, {**base, "one": one}, ["one", 0], f"frame{frame}")
        torch.testing.assert_close(together[frame], alone[frame], atol=1e-4, rtol=1e-4)
        others = [n for n in range(FRAMES) if n != frame]
        assert (together[others] - alone[others]).abs().amax(dim=(1, 2, 3)).max() > 1e-3


def test_it_is_what_core_makes_of_a_textual_inversion(probes: Comfy, graph: Graph) -> None:
    """With the audio tokens of a frame as embedding files, core's own CLIP Text Encode gives the same row."""
    tokens = toy_tokens(probes)
    folder = probes.server.models / "embeddings"
    folder.mkdir(parents=True, exist_ok=True)
    for word in ("temp", "class"):
        save_file({"emb_params": tokens.words[word][3:4].clone()}, folder / f"{word}_3.safetensors")
    text = "a (loud:0.8) zebra (<temp>:1.3), with <class><temp>"
    files = "a (loud:0.8) zebra (embedding:temp_3:1.3), with embedding:class_3 embedding:temp_3"
    one = {"class_type": "ProbeFrame", "inputs": {"conditioning": ["encode", 0], "frame": 3}}
    base = {**encoded(graph, text), "one": one, "core": core_text(files)}
    ours, cores = (sampled(probes, base, [node, 0], node) for node in ("one", "core"))
    torch.testing.assert_close(ours, cores, atol=1e-4, rtol=1e-4)
    plain = sampled(probes, {**base, "core": core_text("a (loud:0.8) zebra, with")}, ["core", 0], "plain")
    assert (ours - plain).abs().max() > 1e-2


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        (WORDS, "[8, 77, 32]"),
        ("<temp>", "[8, 77, 32]"),
        ("loud " * 80 + "<temp>", "[8, 154, 32]"),
        ("a zebra, a violin, a tulip, a kayak, a banjo, a cactus, a yacht: " + WORDS, "[8, 77, 32]"),
    ],
)
def test_shape_is_frames_tokens_width(probes: Comfy, graph: Graph, text: str, shape: str) -> None:
    assert seen(probes, encoded(graph, text)).startswith(f"list of 1: list of 2: torch.float32 {shape} cpu ")


def test_plain_text_is_cores_own(probes: Comfy, graph: Graph) -> None:
    base = {**encoded(graph, "a red drum", tokens=False), "core": core_text("a red drum")}
    assert seen(probes, base).startswith("list of 1: list of 2: torch.float32 [1, 77, 32]")
    ours, cores = (sampled(probes, base, [node, 0], f"text_{node}") for node in ("encode", "core"))
    torch.testing.assert_close(ours, cores, atol=1e-5, rtol=1e-5)


def test_text_that_leaves_the_sound_out_has_equal_rows(probes: Comfy, graph: Graph) -> None:
    """Also for a CLIP of two text encoders, since no audio token has to fit."""
    base = encoded(graph, "a red drum", kind="sdxl")
    assert seen(probes, base).startswith("list of 1: list of 2: torch.float32 [8, 77, 72]")
    assert "the text has no audio word: the sound has no effect" in probes.server.log_text()


def test_the_text_encoder_of_a_t2v_model(probes: Comfy, graph: Graph) -> None:
    loader = node_of(graph, "A2VLoadT2VModel")
    base = encoded(graph)
    base["encode"]["inputs"]["clip"] = [loader, 0]
    models = probes.server.folder / "by_hand"
    tokens = toy_tokens(probes)
    states = load_t2v(models / "a2v_t2v" / tiny_models.T2V).encode_prompt(WORDS, tokens, FRAMES).per_frame
    text = seen(probes, base)
    low, high = map(float, re.findall(r"\[8, 77, 32\] cpu (\S+)\.\.(\S+)", text)[0])
    assert (low, high) == pytest.approx((float(states.min()), float(states.max())), abs=2e-3)
    assert sampled(probes, base, ["encode", 0], "t2v").std() > 0.01
    del base["encode"]["inputs"]["audio_tokens"]
    base["encode"]["inputs"]["text"] = "blurry"
    assert seen(probes, base).startswith("list of 1: list of 2: torch.float32 [1, 77, 32]")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 40}, r"the audio tokens are 32 wide, but .* has other embeddings \(l: 40\)"),
        ({"kind": "sdxl"}, r"the audio tokens are 32 wide, but .* has other embeddings \(g: 40, l: 32\)"),
        ({"tokens": False}, r"the text has the audio word <temp>, but there are no audio tokens: connect"),
    ],
)
def test_what_does_not_fit_is_said(probes: Comfy, graph: Graph, options: Any, message: str) -> None:
    run = probes.run(encoded(graph, **options))
    assert re.match(rf"Text Encode \(Audio Tokens\): {message}", run.message), run.message


def test_a_checkpoint_without_a_text_encoder(probes: Comfy, graph: Graph) -> None:
    base = encoded(graph)
    base["none"] = {"class_type": "ProbeAudio", "inputs": {"audio": [node_of(graph, "A2VLoadAudio"), 0]}}
    base["none"]["inputs"]["kind"] = "none"
    base["any"] = {"class_type": "ProbeUnload", "inputs": {"value": ["none", 0], "nonce": 0}}
    base["encode"]["inputs"]["clip"] = ["any", 0]
    assert "clip is None (the checkpoint may hold no text encoder)" in probes.run(base).message


def test_core_nodes_take_the_features_of_beats(probes: Comfy, graph: Graph) -> None:
    """Wan's sound-to-video node resamples whatever layers an AUDIO_ENCODER_OUTPUT has."""
    base = {key: node for key, node in encoded(graph, "x", tokens=False).items() if key != "look"}
    wan = {
        "positive": ["encode", 0],
        "negative": ["encode", 0],
        "vae": ["vae", 0],
        "width": 64,
        "height": 64,
        "length": 5,
        "batch_size": 1,
        "audio_encoder_output": [node_of(graph, "A2VBEATsEncode"), 0],
    }
    base["vae"] = {"class_type": "VAELoader", "inputs": {"vae_name": "pixel_space"}}
    base["wan"] = {"class_type": "WanSoundImageToVideo", "inputs": wan}
    base["look"] = {"class_type": "ProbeLook", "inputs": {"value": ["wan", 2]}}
    assert seen(probes, base).startswith("samples: torch.float32 [1, 16, 2, 8, 8]")


def test_a_video_of_core_is_scored(probes: Comfy, graph: Graph) -> None:
    """Create Video's VIDEO goes into AV-Align Score as it is, and Get Video Components gives its sound."""
    score = graph[node_of(graph, "A2VAVAlignScore")]
    video = [node_of(graph, "CreateVideo"), 0]
    parts = {"class_type": "GetVideoComponents", "inputs": {"video": video}}
    inputs = {**score["inputs"], "images": video, "audio": ["parts", 1], "fps": 1.0}
    whole = {**graph, "parts": parts, node_of(graph, "A2VAVAlignScore"): {**score, "inputs": inputs}}
    (report,) = probes.good(whole).outputs[node_of(graph, "A2VAVAlignScore")]["text"]
    assert "video: 8 frames, 64 x 64, 8 fps" in report
