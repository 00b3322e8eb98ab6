"""Graphs of ComfyUI's own nodes around Apply Audio Adapter, on tiny models in its own layouts."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from torch import Tensor

from a2v_core.tokens import save_mapper
from tests.comfyui import tiny_models
from tests.comfyui.driver import Comfy, Graph, Run
from tests.golden_recipe import fill_module
from tests.tiny_core_wan import (
    write_adapter,
    write_lora,
    write_ltx,
    write_vace,
    write_wan,
    write_wan_vae,
    write_wan_with_reference,
)

STRANGER = "stranger.safetensors"  # an AudioMapper of the same shape
FRAMES, LATENT_FRAMES, SIDE = 17, 5, 32  # 32 pixels are 4 latent ones and 4 tokens of a latent frame
WAN, LOW, WIDE, I2V, TI2V, LTX, FUN, VACE = (
    f"{name}.safetensors" for name in ("wan", "low", "wide", "i2v", "5b", "ltx", "fun", "vace")
)
ADAPTER, OTHER, LAST, BIAS, WORDS, LTX_LAST = (
    f"{name}.safetensors" for name in ("adapter", "other", "last", "bias", "words", "ltx_last")
)


def install(models: Path) -> None:
    """The models of this folder's tests."""
    for folder in ("diffusion_models", "vae", "loras", "a2v_audio_adapters", "a2v_mappers"):
        (models / folder).mkdir(parents=True, exist_ok=True)
    networks, adapters = models / "diffusion_models", models / "a2v_audio_adapters"
    write_wan(networks / WAN)
    write_wan(networks / LOW, seed=1)
    write_wan(networks / WIDE, layers=4)
    write_wan(networks / I2V, in_channels=36)
    write_wan(networks / TI2V, in_channels=48, out_channels=48)
    write_ltx(networks / LTX)
    write_wan_with_reference(networks / FUN)
    write_vace(networks / VACE)
    write_wan_vae(models / "vae" / WAN)
    write_lora(models / "loras" / "wan.safetensors")
    mapper = tiny_models.mapper("time_aligned")
    stranger = copy.deepcopy(mapper)
    stranger.load_state_dict(fill_module(stranger.state_dict(), seed=1))
    save_mapper(models / "a2v_mappers" / STRANGER, stranger)
    write_adapter(adapters / ADAPTER, mapper)
    write_adapter(adapters / OTHER, mapper, blocks=(1, 2), inner=8)
    write_adapter(adapters / LAST, mapper, blocks=(2,))
    write_adapter(adapters / WORDS, mapper, route="words", text_width=4096)
    write_adapter(adapters / BIAS, mapper, blocks=(0,), route="bias")
    ltx = {"family": "LTX-Video", "base_model": "tiny LTX-Video", "width": 256, "layers": 2, "time": 8}
    write_adapter(adapters / LTX, mapper, blocks=(0, 1), **ltx)
    write_adapter(adapters / LTX_LAST, mapper, blocks=(1,), **ltx)


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    """A node of a graph."""
    return {"class_type": kind, "inputs": inputs}


def link(name: str, output: int = 0) -> list[Any]:
    """What another node gives."""
    return [name, output]


def hearing(frames: int = FRAMES, adapter: str = ADAPTER, name: str = WAN, **widgets: Any) -> Graph:
    """From a sound to MODEL, positive and negative of `apply`, and the latent of as many frames."""
    return {
        "sound": node("A2VLoadAudio", audio="hits.wav", start_time=0.0, duration=0.0),
        "beats": node("A2VLoadBEATs", beats_name=tiny_models.BEATS),
        "encode": node(
            "A2VBEATsEncode",
            audio_encoder=link("beats"),
            audio=link("sound"),
            hop="80 ms",
            chunk_seconds=0.0,
            overlap_seconds=0.0,
        ),
        "adapter": node("A2VLoadAudioAdapter", adapter_name=adapter),
        "frames": node(
            "A2VAudioMapper",
            mapper=link("adapter", 1),
            audio_features=link("encode"),
            num_frames=frames,
            fps=16.0,
            batch_index=0,
        ),
        "tokens": node("A2VTemporalContextPooling", mapper=link("adapter", 1), frame_tokens=link("frames")),
        "model": node("UNETLoader", unet_name=name, weight_dtype="default"),
        "positive": node("ProbeText", seed=1, length=6, width=4096),
        "negative": node("ProbeText", seed=2, length=6, width=4096),
        "apply": applied(**widgets),
        "latent": latent(frames),
    }


def applied(
    model: str = "model", texts: str = "", adapter: str = "adapter", **widgets: Any
) -> dict[str, Any]:
    """Apply Audio Adapter; `texts` names another one before it, whose conditionings it takes."""
    inputs: dict[str, Any] = {
        "model": link(model),
        "audio_adapter": link(adapter),
        "audio_tokens": link("tokens"),
        "positive": link(texts, 1) if texts else link("positive"),
        "negative": link(texts, 2) if texts else link("negative"),
        "strength": 1.0,
        "start_percent": 0.0,
        "end_percent": 1.0,
        "sound_cfg": 1.0,
    }
    return node("A2VApplyAudioAdapter", **(inputs | widgets))


def latent(frames: int = FRAMES, batch: int = 1) -> dict[str, Any]:
    return node("EmptyHunyuanLatentVideo", width=SIDE, height=SIDE, length=frames, batch_size=batch)


def sampler(
    model: list[Any] | None = None,
    positive: list[Any] | None = None,
    negative: list[Any] | None = None,
    **widgets: Any,
) -> dict[str, Any]:
    """A KSampler of what `apply` gives, if nothing else is said."""
    inputs: dict[str, Any] = {
        "model": model or link("apply", 0),
        "positive": positive or link("apply", 1),
        "negative": negative or link("apply", 2),
        "latent_image": link("latent"),
        "seed": 5,
        "steps": 2,
        "cfg": 4.0,
        "sampler_name": "euler",
        "scheduler": "simple",
        "denoise": 1.0,
    }
    return node("KSampler", **(inputs | widgets))


def plain(**widgets: Any) -> dict[str, Any]:
    """A KSampler without the adapter."""
    return sampler(link("model"), link("positive"), link("negative"), **widgets)


def save(name: str) -> dict[str, Any]:
    return node("SaveLatent", samples=link(name), filename_prefix=f"hearing/{name}")


def floats(values: list[float]) -> dict[str, Any]:
    return node("ProbeFloats", values=json.dumps(values))


def latents(comfy: Comfy, graph: Graph, *names: str) -> list[Tensor]:
    """Runs the graph and gives the latents of its samplers."""
    whole = {**graph, **{f"save {name}": save(name) for name in names}}
    return latents_of(comfy, comfy.good(whole), *names)


def latents_of(comfy: Comfy, run: Run, *names: str) -> list[Tensor]:
    found = []
    for name in names:
        (saved,) = run.outputs[f"save {name}"]["latents"]
        found.append(load_file(comfy.server.output / saved["subfolder"] / saved["filename"])["latent_tensor"])
    assert all(tensor.isfinite().all() for tensor in found)
    return found


def difference(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().max())
