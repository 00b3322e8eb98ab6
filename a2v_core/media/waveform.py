"""A decoded sound. Legend: C channels, N samples."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import MediaError
from .resampling import check_finite


@dataclass(frozen=True)
class Waveform:
    """A decoded sound: `samples` float32 [C, N], full scale -1..1, at `sample_rate` Hz."""

    samples: Tensor
    sample_rate: int

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.samples.shape[-1] / self.sample_rate


def checked_samples(sound: Waveform) -> Tensor:
    """The samples, float32 [C, N] on the CPU. MediaError for an empty sound, a rate of 0, NaN or infinity."""
    samples, rate = sound.samples.detach().to("cpu", torch.float32), sound.sample_rate
    if samples.ndim != 2 or 0 in samples.shape:
        raise MediaError(
            f"Sound has shape {tuple(samples.shape)}: expected [channels, samples], at least one each."
        )
    if rate <= 0:
        raise MediaError(f"Sound has a sample rate of {rate} Hz: expected more than 0.")
    check_finite(samples, "the sound")
    return samples
