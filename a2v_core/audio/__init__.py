"""Sound: file -> waveform -> BEATs features."""

from .beats import BEATs, BEATsConfig, load_beats, save_beats
from .encode import HOP_DIVISORS, encode_audio
from .fbank import beats_fbank, kaldi_fbank
from .features import AudioFeatures, Waveform
from .io import load_audio
from .resample import resample, to_mono_16k

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
