"""Features of a sound from all layers of BEATs.

Shapes: B sounds, N samples, L encoder layers, T time steps, Q frequency patches, D layer width.
"""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class AudioFeatures:
    """Every layer of the audio encoder, time and frequency kept apart.

    layers        float32 [B, L, T, Q, D]; layers in the order they run, frequency patches from low to high
    times         float32 [T], start of each time step in seconds from the start of the sound, ascending.
                  `step_seconds` apart within an encoded piece; between two pieces the distance is larger,
                  since the encoder drops the last incomplete patch of a piece
    duration      length of the sound in seconds
    step_seconds  distance between two steps of a piece: 0.16 / hop divisor. A step covers 0.175 s of sound
    waveform_16k  float32 [B, N], the mono sound that was encoded, at 16 kHz
    """

    layers: Tensor
    times: Tensor
    duration: float
    step_seconds: float
    waveform_16k: Tensor

    def __post_init__(self) -> None:
        if self.layers.ndim != 5 or self.times.shape != (self.layers.shape[2],):
            raise ValueError(
                f"audio features need layers [B, L, T, Q, D] and one time per step, "
                f"got layers {tuple(self.layers.shape)} and times {tuple(self.times.shape)}"
            )
