"""Graphs of core's own nodes around a T2V model as MODEL, CLIP and VAE."""

from __future__ import annotations

from typing import Any

from safetensors.torch import load_file
from torch import Tensor

from tests.comfyui.driver import Comfy, Graph

DEMO, TINY, MOTION = "demo (bundled)", "tiny", "motion"
FRAMES, STEPS, SEED, SIZE = 6, 4, 3, 64
PROMPT, NEGATIVE = "a red ball", "a drum"


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


def loaded(model: str = DEMO, **loader: Any) -> Graph:
    """A T2V model as core's, two texts, and a video's empty latents."""
    settings = {"model_name": model, "dtype": "fp32", "download_if_missing": False, **loader}
    return {
        "t2v": node("A2VLoadT2VModel", **settings),
        "core": node("A2VT2VModelAsModel", t2v_model=["t2v", 0]),
        "positive": node("CLIPTextEncode", clip=["core", 1], text=PROMPT),
        "negative": node("CLIPTextEncode", clip=["core", 1], text=NEGATIVE),
        "empty": node("EmptyLatentImage", width=SIZE, height=SIZE, batch_size=FRAMES),
    }


def ksampler(**inputs: Any) -> Graph:
    """KSampler with the model and the texts of `loaded`."""
    settings = {
        "model": ["core", 0],
        "positive": ["positive", 0],
        "negative": ["negative", 0],
        "latent_image": ["empty", 0],
        "seed": SEED,
        "steps": STEPS,
        "cfg": 7.0,
        "sampler_name": "euler",
        "scheduler": "simple",
        "denoise": 1.0,
    }
    return {"sampler": node("KSampler", **{**settings, **inputs})}


def t2v_sampler(**inputs: Any) -> dict[str, Any]:
    """The pack's own sampler with the same model and texts."""
    settings = {
        "model": ["t2v", 0],
        "prompt": PROMPT,
        "negative_prompt": NEGATIVE,
        "width": SIZE,
        "height": SIZE,
        "num_frames": FRAMES,
        "fps": 8.0,
        "steps": STEPS,
        "cfg": 7.0,
        "scheduler": "euler",
        "seed": SEED,
        "decode_chunk": 0,
        "batch_index": 0,
    }
    return node("A2VT2VSampler", **{**settings, **inputs})


def latents_of(comfy: Comfy, graph: Graph, source: str = "sampler", output: int = 0) -> Tensor:
    """The LATENT of a node, through core's Save Latent."""
    save = node("SaveLatent", samples=[source, output], filename_prefix=source)
    (saved,) = comfy.good({**graph, "save": save}).outputs["save"]["latents"]
    found = load_file(comfy.server.output / saved["subfolder"] / saved["filename"])["latent_tensor"]
    assert found.isfinite().all()
    return found
