"""A sound cut or padded to the length of a video. Legend: C channels, N samples, F video frames."""

from __future__ import annotations

import torch.nn.functional as nnf

from .formats import aac_rate
from .resampling import resample
from .waveform import Waveform


def fit_sound(sound: Waveform, num_frames: int, fps: float) -> Waveform:
    """A sound of exactly `num_frames` / `fps` seconds: cut, or followed by silence.

    Channels and rate stay as they are, as far as an mp4 can hold them: more than two channels are mixed to
    one, a rate that AAC lacks is resampled to the next.
    """
    samples, rate = sound.samples, sound.sample_rate
    if len(samples) > 2:
        samples = samples.mean(dim=0, keepdim=True)
    target = aac_rate(rate)
    # Cut before resampling: of an hour of sound only the clip's seconds matter.
    samples = resample(samples[:, : round(num_frames / fps * rate) + rate], rate, target)
    length = round(num_frames / fps * target)
    samples = nnf.pad(samples[:, :length], (0, max(0, length - samples.shape[1])))
    return Waveform(samples, target)
