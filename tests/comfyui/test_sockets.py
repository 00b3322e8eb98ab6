"""The standard sockets: what other nodes may send in, and what they get."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from a2v_core.media import read_video
from tests.comfyui.driver import ALIKE, Comfy, Graph, Run, changed, node_of
from tests.tiny_t2v import make_tiny_t2v


def looked_at(graph: Graph, **outputs: tuple[str, int]) -> Graph:
    """The graph with a probe on outputs: name -> (node type, output number)."""
    probes = {
        name: {"class_type": "ProbeLook", "inputs": {"value": [node_of(graph, kind), number]}}
        for name, (kind, number) in outputs.items()
    }
    return {**graph, **probes}


def through(graph: Graph, kind: str) -> Graph:
    """The loaded sound goes through a probe that makes another kind of AUDIO of it."""
    loader = node_of(graph, "A2VLoadAudio")
    probe = {"class_type": "ProbeAudio", "inputs": {"audio": [loader, 0], "kind": kind}}
    link = {"audio": ["odd", 0]}
    return {**changed(graph, A2VBEATsEncode=link, A2VT2VSampler=link), "odd": probe}


def seen(comfy: Comfy, graph: Graph, name: str = "look") -> str:
    (text,) = comfy.good(graph).outputs[name]["text"]
    return str(text)


def test_outputs_of_the_sampler(probes: Comfy, graph: Graph) -> None:
    sampler = "A2VT2VSampler"
    run = probes.good(
        looked_at(graph, images=(sampler, 0), latent=(sampler, 1), fps=(sampler, 2), audio=(sampler, 3))
    )
    text = {name: run.outputs[name]["text"][0] for name in ("images", "latent", "fps", "audio")}
    assert re.fullmatch(r"torch.float32 \[8, 64, 64, 3\] cpu [01]\.\d+\.\.[01]\.\d+", text["images"])
    assert text["latent"].startswith("samples: torch.float32 [8, 4, 8, 8] cpu ")
    assert text["fps"] == "8.0"
    assert re.match(r"waveform: torch.float32 \[1, 2, 22050\] cpu .*; sample_rate: 22050$", text["audio"])


def test_features_are_cores_audio_encoder_output(probes: Comfy, graph: Graph) -> None:
    """1 s of sound: 6 steps of 160 ms, 12 of 80 ms, 8 frequency bands each; 3 layers of width 32."""
    text = seen(probes, looked_at(graph, look=("A2VBEATsEncode", 0)))
    assert text.startswith("encoded_audio: torch.float32 [1, 88, 32] cpu ")
    assert "encoded_audio_all_layers: list of 3: torch.float32 [1, 88, 32] cpu " in text
    assert "audio_samples: 16000" in text
    assert text.endswith("a2v_features: AudioFeatures")


def test_cores_audio_encoder_encode_takes_our_beats(probes: Comfy, graph: Graph) -> None:
    encode = node_of(graph, "A2VBEATsEncode")
    core = {**graph, encode: {**graph[encode], "class_type": "AudioEncoderEncode"}}
    del core[encode]["inputs"]["hop"], core[encode]["inputs"]["chunk_seconds"]
    assert "encoded_audio: torch.float32 [1, 48, 32]" in seen(
        probes, looked_at(core, look=("AudioEncoderEncode", 0))
    )
    assert read_video(probes.file(probes.good(core), node_of(core, "SaveVideo"))).frames.shape[0] == 8


def test_cores_load_audio_and_load_video_plug_in(probes: Comfy, graph: Graph) -> None:
    loader = node_of(graph, "A2VLoadAudio")
    core = {**graph, loader: {"class_type": "LoadAudio", "inputs": {"audio": "hits.wav"}}}
    ours, theirs = (probes.frames(some) for some in (graph, core))
    assert (ours - theirs).abs().mean() < ALIKE
    video: Graph = {
        **{key: node for key, node in graph.items() if key != loader},
        "file": {"class_type": "LoadVideo", "inputs": {"file": "clip.mp4"}},
        loader: {"class_type": "GetVideoComponents", "inputs": {"video": ["file", 0]}},
    }
    for kind in ("A2VBEATsEncode", "A2VT2VSampler"):
        video[node_of(video, kind)] = {
            **video[node_of(video, kind)],
            "inputs": {**video[node_of(video, kind)]["inputs"], "audio": [loader, 1]},
        }
    assert len(read_video(probes.file(probes.good(video), node_of(graph, "SaveVideo"))).frames) == 4
    silent = {**video, "file": {"class_type": "LoadVideo", "inputs": {"file": "silent.mp4"}}}
    run = probes.run(silent)
    assert "BEATs Encode: the input audio is None (the source video may have no audio track)" in run.message


@pytest.mark.parametrize("kind", ["lazy", "double"])
def test_unusual_but_legal_audio(probes: Comfy, graph: Graph, kind: str) -> None:
    look = looked_at(through(graph, kind), look=("A2VT2VSampler", 3))
    assert seen(probes, look).startswith("waveform: torch.float32 [1, 2, 22050] cpu -0.7997..0.7992")


def test_a_float64_file(probes: Comfy, graph: Graph) -> None:
    loader = node_of(graph, "A2VLoadAudio")
    core = {**graph, loader: {"class_type": "LoadAudio", "inputs": {"audio": "double.wav"}}}
    assert "[1, 2, 22050]" in seen(probes, looked_at(core, look=("A2VT2VSampler", 3)))


def test_a_sound_of_a_batch(probes: Comfy, graph: Graph) -> None:
    """The batch is silence and the sound: the second is chosen twice, for the tokens and for the video."""
    batch = through(graph, "batch")
    text = seen(probes, looked_at(batch, look=("A2VT2VSampler", 3)))
    assert text.startswith("waveform: torch.float32 [1, 2, 22050] cpu 0.0000..0.0000")
    second = changed(batch, A2VAudioMapper={"batch_index": 1}, A2VT2VSampler={"batch_index": 1})
    assert "-0.7997..0.7992" in seen(probes, looked_at(second, look=("A2VT2VSampler", 3)))
    alone, chosen = (probes.frames(some) for some in (graph, second))
    assert (alone - chosen).abs().mean() < ALIKE


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("surround_192k.wav", r"waveform: torch.float32 \[1, 1, 48000\] .*sample_rate: 96000"),
        ("slow_4k.wav", r"waveform: torch.float32 \[1, 1, 4000\] .*sample_rate: 8000"),
    ],
)
def test_sound_that_mp4_cannot_hold_is_made_to_fit(
    probes: Comfy, graph: Graph, name: str, expected: str
) -> None:
    odd = looked_at(changed(graph, A2VLoadAudio={"audio": name}), look=("A2VT2VSampler", 3))
    assert re.match(expected, seen(probes, odd))
    assert probes.file(probes.good(odd), node_of(graph, "SaveVideo")).stat().st_size > 1000


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("none", r"BEATs Encode: the input audio is None"),
        ("empty", r"BEATs Encode: the input audio is empty \(\[1, 2, 0\] at 22050 Hz\)"),
        ("text", r"BEATs Encode: the input audio is not an AUDIO value"),
    ],
)
def test_audio_that_is_none(probes: Comfy, graph: Graph, kind: str, message: str) -> None:
    assert re.match(message, probes.run(through(graph, kind)).message)


def test_another_encoder_is_refused(probes: Comfy, graph: Graph) -> None:
    foreign: dict[str, Any] = {"class_type": "ProbeForeignEncoder", "inputs": {}}
    other = changed({**graph, "foreign": foreign}, A2VBEATsEncode={"audio_encoder": ["foreign", 0]})
    assert (
        "BEATs Encode: the audio encoder is a Linear, not BEATs. Connect Load BEATs"
        in probes.run(other).message
    )
    other = changed({**graph, "foreign": foreign}, A2VAudioMapper={"audio_features": ["foreign", 1]})
    assert "AudioMapper: these audio features are not from BEATs" in probes.run(other).message


def test_widgets_set_by_other_nodes(probes: Comfy, graph: Graph) -> None:
    numbers = {"width": 72, "height": 128, "steps": 1, "decode_chunk": 3}
    nodes = {
        f"{name} node": {"class_type": "PrimitiveInt", "inputs": {"value": n}} for name, n in numbers.items()
    }
    links = {name: [f"{name} node", 0] for name in numbers}
    wired = looked_at({**changed(graph, A2VT2VSampler=links), **nodes}, look=("A2VT2VSampler", 0))
    assert seen(probes, wired).startswith("torch.float32 [8, 128, 72, 3]")
    nodes["width node"]["inputs"] = {"value": 70}
    run = probes.run({**wired, **nodes})
    assert "width is 70 pixels: it must be divisible by 8, such as 72" in run.message


def test_models_come_back_after_comfyui_unloaded_them(probes: Comfy, graph: Graph) -> None:
    """All nodes run again on models that were taken to the offload device in the middle of the graph."""
    first = probes.frames(graph)
    pooling = node_of(graph, "A2VTemporalContextPooling")
    unload = {"class_type": "ProbeUnload", "inputs": {"value": [pooling, 0], "nonce": 1}}
    unloaded = changed({**graph, "unload": unload}, A2VT2VSampler={"audio_tokens": ["unload", 0]})
    again = probes.frames(unloaded)
    assert first.shape == again.shape
    assert (first - again).abs().mean() < ALIKE


def test_models_in_further_places(probes: Comfy, graph: Graph) -> None:
    """These models lie where an extra_model_paths.yaml says, not in the server's own models folder."""
    assert not (probes.server.models / "a2v_t2v").exists()
    info = probes.get("/object_info/A2VLoadT2VModel")["A2VLoadT2VModel"]
    options = info["input"]["required"]["model_name"][1]["options"]
    assert (options[0], options[-1]) == ("tiny", "demo (bundled)")


