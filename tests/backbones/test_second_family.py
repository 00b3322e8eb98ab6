"""A second family of models (`tests.toy_dit`): loaded by its class, its words, its VAE, its previews."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from a2v_core.backbones import (
    FeatureReuse,
    Grid,
    HalfPrecision,
    Recompute,
    WindowedAttention,
    WordEmbeddings,
    load_t2v,
    networks,
    require,
)
from a2v_core.comfyui import find_comfyui
from a2v_core.errors import A2VError, CheckpointError
from a2v_core.models import identify
from a2v_core.prompts import ContextBatch
from a2v_core.sampling import decode_video
from a2v_core.tokens import AudioTokens
from tests.tiny_t2v import TEXT_WIDTH
from tests.toy_dit import ToyBackbone

ROOT = Path(__file__).resolve().parents[2]
PREVIEW = """
import importlib, json, sys, types
root, comfy, name, channels, latents = json.loads(sys.argv.pop())
sys.argv += ["--cpu", "--preview-method", "latent2rgb"]
sys.path.insert(0, comfy)
import comfy.options
comfy.options.enable_args_parsing()
import torch
for module, path in (("pack", root), ("pack.nodes", root + "/nodes")):
    sys.modules[module] = types.ModuleType(module)
    sys.modules[module].__path__ = [path]
