"""The AUDIO socket: anything a pack may put there -> float32 samples; and the sound that goes with a clip.

Legend: B sounds, C channels, N samples, F video frames.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as nnf
from torch import Tensor

from ..a2v_core.errors import MediaError
from ..a2v_core.media import aac_rate, check_finite, resample


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


def clip_sound(samples: Tensor, rate: int, index: int, frames: int, fps: float, node: str) -> dict[str, Any]:
    """AUDIO of exactly `frames` / `fps` seconds: sound `index` of [B, C, N], cut or padded with silence.

    Channels and rate stay as they are, as far as Save Video can write them: more than two channels are mixed
    to one, a rate that AAC lacks is resampled to the next. Raises MediaError for a wrong index, NaN and
    infinite samples.
    """
    if not 0 <= index < len(samples):
        raise MediaError(
            f"{node}: batch_index is {index}, but the input audio has {len(samples)} sounds (from 0)"
        )
    sound = samples[index]
    check_finite(sound, f"{node}: the input audio")
    if len(sound) > 2:
        sound = sound.mean(dim=0, keepdim=True)
    target = aac_rate(rate)
    # Cut before resampling: of an hour of sound only the clip's seconds matter.
    sound = resample(sound[:, : round(frames / fps * rate) + rate], rate, target)
    wanted = round(frames / fps * target)
    sound = nnf.pad(sound[:, :wanted], (0, max(0, wanted - sound.shape[1])))
    return {"waveform": sound[None], "sample_rate": target}
