"""Sound: waveform -> BEATs features, and onsets.

Files are read by `media`, whose names for sound are exported here too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..doors import lazy_door
from ..media import Waveform, resample
from .beats import BEATs, BEATsConfig, load_beats, save_beats
from .encode import encode_audio
from .fbank import beats_fbank, kaldi_fbank
from .features import AudioFeatures
from .mono import to_mono_16k
from .onsets import MIN_STRENGTH, ONSET_DELTA, Onsets, detect_onsets, pick_onsets, trusted_onsets
from .overlap import encode_overlapping

if TYPE_CHECKING:
    from ..media import load_audio
    from .onset_stream import file_onsets

__all__ = [
    "MIN_STRENGTH",
    "ONSET_DELTA",
    "AudioFeatures",
    "BEATs",
    "BEATsConfig",
    "Onsets",
    "Waveform",
    "beats_fbank",
    "detect_onsets",
    "encode_audio",
    "encode_overlapping",
    "file_onsets",
    "kaldi_fbank",
    "load_audio",
    "load_beats",
    "pick_onsets",
    "resample",
    "save_beats",
    "to_mono_16k",
    "trusted_onsets",
]

__getattr__, __dir__ = lazy_door(__name__, {"..media": "load_audio", ".onset_stream": "file_onsets"})
