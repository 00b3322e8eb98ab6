"""AV-Align Score: does the motion of a video follow its sound?"""

from __future__ import annotations

import math
from typing import Any

from comfy_api.latest import io, ui

from ..a2v_core.audio import Waveform
from ..a2v_core.errors import MediaError
from ..a2v_core.metrics.alignment import (
    TRUSTED,
    VARIANTS,
    Settings,
    hear_sound,
    score_detected,
)
from ..a2v_core.metrics.report import clip_report, timeline_pixels
from . import runtime
from .sockets import CATEGORY, check_choice
from .sound import read_audio
from .sound_pictures import as_image
from .video_frames import Pixels, frames_of, motion_of

NODE = "AV-Align Score"
CHOICES = [*VARIANTS, TRUSTED]


class A2VAVAlignScore(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="A2VAVAlignScore",
            display_name="AV-Align Score",
            category=CATEGORY,
            description=(
                "AV-Align of any video and sound: the share of motion peaks and sound onsets that fall "
                "together. 1 is best. Chance alone gives 0.1 to 0.4, so look at the chance-corrected "
                "score: 0 is "
                "chance. The picture shows which peaks were matched."
            ),
            is_output_node=True,
            inputs=[
                io.MultiType.Input(
                    "images",
                    types=[io.Image, io.Video],
                    tooltip=(
                        "The frames, in order; at least 4, better 24 or more. Or a VIDEO, which brings its "
                        "own fps."
                    ),
                ),
                io.Audio.Input("audio", tooltip="The sound of the video, starting with its first frame."),
                io.Float.Input(
                    "fps",
                    default=12.0,
                    min=0.01,
                    max=1000.0,
                    step=0.001,  # finer than 23.976: the front end rounds to it
                    tooltip="Frames per second of the images; as T2V Sampler gives it. Not for a VIDEO.",
                ),
                io.Combo.Input(
                    "variant",
                    options=CHOICES,
                    default="reference",
                    tooltip=(
                        "reference = the published code of February 2025, legacy = that of 2023, paper = "
                        "equation 9, trusted = reference without its known artefacts, comparable across fps "
                        "and sizes."
                    ),
                ),
                io.Float.Input(
                    "tolerance_ms",
                    default=0.0,
                    min=0.0,
                    max=2000.0,
                    step=1.0,
                    optional=True,  # so that API workflows saved without it stay valid
                    tooltip=(
                        "How far apart a motion peak and an onset may be. 0: one frame as published, 170 "
                        "ms for trusted, where a match counts less the further apart they are."
                    ),
                ),
            ],
            outputs=[
                io.Float.Output(
                    display_name="score",
                    tooltip=(
                        "1 is best; NaN where it is undefined, such as without any onset and motion peak."
                    ),
                ),
                io.String.Output(
                    display_name="report", tooltip="Score, chance level, peaks, and why if undefined."
                ),
                io.Float.Output(
                    display_name="corrected",
                    tooltip=(
                        "The trusted score, corrected for chance: 0 is what unrelated sound gives, 1 is "
                        "perfect. "
                        "NaN where it is undefined, such as in silence."
                    ),
                ),
                io.Image.Output(
                    display_name="picture",
                    tooltip="Sound and motion over time, matched and missed peaks, and the frames.",
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, variant: str | None = None) -> bool | str:
        return check_choice("variant", variant, CHOICES)

    @classmethod
    def execute(
        cls, images: Any, audio: Any, fps: float, variant: str, tolerance_ms: float = 0.0
    ) -> io.NodeOutput:
        samples, rate = read_audio(audio, NODE)
        if len(samples) != 1:
            raise MediaError(
                f"{NODE}: the input audio has {len(samples)} sounds, one is scored at a time; connect the "
                "audio output of T2V Sampler, which has one"
            )
        frames, fps = frames_of(images, fps, NODE)
        settings = Settings(
            VARIANTS["reference"].name if variant == TRUSTED else variant, tolerance_ms or None
        )
        sound = hear_sound(Waveform(samples[0], rate))
        motion = motion_of(frames, fps, runtime.Progress(len(frames)))
        scored = score_detected(motion, sound, settings.checked())
        text, picture = clip_report(scored, variant), timeline_pixels(scored, Pixels(frames))
        image = as_image(picture)
        shown = ui.PreviewText(text).as_dict() | ui.PreviewImage(image).as_dict()
        score = scored.trusted.score if variant == TRUSTED else scored.published.score
        return io.NodeOutput(_number(score), text, _number(scored.trusted.corrected), image, ui=shown)


def _number(value: float | None) -> float:
    return math.nan if value is None else value