runtime = importlib.import_module("pack.nodes.runtime")
kind, picture, size = runtime.latent_previewer(name, channels)(torch.tensor(latents))
print(json.dumps([kind, picture.size, list(picture.tobytes())]))
"""


def speech(frames: int, seed: int = 0) -> Tensor:
    return torch.randn(frames, TEXT_WIDTH, generator=torch.Generator().manual_seed(seed))


def spoken(toy: ToyBackbone, tokens: Tensor) -> Tensor:
    """Texts [f, L, C] of a prompt with these tokens [F, D]."""
    words = AudioTokens({"temp": tokens}, 8.0)
    return toy.encode_prompt("a ball <temp>", words, len(tokens)).per_frame


def test_it_is_loaded_by_the_class_of_its_denoiser(
    toy: ToyBackbone, toy_folder: Path, toy_family: None
) -> None:
    loaded = load_t2v(toy_folder)
    assert [type(network).__name__ for network in networks(loaded)] == ["CLIPTextModel", "ToyDiT", "ToyVAE"]
    assert loaded.fingerprint() == toy.fingerprint()
    assert list(load_t2v(toy_folder, "bf16", parts=["vae"]).parts()) == ["vae"]
    assert loaded.spec.grid(33, 64, 32) == Grid(16, 9, 4, 8)


def test_without_its_line_it_is_named(toy_folder: Path) -> None:
    with pytest.raises(CheckpointError, match=r"transformer: is a ToyDiT, expected one of UNet3D"):
        load_t2v(toy_folder)
    found = identify(toy_folder)
    assert found.kind == "diffusers folder of another kind"
    assert found.facts["transformer"] == "ToyDiT"
    assert found.facts["parts"] == ["transformer", "vae", "text_encoder", "tokenizer", "scheduler"]
    assert "missing parts" not in found.facts


def test_what_it_can_do(toy: ToyBackbone) -> None:
    assert require(toy, Recompute, "a test") is toy
    lacking: tuple[Any, ...] = (FeatureReuse, HalfPrecision, WindowedAttention, WordEmbeddings)
    for capability in lacking:
        with pytest.raises(A2VError, match=f"a test: a toy DiT cannot do that .*lacks {capability.__name__}"):
            require(toy, capability, "a test")


def test_a_latent_frame_hears_the_sound_of_its_frames(toy: ToyBackbone) -> None:
    tokens = speech(9)
    texts = spoken(toy, tokens)
    assert texts.shape == (3, 77, TEXT_WIDTH)
    for place, frames in enumerate((tokens[:1], tokens[1:5], tokens[5:])):
        same = spoken(toy, frames.mean(0).expand(9, -1))
        torch.testing.assert_close(texts[place], same[0])
    changed = tokens.clone()
    changed[6] *= -1
    different = (spoken(toy, changed) - texts).abs().amax(dim=(1, 2))
    assert different[:2].tolist() == [0, 0]
    assert different[2] > 0.1
    with pytest.raises(A2VError, match="for 9 frames, not 13"):
        toy.encode_prompt("<temp>", AudioTokens({"temp": tokens}, 8.0), 13)


def test_texts_of_a_training_are_those_of_sampling(toy: ToyBackbone) -> None:
    words = speech(18).view(2, 9, -1).requires_grad_()
    states = toy.encode_texts(["a ball <temp>", "a bell"], {"temp": words}).states
    assert states.shape == (2, 3, 77, TEXT_WIDTH)
    torch.testing.assert_close(states[0], spoken(toy, words[0].detach()))
    torch.testing.assert_close(states[1], toy.encode_prompt("a bell", None, 9).per_frame)
    (gradient,) = torch.autograd.grad(states[0, 1].square().sum(), words)
    heard = gradient.abs().sum(dim=2) > 0
    assert heard.tolist() == [[False, *[True] * 4, *[False] * 4], [False] * 9]


def test_gradients_are_the_same_when_activations_are_computed_again(toy: ToyBackbone) -> None:
    x, t = torch.randn(1, 16, 3, 4, 4, generator=torch.Generator().manual_seed(1)), torch.tensor([400, 900])
    texts = toy.encode_texts(["a ball", "a bell"], {"temp": speech(18).view(2, 9, -1)}).states
    gradients: list[Tensor] = []
    for again in (False, True):
        undo = toy.recompute_activations() if again else lambda: None
        own = texts.clone().requires_grad_()
        gradients += torch.autograd.grad(toy.denoise(x, t, ContextBatch(own)).square().sum(), own)
        undo()
    assert torch.equal(*gradients)
    assert gradients[0].abs().max() > 0
    assert not toy.dit.recomputes


@pytest.mark.parametrize("chunk", [1, 2, 8])
def test_pieces_do_not_change_the_picture(toy: ToyBackbone, chunk: int) -> None:
    latents = torch.randn(1, 16, 5, 4, 2, generator=torch.Generator().manual_seed(2))
    parts = list(toy.decode(latents, chunk))
    frames = torch.cat(parts)
    assert [len(part) for part in parts] == {1: [1, 4, 4, 4, 4], 2: [5, 8, 4], 8: [17]}[chunk]
    assert frames.shape == (17, 32, 16, 3)
    torch.testing.assert_close(frames, decode_video(toy, latents, 5))
    assert (frames[1:] - frames[:-1]).abs().mean() > 0.1
    again = toy.encode(frames, chunk)
    assert again.shape == latents.shape
    torch.testing.assert_close(again, toy.encode(frames, 5))
    # Time-causal: the latents of the first frames are those of the frames alone.
    torch.testing.assert_close(toy.encode(frames[:9], chunk), again[:, :, :3])


def test_clips_that_cannot_be_are_refused(toy: ToyBackbone) -> None:
    with pytest.raises(A2VError, match=r"num_frames is 8: a toy DiT makes videos of 4n\+1 frames, such as 9"):
        toy.encode(torch.zeros(8, 32, 32, 3), 1)
    with pytest.raises(A2VError, match="width is 24 pixels: it must be divisible by 16, such as 32"):
        toy.encode(torch.zeros(9, 32, 24, 3), 1)


def test_the_sampler_node_previews_its_latents(toy: ToyBackbone) -> None:
    """As a picture of the first latent frame, in the colours that ComfyUI has for this format."""
    comfy = find_comfyui()
    latents = torch.randn(1, 16, 3, 2, 4, generator=torch.Generator().manual_seed(3))
    facts = [str(ROOT), str(comfy), toy.spec.latent_format, toy.spec.latent_channels, latents.tolist()]
    said = subprocess.run(
        [sys.executable, "-c", PREVIEW, json.dumps(facts)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    kind, size, pixels = json.loads(said.stdout.splitlines()[-1])
    assert (kind, size) == ("JPEG", [4, 2])
    colours = _formats(comfy).Wan21()
    rgb = latents[0, :, 0].movedim(0, -1) @ torch.tensor(colours.latent_rgb_factors)
    shown = ((rgb + torch.tensor(colours.latent_rgb_factors_bias) + 1) / 2).clamp(0, 1) * 255
    assert (torch.tensor(pixels).view(2, 4, 3) - shown.floor()).abs().max() <= 1


def _formats(comfy: Path) -> Any:
    """ComfyUI's list of latent formats, which needs nothing of ComfyUI."""
    spec = importlib.util.spec_from_file_location("formats", comfy / "comfy" / "latent_formats.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
