"""Load BEATs: the audio encoder from models/audio_encoders."""

from __future__ import annotations

from comfy_api.latest import io

from ..a2v_core.audio.beats import load_beats
from . import downloads, folders
from .beats import BEATsAudioEncoder
from .sockets import CATEGORY


class A2VLoadBEATs(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="A2VLoadBEATs",
            display_name="Load BEATs",
            category=CATEGORY,
            description=(
                "Loads a BEATs audio encoder from models/audio_encoders: the published .pt files, or "
                "safetensors converted from them. ComfyUI's Audio Encoder Encode takes it too."
            ),
            inputs=[
                downloads.name_input(
                    folders.ENCODERS,
                    "beats_name",
                    "BEATs file in models/audio_encoders (.pt or .safetensors). Other audio encoders in that "
                    "folder are refused. Use the BEATs that the AudioMapper was trained with.",
                ),
                downloads.switch_input(),
            ],
            outputs=[
                io.AudioEncoder.Output(
                    tooltip="The encoder, for BEATs Encode or core's Audio Encoder Encode."
                )
            ],
        )

    @classmethod
    def validate_inputs(
        cls, beats_name: str | None = None, download_if_missing: bool | None = False
    ) -> bool | str:
        return downloads.check_model(folders.ENCODERS, beats_name, download_if_missing)

    @classmethod
    def fingerprint_inputs(cls, beats_name: str | None, download_if_missing: bool | None = None) -> str:
        return folders.model_stamp(folders.ENCODERS, beats_name)

    @classmethod
    def execute(cls, beats_name: str, download_if_missing: bool = False) -> io.NodeOutput:
        path = downloads.model_path(folders.ENCODERS, beats_name, download_if_missing)
        return io.NodeOutput(BEATsAudioEncoder(load_beats(path)))