def test_core_decodes_the_latents_to_the_same_pictures(comfy: Comfy, graph: Graph) -> None:
    """With an SD-sized VAE, which is what core's VAE Decode knows, in both the model and the VAE loader."""
    from diffusers import AutoencoderKL

    torch.manual_seed(0)
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(128, 256, 512, 512),
        layers_per_block=2,
        latent_channels=4,
    )
    folder = make_tiny_t2v(comfy.server.folder / "full_vae")
    weights = folder / "vae" / "diffusion_pytorch_model.safetensors"
    save_file({key: value.half() for key, value in vae.state_dict().items()}, weights)
    vae.save_config(folder / "vae")
    (comfy.server.models / "a2v_t2v").mkdir(exist_ok=True)
    mounted = [comfy.server.models / "a2v_t2v" / "full_vae", comfy.server.models / "vae" / "sd.safetensors"]
    mounted[1].parent.mkdir(exist_ok=True)
    mounted[0].symlink_to(folder, target_is_directory=True)
    mounted[1].symlink_to(weights)
    try:
        full = changed(graph, A2VLoadT2VModel={"model_name": "full_vae"}, A2VAudioMapper={"num_frames": 2})
        sampler = node_of(full, "A2VT2VSampler")
        full |= {
            "vae": {"class_type": "VAELoader", "inputs": {"vae_name": "sd.safetensors"}},
            "decode": {"class_type": "VAEDecode", "inputs": {"samples": [sampler, 1], "vae": ["vae", 0]}},
            "ours": {
                "class_type": "SaveImage",
                "inputs": {"images": [sampler, 0], "filename_prefix": "ours"},
            },
            "core": {
                "class_type": "SaveImage",
                "inputs": {"images": ["decode", 0], "filename_prefix": "core"},
            },
        }
        run = comfy.good(full)
    finally:
        for link in mounted:
            link.unlink()
    ours, cores = (pictures(comfy, run, node) for node in ("ours", "core"))
    assert ours.shape == (2, 64, 64, 3)
    assert ours.std() > 5
    assert abs(ours - cores).max() <= 1


def pictures(comfy: Comfy, run: Run, node: str) -> Any:
    """What SaveImage wrote, int32 [F, H, W, 3] in 0..255."""
    files = [comfy.server.output / saved["filename"] for saved in run.outputs[node]["images"]]
    return np.stack([np.asarray(Image.open(file).convert("RGB"), np.int32) for file in files])
