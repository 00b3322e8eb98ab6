"""BEATs as ComfyUI's AUDIO_ENCODER: a drop-in for core's audio encoders that also keeps the structure."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ..a2v_core.audio import encode_overlapping
from ..a2v_core.audio.beats import BEATs
from ..a2v_core.errors import A2VError
from . import runtime

FEATURES_KEY = "a2v_features"
_BYTES_PER_TOKEN = 2**17  # activations of a layer of the published size: attention, feed-forward, copies
_WINDOWS_SECONDS = 16  # windows that the library classifies at once


def require_beats(audio_encoder: Any, node: str) -> BEATsAudioEncoder:
    """What a node gets at its input audio_encoder. A2VError for another encoder than BEATs."""
    if not isinstance(audio_encoder, BEATsAudioEncoder):
        raise A2VError(
            f"{node}: the audio encoder is a {type(audio_encoder).__name__}, not BEATs. Connect "
            "Load BEATs; for another encoder use Audio Encoder Encode"
        )
    return audio_encoder


class BEATsAudioEncoder:
    """What Load BEATs gives. Core's Audio Encoder Encode calls `encode_audio` on it."""

    model_sample_rate = 16000

    def __init__(self, model: BEATs) -> None:
        self.model = model
        self._managed = runtime.Managed(model, runtime.text_devices())

    def classifier(self) -> BEATs:
        """The model where it computes, to hear short windows with."""
        self._managed.load(_WINDOWS_SECONDS * 50 * _BYTES_PER_TOKEN)
        return self.model

    def encode_audio(self, audio: Tensor, sample_rate: int) -> dict[str, Any]:
        """Core's contract: sound [B, C, N] at `sample_rate` Hz -> AUDIO_ENCODER_OUTPUT. See `encode`."""
        return self.encode(audio, sample_rate)

    def encode(
        self,
        samples: Tensor,
        sample_rate: int,
        hop_divisor: int = 1,
        chunk_seconds: float = 0.0,
        overlap_seconds: float = 0.0,
    ) -> dict[str, Any]:
        """AUDIO_ENCODER_OUTPUT of sounds [B, C, N] at `sample_rate` Hz, on the CPU in float32.

        encoded_audio             last layer [B, T * Q, D], time-major, Q = 8 frequency patches fastest
        encoded_audio_all_layers  list of all L layers, each like encoded_audio
        audio_samples             length of the sound in samples at 16 kHz
        a2v_features              AudioFeatures: the same with time and frequency apart, and the times

        Raises MediaError for sound that BEATs cannot hear (see a2v_core.audio.encode).
        """
        seconds = samples.shape[-1] / max(sample_rate, 1)
        at_once = min(chunk_seconds or seconds, seconds)
        self._managed.load(len(samples) * at_once * 50 * _BYTES_PER_TOKEN)
        progress = runtime.Progress(1)
        with runtime.cancel_points(self.model.encoder.layers):
            features = encode_overlapping(
                self.model, samples, sample_rate, hop_divisor, chunk_seconds, overlap_seconds, progress
            )
        layers = [layer.flatten(1, 2) for layer in features.layers.unbind(1)]
        return {
            "encoded_audio": layers[-1],
            "encoded_audio_all_layers": layers,
            "audio_samples": features.waveform_16k.shape[-1],
            FEATURES_KEY: features,
        }
