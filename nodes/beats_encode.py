"""BEATs Encode: what BEATs hears in a sound, over time."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..a2v_core.errors import A2VError
from .beats import require_beats
from .sockets import CATEGORY, check_choice
from .sound import read_audio

HOPS = {"160 ms": 1, "80 ms": 2, "40 ms": 4}


class A2VBEATsEncode(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="A2VBEATsEncode",
            display_name="BEATs Encode",
            category=CATEGORY,
            description=(
                "Encodes a sound with BEATs, every layer of it. Any sample rate and number of channels: the "
                "sound is mixed to mono and resampled to 16 kHz."
            ),
            inputs=[
                io.AudioEncoder.Input(
                    "audio_encoder", tooltip="From Load BEATs. Other audio encoders are refused."
                ),
                io.Audio.Input("audio", tooltip="The sound; each sound of a batch is encoded."),
                io.Combo.Input(
                    "hop",
                    options=list(HOPS),
                    default="160 ms",
                    tooltip=(
                        "Distance between two steps. 160 ms is BEATs' own and what the published mappers "
                        "know; a finer hop encodes the sound 2 or 4 times, shifted, and is that much slower."
                    ),
                ),
                io.Float.Input(
                    "chunk_seconds",
                    default=0.0,
                    min=0.0,
                    max=3600.0,
                    step=0.1,
                    tooltip=(
                        "Encode every so many seconds apart; 0 = the whole sound at once. The published "
                        "mappers were trained on pieces of 1 and 2 s; pieces also keep long sounds fast."
                    ),
                ),
                io.Float.Input(
                    "overlap_seconds",
                    default=0.0,
                    min=0.0,
                    max=60.0,
                    step=0.1,
                    optional=True,
                    tooltip=(
                        "Let each piece begin so many seconds before the last one ends and fade into it, so "
                        "that none starts deaf; 0 = pieces stand apart, as published. For sounds of minutes: "
                        "chunk_seconds 10, overlap_seconds 2."
                    ),
                ),
            ],
            outputs=[
                io.AudioEncoderOutput.Output(
                    display_name="audio_features",
                    tooltip="Core's AUDIO_ENCODER_OUTPUT, and for AudioMapper every layer with its times.",
                )
            ],
        )

    @classmethod
    def validate_inputs(cls, hop: str | None = None) -> bool | str:
        return check_choice("hop", hop, HOPS)

    @classmethod
    def execute(
        cls, audio_encoder: Any, audio: Any, hop: str, chunk_seconds: float, overlap_seconds: float = 0.0
    ) -> io.NodeOutput:
        beats = require_beats(audio_encoder, "BEATs Encode")
        if hop not in HOPS:
            raise A2VError(f"BEATs Encode: {check_choice('hop', hop, HOPS)}")
        samples, rate = read_audio(audio, "BEATs Encode")
        return io.NodeOutput(beats.encode(samples, rate, HOPS[hop], chunk_seconds, overlap_seconds))
