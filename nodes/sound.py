"""The AUDIO socket: anything a pack may put there -> float32 samples, and back.

Legend: B sounds, C channels, N samples.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..a2v_core.errors import MediaError
from ..a2v_core.media import Waveform, check_finite


def read_audio(audio: Any, node: str) -> tuple[Tensor, int]:
    """Samples float32 [B, C, N] on the CPU, and their rate in Hz, of an AUDIO value for the node `node`.

    It may be a dict or a mapping that decodes when asked, of any float type and on any device. Raises
    MediaError for None, for a sound without samples and for anything else.
    """
    if audio is None:
        raise MediaError(
            f"{node}: the input audio is None (the source video may have no audio track). Connect a sound, "
            "such as from Load Audio"
        )
    try:
        waveform, rate = audio["waveform"], int(audio["sample_rate"])
    except (KeyError, TypeError, ValueError) as error:
        raise MediaError(
            f"{node}: the input audio is not an AUDIO value with waveform and sample_rate ({error}); "
            "connect the audio output of a loader"
        ) from error
    if not isinstance(waveform, Tensor) or not waveform.is_floating_point() or waveform.ndim != 3:
        shape = list(waveform.shape) if isinstance(waveform, Tensor) else type(waveform).__name__
        raise MediaError(f"{node}: the input audio is {shape}, expected floats [sounds, channels, samples]")
    if waveform.numel() == 0 or rate < 1:
        raise MediaError(
            f"{node}: the input audio is empty ({list(waveform.shape)} at {rate} Hz); choose another part "
            "or file"
        )
    return waveform.to("cpu", torch.float32), rate


def one_sound(audio: Any, index: int, node: str) -> Waveform:
    """Sound `index` of an AUDIO value, counted from 0. MediaError as `read_audio`, and for an index that is
    not there, NaN and infinite samples."""
    samples, rate = read_audio(audio, node)
    if not 0 <= index < len(samples):
        raise MediaError(
            f"{node}: batch_index is {index}, but the input audio has {len(samples)} sounds (from 0)"
        )
    check_finite(samples[index], f"{node}: the input audio")
    return Waveform(samples[index], rate)


def only_sound(audio: Any, node: str) -> Waveform:
    """The sound of an AUDIO value that holds one. MediaError as `one_sound`, and for a batch of several."""
    samples, _ = read_audio(audio, node)
    if len(samples) != 1:
        raise MediaError(
            f"{node}: the input audio has {len(samples)} sounds, expected one; split the batch, or "
            "make a list of it"
        )
    return one_sound(audio, 0, node)


def as_audio(sound: Waveform) -> dict[str, Any]:
    """A sound as an AUDIO value."""
    return {"waveform": sound.samples[None], "sample_rate": sound.sample_rate}
