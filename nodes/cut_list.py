"""Cut List: a sound -> shots that begin on its beats, of lengths that a model can make."""

from __future__ import annotations

import json
from typing import Any

from comfy_api.latest import io, ui

from ..a2v_core.preview import cuts_pixels
from ..a2v_core.signals.cuts import (
    CUT_ON,
    sound_cuts,
    sound_cuts_record,
    sound_cuts_text,
)
from .sockets import CATEGORY, check_choice, search_words
from .sound import only_sound
from .sound_lengths import LENGTHS, custom_input, fps_input, frames_input, length_grid, lengths_input
from .sound_pictures import as_image, width_input

NODE = "Cut List"


class A2VCutList(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="A2VCutList",
            display_name=NODE,
            category=CATEGORY,
            description=(
                "Cuts a video into shots that begin on the beats or onsets of its sound, each of a length "
                "that the video model makes. Nothing adds up to a drift: lengths and remainder are "
                "exactly the frames of the video. Segment of Audio makes the sound of every shot."
            ),
            is_output_node=True,
            **search_words("beat detection", "bpm", "tempo", "shots", "music video", "scene cuts"),
            inputs=[
                io.Audio.Input("audio", tooltip="The sound of the whole video, of any length."),
                fps_input(),
                frames_input("Frames of the whole video. 0 = as long as the sound."),
                io.Combo.Input(
                    "cut_on",
                    options=list(CUT_ON),
                    default="beats",
                    tooltip=(
                        "beats = of a steady tempo; a sound without one is cut on onsets. onsets = where "
                        "something begins to sound, the strongest first."
                    ),
                ),
                io.Int.Input(
                    "every",
                    default=1,
                    min=1,
                    max=64,
                    tooltip="Of the beats only every so many; 4 = once a bar of four.",
                ),
                io.Float.Input(
                    "shortest",
                    default=1.0,
                    min=0.01,
                    max=3600.0,
                    step=0.01,
                    tooltip="Seconds that a shot lasts at least; the last one may be shorter.",
                ),
                io.Float.Input(
                    "longest",
                    default=5.0,
                    min=0.01,
                    max=3600.0,
                    step=0.01,
                    tooltip="Seconds that a shot lasts at most.",
                ),
                lengths_input(),
                custom_input(),
                io.Float.Input(
                    "gate",
                    default=-60.0,
                    min=-120.0,
                    max=0.0,
                    step=0.5,
                    tooltip="Loudness in LUFS below which nothing is cut on.",
                ),
                width_input(),
            ],
            outputs=[
                io.Float.Output(
                    display_name="start",
                    is_output_list=True,
                    tooltip="List: the second at which every shot begins.",
                ),
                io.Float.Output(
                    display_name="end", is_output_list=True, tooltip="List: the second at which it ends."
                ),
                io.Int.Output(
                    display_name="frames", is_output_list=True, tooltip="List: the frames of every shot."
                ),
                io.Float.Output(display_name="fps", tooltip="The fps, for Segment of Audio."),
                io.Float.Output(
                    display_name="tempo", tooltip="Beats per minute; 0 where the sound has no tempo."
                ),
                io.String.Output(
                    display_name="cuts", tooltip="JSON: tempo with its confidence, beats, and all shots."
                ),
                io.String.Output(display_name="table", tooltip="The same as a table to read."),
                io.Image.Output(
                    display_name="picture",
                    tooltip="The waveform, the beats, and the shots with their frames.",
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, cut_on: str | None = None, lengths: str | None = None) -> bool | str:
        wrong = check_choice("cut_on", cut_on, CUT_ON)
        return wrong if wrong is not True else check_choice("lengths", lengths, LENGTHS)

    @classmethod
    def execute(
        cls,
        audio: Any,
        fps: float,
        frames: int,
        cut_on: str,
        every: int,
        shortest: float,
        longest: float,
        lengths: str,
        custom_lengths: str,
        gate: float,
        width: int,
    ) -> io.NodeOutput:
        sound, grid = only_sound(audio, NODE), length_grid(lengths, custom_lengths)
        found = sound_cuts(sound, fps, frames, cut_on, every, shortest, longest, grid, gate)
        cuts, text = found.cuts, sound_cuts_text(found)
        image = as_image(cuts_pixels(sound, found, width))
        return io.NodeOutput(
            [cuts.start(shot) for shot in cuts.shots],
            [cuts.end(shot) for shot in cuts.shots],
            [shot.frames for shot in cuts.shots],
            float(cuts.axis.fps),
            found.beats.tempo or 0.0,
            json.dumps(sound_cuts_record(found), indent=1),
            text,
            image,
            ui=ui.PreviewText(text).as_dict() | ui.PreviewImage(image).as_dict(),
        )
