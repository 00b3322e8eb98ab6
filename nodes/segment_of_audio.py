"""Segment of Audio: the part of a sound that belongs to a shot, exact to the sample."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..a2v_core.media import Waveform
from ..a2v_core.signals.cuts import sound_part
from .sockets import CATEGORY, check_choice, search_words
from .sound import as_audio, only_sound
from .sound_lengths import LENGTHS, custom_input, fps_input, frames_input, length_grid, lengths_input

NODE = "Segment of Audio"


class A2VSegmentOfAudio(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="A2VSegmentOfAudio",
            display_name=NODE,
            category=CATEGORY,
            description=(
                "The sound of a shot, from frame to frame: segments that follow one another join to the "
                "original to the sample. With the lists of Cut List it runs once for every shot."
            ),
            **search_words("trim audio", "cut audio", "split audio", "audio chunk"),
            inputs=[
                io.Audio.Input("audio", tooltip="The whole sound."),
                io.Float.Input(
                    "start",
                    default=0.0,
                    min=0.0,
                    max=86400.0,
                    step=0.001,
                    tooltip="Seconds at which the segment begins; moved to the nearest frame.",
                ),
                io.Float.Input(
                    "end",
                    default=0.0,
                    min=0.0,
                    max=86400.0,
                    step=0.001,
                    tooltip="Seconds at which it ends, where frames is 0. 0 = to the end of the sound.",
                ),
                frames_input("Frames of the segment, in the place of end. 0 = as end says."),
                fps_input(),
                lengths_input(),
                custom_input(),
            ],
            outputs=[
                io.Audio.Output(
                    display_name="audio",
                    tooltip="Exactly as long as its frames; silent after the end of the whole sound.",
                ),
                io.Int.Output(display_name="frames", tooltip="Frames of the segment, for the video model."),
                io.Float.Output(display_name="start", tooltip="Seconds at which it begins, on a frame."),
                io.Float.Output(display_name="end", tooltip="Seconds at which it ends, on a frame."),
                io.Int.Output(
                    display_name="first_frame",
                    tooltip="Number of its first frame in the whole video, from 0.",
                ),
                io.Float.Output(display_name="fps", tooltip="The fps, for Create Video."),
            ],
        )

    @classmethod
    def validate_inputs(cls, lengths: str | None = None) -> bool | str:
        return check_choice("lengths", lengths, LENGTHS)

    @classmethod
    def execute(
        cls,
        audio: Any,
        start: float,
        end: float,
        frames: int,
        fps: float,
        lengths: str,
        custom_lengths: str,
    ) -> io.NodeOutput:
        sound: Waveform = only_sound(audio, NODE)
        part = sound_part(sound, fps, start, end, frames, length_grid(lengths, custom_lengths))
        return io.NodeOutput(
            as_audio(part.sound), part.frames, part.start, part.end, part.first, float(part.fps)
        )
