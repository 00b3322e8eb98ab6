"""Sound: file -> waveform -> BEATs features."""

from .features import AudioFeatures, Waveform

__all__ = ["AudioFeatures", "Waveform"]
