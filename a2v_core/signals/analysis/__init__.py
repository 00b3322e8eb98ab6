"""Sound -> onsets and curves, in one pass over a stream."""

from .bands import NAMED_BANDS, Band
from .curve import Curve, Unit
from .kinds import FLUX, LOUDNESS, ONSET, RMS, SIGNALS, band_of
from .levels import SILENCE_LUFS, integrated_loudness, k_weighting, lufs
from .measure import Measured, measure
from .onsets import Onset
from .source import Sound, open_stream

__all__ = [
    "FLUX",
    "LOUDNESS",
    "NAMED_BANDS",
    "ONSET",
    "RMS",
    "SIGNALS",
    "SILENCE_LUFS",
    "Band",
    "Curve",
    "Measured",
    "Onset",
    "Sound",
    "Unit",
    "band_of",
    "integrated_loudness",
    "k_weighting",
    "lufs",
    "measure",
    "open_stream",
]
