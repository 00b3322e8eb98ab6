"""Real models at toy size and sounds, put where ComfyUI looks for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from a2v_core.audio import save_beats
from a2v_core.tokens import AudioMapper, MapperConfig, save_mapper
from a2v_core.tokens.types import Layout
from tests.audio.tiny import TINY_CFG, tiny_beats
from tests.golden_recipe import fill_module
from tests.media.files import Samples, sweep, write_silent_video, write_sound
from tests.tiny_core_wan import write_adapter
from tests.tiny_t2v import TEXT_WIDTH, make_tiny_t2v

ADAPTER = "tiny.safetensors"  # for the Wan of tiny_core_wan
BEATS, MAPPER, PUBLISHED_MAPPER, T2V = "tiny.safetensors", "tiny.safetensors", "published.safetensors", "tiny"
RATE = 22050
SECONDS = 1.0


def install_models(models: Path) -> None:
    """BEATs of 3 layers, mappers of both layouts, a text-to-video model that fit one another, an adapter."""
    encoders, mappers = models / "audio_encoders", models / "a2v_mappers"
    adapters = models / "a2v_audio_adapters"
    for folder in (encoders, mappers, adapters):
        folder.mkdir(parents=True, exist_ok=True)
    save_beats(encoders / BEATS, tiny_beats())
    save_mapper(mappers / MAPPER, mapper("time_aligned"))
    save_mapper(mappers / PUBLISHED_MAPPER, mapper("reference"))
    save_mapper(mappers / "wide.safetensors", mapper("time_aligned", output_size=TEXT_WIDTH + 8))
    write_adapter(adapters / ADAPTER, mapper("time_aligned"))
    make_tiny_t2v(models / "a2v_t2v" / T2V)
    (mappers / "README.md").write_text("not a model")


def mapper(layout: Layout, output_size: int = TEXT_WIDTH) -> AudioMapper:
    """An AudioMapper for tiny BEATs features and the tiny text encoder."""
    layers, width = TINY_CFG["encoder_layers"], TINY_CFG["encoder_embed_dim"]
    assert isinstance(layers, int)
    assert isinstance(width, int)
    made = AudioMapper(
        MapperConfig(input_size=layers * width, hidden_size=16, output_size=output_size, layout=layout)
    )
    made.load_state_dict(fill_module(made.state_dict()))
    return made.eval()


def hits(rate: int = RATE, channels: int = 2, seconds: float = SECONDS) -> Samples:
    """Three short bursts of noise over silence, [C, N]."""
    samples = np.zeros((channels, round(rate * seconds)), np.float32)
    noise = np.random.default_rng(0).uniform(-0.8, 0.8, (channels, rate // 20)).astype(np.float32)
    for start in (0.25, 0.5, 0.75):
        at = round(start * seconds * rate)
        length = min(noise.shape[1], samples.shape[1] - at)
        samples[:, at : at + length] = noise[:, :length]
    return samples


def install_sounds(folder: Path) -> None:
    """hits.wav and its unusual relatives, a video without sound, and files that are broken."""
    write_sound(folder / "hits.wav", hits(), RATE, "pcm_s16le")
    write_sound(folder / "double.wav", hits().astype(np.float32), RATE, "pcm_f64le")
    write_sound(folder / "surround_192k.wav", sweep(192000, 6, 0.5), 192000, "pcm_f32le")
    write_sound(folder / "slow_4k.wav", sweep(4000, 1, 0.5), 4000, "pcm_s16le")
    write_sound(folder / "short.wav", sweep(16000, 1, 0.1), 16000, "pcm_s16le")
    broken = sweep(16000, 1, 0.5)
    broken[0, 100] = np.nan
    write_sound(folder / "nan.wav", broken, 16000, "pcm_f32le")
    write_sound(folder / "clip.mp4", sweep(RATE, 1, 0.5), RATE, "aac", pictures_from=0.0)
    write_silent_video(folder / "silent.mp4")
    (folder / "empty.wav").write_bytes(b"")
    (folder / "text.wav").write_text("not a sound at all")
