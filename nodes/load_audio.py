"""Load Audio: a sound file, the sound track of a video, or a sound that ships with the pack."""

from __future__ import annotations

from comfy_api.latest import io

from ..a2v_core.media import load_audio
from . import folders
from .sockets import CATEGORY


class A2VLoadAudio(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="A2VLoadAudio",
            display_name="Load Audio",
            category=CATEGORY,
            description=(
                "Loads a sound file, or the sound track of a video, from ComfyUI's input folder, with all "
                "channels and at its own sample rate. A part of it can be chosen in seconds."
            ),
            inputs=[
                io.Combo.Input(
                    "audio",
                    options=folders.sound_names(),
                    upload=io.UploadType.audio,
                    tooltip=(
                        "Sound or video file of the input folder; the sounds that ship with the pack come "
                        "last."
                    ),
                ),
                io.Float.Input(
                    "start_time",
                    default=0.0,
                    min=0.0,
                    max=86400.0,
                    step=0.01,
                    tooltip="Seconds to skip at the start.",
                ),
                io.Float.Input(
                    "duration",
                    default=0.0,
                    min=0.0,
                    max=86400.0,
                    step=0.01,
                    tooltip="Seconds to load from there. 0 = to the end; more than there is also ends there.",
                ),
            ],
            outputs=[io.Audio.Output(tooltip="The sound, unchanged: its own channels and sample rate.")],
        )

    @classmethod
    def validate_inputs(cls, audio: str | None = None) -> bool | str:
        return folders.check_sound(audio)

    @classmethod
    def fingerprint_inputs(cls, audio: str | None, start_time: float | None, duration: float | None) -> str:
        return folders.sound_stamp(audio)

    @classmethod
    def execute(cls, audio: str, start_time: float, duration: float) -> io.NodeOutput:
        wave = load_audio(folders.sound_path(audio), start_time, duration)
        return io.NodeOutput({"waveform": wave.samples[None], "sample_rate": wave.sample_rate})
