"""A sound -> the audio tokens of every frame.

Legend: C channels, N samples.
"""

from __future__ import annotations

import torch

from ..audio import AudioFeatures, BEATs, encode_overlapping
from ..media import Waveform
from ..tokens import CHUNK_FRAMES, AudioMapper, AudioTokens, pool_long
from .request import DEFAULT_FPS

BEATS_STEP_MS = 160


def hear(
    beats: BEATs,
    mapper: AudioMapper,
    sound: Waveform,
    num_frames: int = 0,
    fps: float = DEFAULT_FPS,
    *,
    chunk_seconds: float | None = None,
    overlap_seconds: float = 0.0,
    class_window: int = CHUNK_FRAMES,
) -> AudioTokens:
    """The audio tokens of a video of `num_frames` at `fps` frames per second; 0 = as long as the sound.

    chunk_seconds, overlap_seconds   see `listen`
    class_window                     see `pool_long`; 0 = attentive pooling over the whole sound
    A2VError for a sound that cannot be encoded, and for models that do not fit together.
    """
    features = listen(beats, mapper, sound, fps, chunk_seconds, overlap_seconds)
    return pool_long(mapper, mapper.frame_tokens(features, num_frames, fps), class_window)


@torch.no_grad()
def listen(
    beats: BEATs,
    mapper: AudioMapper,
    sound: Waveform,
    fps: float = DEFAULT_FPS,
    chunk_seconds: float | None = None,
    overlap_seconds: float = 0.0,
) -> AudioFeatures:
    """What BEATs hears of a sound [C, N], at the hop that the mapper was trained with.

    chunk_seconds    the sound is encoded in pieces of this length; 0 = whole; None = as the mapper knows it:
                     in pieces of 24 frames for layout `reference`, whole for `time_aligned`
    overlap_seconds  every piece begins so long before the last one ends and fades into it
    """
    hop_divisor = BEATS_STEP_MS // int(mapper.config.facts.get("hop_ms", BEATS_STEP_MS))
    if chunk_seconds is None:
        chunk_seconds = CHUNK_FRAMES / fps if mapper.config.layout == "reference" else 0.0
    samples = sound.samples[None]
    return encode_overlapping(beats, samples, sound.sample_rate, hop_divisor, chunk_seconds, overlap_seconds)
