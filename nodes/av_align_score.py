"""AV-Align Score: does the motion of a video follow its sound?"""

from __future__ import annotations

import math
from typing import Any

from comfy_api.latest import io, ui
from torch import Tensor

from ..a2v_core.audio import Waveform
from ..a2v_core.errors import MediaError
from ..a2v_core.metrics import (
    TRUSTED,
    VARIANTS,
    AVAlignResult,
    Motion,
    detect_onsets,
    score_peaks,
    trusted_score,
)
from ..a2v_core.metrics.flow import assemble_motion, motion_steps
from ..a2v_core.video.mp4 import to_uint8
from . import runtime
from .sockets import CATEGORY, check_choice
from .sound import read_audio

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
                    options=CHOICES,
                    default="reference",
                    tooltip=(
                        "reference = the published code of February 2025, legacy = that of 2023, paper = "
                        "equation 9, trusted = reference without its known artefacts, comparable across fps "
                        "and sizes."
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
            ],
        )

    @classmethod
    def validate_inputs(cls, variant: str | None) -> bool | str:
        return check_choice("variant", variant, CHOICES)

    @classmethod
    def execute(cls, images: Tensor, audio: Any, fps: float, variant: str) -> io.NodeOutput:
        samples, rate = read_audio(audio, NODE)
        if len(samples) != 1:
            raise MediaError(
                f"{NODE}: the input audio has {len(samples)} sounds, one is scored at a time; connect the "
                "audio output of T2V Sampler, which has one"
            )
        motion, onsets = _motion(images[..., :3], fps), detect_onsets(Waveform(samples[0], rate))
        seconds = samples.shape[-1] / rate
        if variant == TRUSTED:
            result = trusted_score(motion, onsets, seconds)
        else:
            result = score_peaks(motion, onsets, seconds, variant)
        score = math.nan if result.score is None else result.score
        return io.NodeOutput(score, report(result), ui=ui.PreviewText(report(result)))


def report(result: AVAlignResult) -> str:
    """What the node says of a clip; times in seconds."""
    score = "undefined" if result.score is None else f"{result.score:.3f}"
    luck = "" if result.chance is None else f" (chance {result.chance:.3f}, p {result.p_value:.3f})"
    lines = [
        f"AV-Align {result.variant}: {score}{luck}",
        f"video: {result.num_frames} frames, {result.width} x {result.height}, {result.fps:g} fps",
        f"sound onsets: {_times(result.audio_peaks)}",
        f"motion peaks: {_times(result.video_peaks)}",
        f"matched: {len(result.matches)}",
        result.reason,
        *result.notes,
    ]
    return "\n".join(line for line in lines if line)


def _times(peaks: tuple[float, ...]) -> str:
    return f"{len(peaks)}" + (" at " + ", ".join(f"{time:.2f}" for time in peaks) + " s" if peaks else "")


def _motion(images: Tensor, fps: float) -> Motion:
    """Motion of the frames [F, H, W, 3]; Cancel takes effect between any two of them."""
    if not math.isfinite(fps):
        raise MediaError(f"{NODE}: fps is {fps}: expected the frames per second of the video")
    progress = runtime.Progress(len(images))
    frames = (to_uint8(images[index : index + 1])[0] for index in range(len(images)))
    steps = []
    for step in motion_steps(next(frames), frames):
        steps.append(step)
        progress(len(steps))
    return assemble_motion(steps, fps, images.shape[2], images.shape[1])
