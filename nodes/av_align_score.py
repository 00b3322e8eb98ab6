"""AV-Align Score: does the motion of a video follow its sound?"""

from __future__ import annotations

import math
from typing import Any

from comfy_api.latest import io, ui
from torch import Tensor

from ..a2v_core.audio import Waveform
from ..a2v_core.errors import MediaError
from ..a2v_core.metrics import (
    VARIANTS,
    AVAlignResult,
    Motion,
    detect_motion,
    detect_onsets,
    score_peaks,
    shifted_chance,
)
from . import runtime
from .sockets import CATEGORY, check_choice
from .sound import read_audio

NODE = "AV-Align Score"
_FRAMES_AT_ONCE = 16


class A2VAVAlignScore(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="A2VAVAlignScore",
            display_name="AV-Align Score",
            category=CATEGORY,
            description=(
                "AV-Align of any video and sound: the share of motion peaks and sound onsets that fall "
                "together, within one frame. 1 is best. Compare with the chance level in the report; scores "
                "at other fps do not compare."
            ),
            is_output_node=True,
            inputs=[
                io.Image.Input("images", tooltip="The frames, in order; at least 2, better 12 or more."),
                io.Audio.Input("audio", tooltip="The sound of the video, starting with its first frame."),
                io.Float.Input(
                    "fps",
                    default=12.0,
                    min=0.01,
                    max=1000.0,
                    step=0.01,
                    tooltip="Frames per second of the images; connect the fps of T2V Sampler.",
                ),
                io.Combo.Input(
                    "variant",
                    options=list(VARIANTS),
                    default="reference",
                    tooltip="reference = the published code of February 2025.",
                ),
            ],
            outputs=[
                io.Float.Output(
                    display_name="score",
                    tooltip="0 to 1; NaN where it is undefined: no onset and no motion peak.",
                ),
                io.String.Output(
                    display_name="report", tooltip="Score, chance level, peaks, and why if undefined."
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, variant: str | None) -> bool | str:
        return check_choice("variant", variant, VARIANTS)

    @classmethod
    def execute(cls, images: Tensor, audio: Any, fps: float, variant: str) -> io.NodeOutput:
        samples, rate = read_audio(audio, NODE)
        if len(samples) != 1:
            raise MediaError(
                f"{NODE}: the input audio has {len(samples)} sounds, one is scored at a time; connect the "
                "audio output of T2V Sampler, which has one"
            )
        sound = Waveform(samples[0], rate)
        result = score_peaks(_motion(images[..., :3], fps), detect_onsets(sound), sound.duration, variant)
        text = report(result)
        return io.NodeOutput(
            math.nan if result.score is None else result.score, text, ui=ui.PreviewText(text)
        )


def report(result: AVAlignResult) -> str:
    """What the node says of a clip; times in seconds."""
    chance = shifted_chance(result)
    score = "undefined" if result.score is None else f"{result.score:.3f}"
    lines = [
        f"AV-Align: {score}" + ("" if chance is None else f" (chance: {chance:.3f})"),
        f"video: {result.num_frames} frames, {result.width} x {result.height}, {result.fps:g} fps",
        f"sound onsets: {_times(result.audio_peaks)}",
        f"motion peaks: {_times(result.video_peaks)}",
        f"matched: {len(result.matches)}",
    ]
    return "\n".join([*lines, result.reason] if result.reason else lines)


def _times(peaks: tuple[float, ...]) -> str:
    return f"{len(peaks)}" + (" at " + ", ".join(f"{time:.2f}" for time in peaks) + " s" if peaks else "")


def _motion(images: Tensor, fps: float) -> Motion:
    """Motion of the clip, found piece by piece so that Cancel takes effect on the way."""
    progress = runtime.Progress(max(1, len(images) - 1))
    between: list[float] = []
    for start in range(0, max(1, len(images) - 1), _FRAMES_AT_ONCE):
        # A piece begins with the last frame of the one before it, and repeats its first value.
        piece = detect_motion(images[start : start + _FRAMES_AT_ONCE + 1], fps)
        between.extend(piece.flow[1:])
        progress(len(between))
    height, width = images.shape[1:3]
    return Motion((*between[:1], *between), fps, len(images), width, height)
