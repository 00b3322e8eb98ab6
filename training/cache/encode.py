"""Encodes a clip for training: latents of its frames and BEATs features of its sound.

Legend: c latent channels, f latent frames, h w latent size, L encoder layers, T audio steps, Q frequency
bands (8, or 1 when averaged), D width of a layer, N samples at 16 kHz.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as nnf
from torch import Tensor

from a2v_core.audio import encode_audio, load_beats, to_mono_16k
from a2v_core.backbones import load_t2v, to_device

from ..config import Config
from ..data import Clip, Item, Unusable, unusable

SAMPLE_RATE = 16000
FRAMES_AT_ONCE = 8


@dataclass(frozen=True)
class Sample:
    """One clip of one file.

    id, number  which clip
    latents     float32 [c, f, h, w]
    layers      float32 [L, T, Q, D]
    times       float32 [T], start of every step in seconds
    caption     its text, or empty
    sound       float32 [N] of held-out clips; else empty
    """

    id: str
    number: int
    latents: Tensor
    layers: Tensor
    times: Tensor
    caption: str
    sound: Tensor


class Encoder:
    """BEATs and the VAE, frozen, in float32.

    A2VError when the model has no clips of the config's length or size; it names the nearest.
    """

    def __init__(self, config: Config, device: torch.device) -> None:
        self.config = config
        self.beats = load_beats(config.models.beats).to(device).requires_grad_(False)
        self.backbone = load_t2v(config.models.t2v, parts=["vae"])
        data = config.data
        self.backbone.spec.grid(data.num_frames, data.width, data.height)  # no clip could be encoded
        to_device(self.backbone, device)

    def try_encode(self, item: Item, number: int, clip: Clip) -> Sample | Unusable:
        """`encode`, or `Unusable` with the reason."""
        try:
            return self.encode(item, number, clip)
        except torch.OutOfMemoryError:
            raise  # not due to the file
        except Exception as error:  # one bad file never ends a run over many
            return unusable(item, error)

    def encode(self, item: Item, number: int, clip: Clip) -> Sample:
        """Latents and features of a clip."""
        data, audio = self.config.data, self.config.audio
        mono = to_mono_16k(clip.sound.samples, clip.sound.sample_rate)
        # After resampling some clips may have a sample, and so a BEATs step, more than others.
        length = round(data.clip_seconds * SAMPLE_RATE)
        mono = nnf.pad(mono, (0, max(0, length - len(mono))))[:length]
        features = encode_audio(
            self.beats, mono[None, None], SAMPLE_RATE, audio.hop_divisor, audio.chunk_seconds
        )
        layers = features.layers[0]
        if self.config.cache.layers:
            layers = layers[self.config.cache.layers]
        if self.config.averages_frequency:
            layers = layers.mean(dim=2, keepdim=True)
        latents = self.backbone.encode(clip.frames.float() / 255, FRAMES_AT_ONCE)
        return Sample(
            id=item.id,
            number=number,
            latents=latents[0].contiguous(),
            layers=layers,
            times=features.times,
            caption=item.caption,
            sound=mono if item.split == "test" else torch.empty(0),
        )
