"""A tiny Wan of ComfyUI's own hears: in KSampler and with guiders, with and without guidance."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from a2v_core.audio import encode_audio, load_audio, load_beats
from a2v_core.backbones.dit import AudioAdapter, family_of, load_adapter
from a2v_core.backbones.wan import WanBackbone
from a2v_core.prompts import FrameContext
from a2v_core.sampling import SampleSettings, sample
from tests.comfyui import tiny_models
from tests.comfyui.driver import Comfy, Graph
from tests.comfyui.hearing.graphs import (
    ADAPTER,
    FRAMES,
    LATENT_FRAMES,
    SIDE,
    difference,
    floats,
    hearing,
    latents,
    link,
    node,
    plain,
    sampler,
)
from tests.tiny_core_wan import wan_transformer

SPEC = family_of("Wan", 16).spec
STEPS, SHIFT, SEED = 3, 8.0, 5


def custom(guider: dict[str, Any], sigmas: list[float]) -> Graph:
    """SamplerCustomAdvanced with a guider and Euler steps over the sigmas."""
    return {
        "sigmas": floats(sigmas),
        "noise": node("RandomNoise", noise_seed=SEED),
        "euler": node("KSamplerSelect", sampler_name="euler"),
        "guider": guider,
        "custom": node(
            "SamplerCustomAdvanced",
            noise=link("noise"),
            guider=link("guider"),
            sampler=link("euler"),
            sigmas=link("sigmas", 1),
            latent_image=link("latent"),
        ),
    }


def cfg_guider(cfg: float) -> dict[str, Any]:
    texts = {"positive": link("apply", 1), "negative": link("apply", 2)}
    return node("CFGGuider", model=link("apply"), **texts, cfg=cfg)


def simple_sigmas() -> list[float]:
    """Sigmas of ComfyUI's schedule "simple" for this model."""
    levels = [(1000 - int(step * 1000 / STEPS)) / 1000 for step in range(STEPS)]
    return [SHIFT * level / (1 + (SHIFT - 1) * level) for level in levels] + [0.0]


class Own:
    """The same model, adapter and sound in our own sampler, in the layout of diffusers."""

    def __init__(self, comfy: Comfy) -> None:
        models = comfy.server.models
        adapter = load_adapter(models / "a2v_audio_adapters" / ADAPTER)
        self.backbone = WanBackbone((wan_transformer(),), None, None, None, SPEC, SHIFT, adapter=adapter)
        self.tokens = own_tokens(comfy, adapter)

    def sigmas(self) -> list[float]:
        timesteps = self.backbone.schedule("euler", STEPS).timesteps
        return [*(timesteps / 1000).tolist(), 0.0]

    def latents(self, cfg: float, sound: float | None = None) -> Tensor:
        """In ComfyUI's scale, [1, 16, f, h, w]."""
        texts = [torch.randn(1, 6, 4096, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2)]
        index = torch.zeros(LATENT_FRAMES, dtype=torch.int64)
        heard = FrameContext(texts[0], index, self.tokens)
        settings = SampleSettings(STEPS, cfg, "euler", SEED, SIDE, SIDE, FRAMES, sound_guidance=sound)
        text, negative = (FrameContext(states, index) for states in texts)
        return unnormalised(sample(self.backbone, heard, negative, settings, text=text))


def own_tokens(comfy: Comfy, adapter: AudioAdapter) -> Tensor:
    """Audio tokens [f, n, D], by the library alone."""
    folder = comfy.server.folder / "by_hand"
    if not folder.exists():
        tiny_models.install_models(folder)
    sound = load_audio(comfy.server.input / "hits.wav")
    beats = load_beats(folder / "audio_encoders" / tiny_models.BEATS)
    features = encode_audio(beats, sound.samples[None], sound.sample_rate, 2)
    words = adapter.mapper.pool(adapter.mapper.frame_tokens(features, FRAMES, 16.0)).words
    return adapter.tokens({word: rows[None] for word, rows in words.items()}, SPEC)[0]


def unnormalised(x: Tensor) -> Tensor:
    from diffusers import AutoencoderKLWan

    config = AutoencoderKLWan(base_dim=4).config
    mean, std = (
        torch.tensor(values).view(1, -1, 1, 1, 1) for values in (config.latents_mean, config.latents_std)
    )
    return x * std + mean


@pytest.mark.parametrize(("cfg", "sound_cfg"), [(1.0, 1.0), (4.0, 1.0), (4.0, 3.0), (1.0, 2.0)])
def test_it_equals_our_own_sampler(models: Comfy, cfg: float, sound_cfg: float) -> None:
    """Weights, noise and schedule are the same; so the same adapter does the same in both."""
    own = Own(models)
    graph = {**hearing(sound_cfg=sound_cfg), **custom(cfg_guider(cfg), own.sigmas())}
    (found,) = latents(models, graph, "custom")
    # Ours scales what the sound adds to the text, ComfyUI's cfg both.
    expected = own.latents(cfg, cfg + sound_cfg - 1 if sound_cfg != 1 else None)
    torch.testing.assert_close(found, expected, atol=2e-3, rtol=1e-3)
    assert difference(expected, own.latents(cfg, 0.0)) > 0.1


def test_ksampler_hears(models: Comfy) -> None:
    """KSampler is SamplerCustomAdvanced with a CFGGuider, with CFG 1 and more."""
    graph = {**hearing(), "plain": plain(steps=STEPS)}
    for cfg in (1.0, 4.0):
        graph |= {f"heard {cfg}": sampler(steps=STEPS, cfg=cfg)}
    heard, once, unheard = latents(models, graph, "heard 4.0", "heard 1.0", "plain")
    assert difference(heard, unheard) > 0.1
    for cfg, expected in ((4.0, heard), (1.0, once)):
        (found,) = latents(models, {**hearing(), **custom(cfg_guider(cfg), simple_sigmas())}, "custom")
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
    assert "unet missing" not in models.server.log_text()
