"""Sound: waveform -> BEATs features. Files are read by `media`; its names for sound are named here too."""

from ..media import Waveform, load_audio, resample
from .beats import BEATs, BEATsConfig, load_beats, save_beats
from .encode import HOP_DIVISORS, encode_audio
from .fbank import beats_fbank, kaldi_fbank
from .features import AudioFeatures
from .mono import to_mono_16k

__all__ = [
    "HOP_DIVISORS",
    "AudioFeatures",
    "BEATs",
    "BEATsConfig",
    "Waveform",
    "beats_fbank",
    "encode_audio",
    "kaldi_fbank",
    "load_audio",
    "load_beats",
    "resample",
    "save_beats",
    "to_mono_16k",
]
