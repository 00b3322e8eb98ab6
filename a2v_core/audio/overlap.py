"""BEATs features of a long sound: overlapping chunks, cross-faded on one time axis.

BEATs was trained on sounds of 10 s and the cost of its attention is quadratic, so a long sound is encoded in
chunks of such a length. Separate chunks (`encode_audio` with chunk_seconds, as published) lack the context of
the sound before them; here every chunk starts within the one before, on the same grid of steps, and the two
are cross-faded where they overlap.

Shapes: B sounds, C channels, N samples, T time steps.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ..errors import MediaError
from .beats import BEATs
from .encode import encode_audio
from .fbank import FRAME_SAMPLES, HOP_SAMPLES, SAMPLE_RATE
from .features import AudioFeatures
from .mono import to_mono_16k

CHUNK_SECONDS = 10.0


@torch.no_grad()
def encode_overlapping(
    model: BEATs,
    samples: Tensor,
    sample_rate: int,
    hop_divisor: int = 1,
    chunk_seconds: float = CHUNK_SECONDS,
    overlap_seconds: float = 2.0,
    progress: Callable[[int, int], None] | None = None,
) -> AudioFeatures:
    """`encode_audio` of sounds [B, C, N] of any length, with evenly spaced steps from start to end.

    Chunk and overlap are rounded to whole steps of 160 ms. A sound of one chunk is encoded exactly as by
    `encode_audio`, and so is any where chunk or overlap is 0. `progress(done, total)` is called after every
    chunk and shift; it may raise to cancel.
    MediaError as `encode_audio`, and for an overlap that is not shorter than the chunk.
    """
    if not (chunk_seconds and overlap_seconds):
        return encode_audio(model, samples, sample_rate, hop_divisor, chunk_seconds, progress)
    patch = model.config.input_patch_size
    grid = patch * HOP_SAMPLES
    length, overlap = (round(seconds * SAMPLE_RATE / grid) for seconds in (chunk_seconds, overlap_seconds))
    if not 0 <= overlap < length:
        raise MediaError(
            f"overlap_seconds is {overlap_seconds} and chunk_seconds {chunk_seconds}: chunks of at least "
            "0.16 s are needed that overlap by less than their length"
        )
    waveform = to_mono_16k(samples, sample_rate).cpu() if samples.ndim == 3 else samples
    # Samples behind a chunk of `length` steps: its last spectrogram row reaches beyond the last step, and
    # shifted encodings start up to a step later.
    reach = length * grid + FRAME_SAMPLES - HOP_SAMPLES + grid * (hop_divisor - 1) // hop_divisor
    if waveform.shape[-1] <= reach:
        return encode_audio(model, samples, sample_rate, hop_divisor, progress=progress)

    count = 1 + -(-(waveform.shape[-1] - reach) // ((length - overlap) * grid))
    whole: Tensor | None = None
    for number in range(count):
        start = number * (length - overlap)
        part = waveform[
            :, None, start * grid : start * grid + (reach if number < count - 1 else waveform.shape[-1])
        ]

        def report(done: int, total: int, before: int = number) -> None:
            if progress is not None:
                progress(before * total + done, count * total)

        chunk = encode_audio(model, part, SAMPLE_RATE, hop_divisor, progress=report)
        whole = chunk.layers if whole is None else _crossfade(whole, chunk.layers, start * hop_divisor)
    assert whole is not None
    return AudioFeatures(
        layers=whole,
        times=(torch.arange(whole.shape[2], dtype=torch.float64) * chunk.step_seconds).float(),
        duration=samples.shape[-1] / sample_rate,
        step_seconds=chunk.step_seconds,
        waveform_16k=waveform,
    )


def _crossfade(before: Tensor, after: Tensor, start: int) -> Tensor:
    """Cross-fade two pieces [B, L, T, Q, D], the second of which begins at step `start` of the first."""
    shared = min(before.shape[2] - start, after.shape[2])
    ramp = torch.arange(1, shared + 1, dtype=torch.float32) / (shared + 1)
    faded = torch.lerp(before[:, :, start : start + shared], after[:, :, :shared], ramp[:, None, None])
    return torch.cat([before[:, :, :start], faded, after[:, :, shared:]], dim=2)
