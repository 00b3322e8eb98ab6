"""AV-Align Score: does the motion of a video follow its sound?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from comfy_api.latest import io, ui
from torch import Tensor

from ..a2v_core.audio import Waveform
from ..a2v_core.errors import MediaError
from ..a2v_core.media import to_uint8
from ..a2v_core.metrics.alignment import (
    TRUSTED,
    VARIANTS,
    Motion,
    Settings,
    assemble_motion,
    hear_sound,
    motion_steps,
    score_detected,
)
from ..a2v_core.metrics.report import clip_report, timeline_pixels
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
        frames, fps = _frames(images, fps)
        settings = Settings(
            VARIANTS["reference"].name if variant == TRUSTED else variant, tolerance_ms or None
        )
        sound = hear_sound(Waveform(samples[0], rate))
        scored = score_detected(_motion(frames, fps), sound, settings.checked())
        text, picture = clip_report(scored, variant), timeline_pixels(scored, _Pixels(frames))
        image = torch.from_numpy(picture.astype(np.float32) / 255)[None]
        shown = ui.PreviewText(text).as_dict() | ui.PreviewImage(image).as_dict()
        score = scored.trusted.score if variant == TRUSTED else scored.published.score
        return io.NodeOutput(_number(score), text, _number(scored.trusted.corrected), image, ui=shown)


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _frames(images: Any, fps: float) -> tuple[Tensor, float]:
    """Frames [F, H, W, 3] and their fps, of an IMAGE or a VIDEO."""
    if images is None:
        raise MediaError(f"{NODE}: the input images are None; connect the frames of a video, or a VIDEO")
    if not isinstance(images, Tensor):
        parts = images.get_components()
        images, fps = parts.images, float(parts.frame_rate)
    if not math.isfinite(fps):
        raise MediaError(f"{NODE}: fps is {fps}: expected the frames per second of the video")
    if images.ndim != 4 or not images.numel():
        raise MediaError(
            f"{NODE}: the input images are {list(images.shape)}: expected frames [frames, height, width, 3], "
            "at least 4 of them; connect those of a video"
        )
    return images[..., :3], fps


class _Pixels(Sequence[Any]):
    """Frames as uint8 [H, W, 3], one at a time: the picture needs but a few of them."""

    def __init__(self, frames: Tensor) -> None:
        self._frames = frames

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, index: Any) -> Any:
        return to_uint8(self._frames[index : index + 1])[0]


def _motion(frames: Tensor, fps: float) -> Motion:
    """Motion of the frames [F, H, W, 3]; Cancel takes effect between any two of them."""
    progress = runtime.Progress(len(frames))
    images = iter(_Pixels(frames))
    steps = []
    for step in motion_steps(next(images), images):
        steps.append(step)
        progress(len(steps))
    return assemble_motion(steps, fps, frames.shape[2], frames.shape[1])
