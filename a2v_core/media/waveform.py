"""A decoded sound. Legend: C channels, N samples."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Waveform:
    """A decoded sound: `samples` float32 [C, N], full scale -1..1, at `sample_rate` Hz."""

    samples: Tensor
    sample_rate: int

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.samples.shape[-1] / self.sample_rate
