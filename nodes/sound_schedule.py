"""Sound Schedule: a sound -> a value for every frame, as anything that takes schedules wants it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from comfy_api.latest import io, ui

from ..a2v_core.errors import A2VError
from ..a2v_core.media import Waveform
from ..a2v_core.preview import schedule_pixels
from ..a2v_core.signals import (
    SIGNALS,
    Schedule,
    Shape,
    hits_schedule,
    keyframe_text,
    presence_schedule,
    sound_schedule,
)
from . import runtime
from .beats import require_beats
from .curve import Curve, as_curve
from .floats import List
from .schedule_inputs import shape_inputs, shape_of
from .sockets import CATEGORY, check_choice, search_words
from .sound import one_sound
from .sound_lengths import fps_input, frames_input

NODE = "Sound Schedule"
RANGE, HITS, PRESENCE = "range in Hz", "hits of a class", "presence of a class"
CHOICES = [*SIGNALS, RANGE, HITS, PRESENCE]
_LARGEST = 16384


class A2VSoundSchedule(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="A2VSoundSchedule",
            display_name=NODE,
            category=CATEGORY,
            description=(
                "A value for every video frame from a sound: its hits, loudness, a band, or one class of "
                "sound. For strengths of LoRAs, IPAdapter and ControlNet, masks, prompts and keyframes of "
                "any model; needs no adapter."
            ),
            is_output_node=True,
            **search_words("audio reactive", "audio schedule", "envelope", "beat", "onset", "amplitude"),
            inputs=[
                io.Audio.Input("audio", tooltip="The sound; second 0 is the first frame."),
                io.Combo.Input(
                    "signal",
                    options=CHOICES,
                    default=CHOICES[0],
                    tooltip=(
                        "onset: something begins to sound. loudness: K-weighted, 0 is 40 dB below the "
                        "loudest frame. rms: amplitude. flux: how much the spectrum changes. sub to "
                        "brilliance: seven bands from 20 to 20000 Hz. The last three need range_hz, or "
                        "audio_encoder and sound_class."
                    ),
                ),
                fps_input(),
                frames_input(
                    "Number of video frames; 0 = as long as the sound. Beyond its end it is silent."
                ),
                io.String.Input(
                    "range_hz",
                    default="80-200",
                    tooltip="For the signal 'range in Hz': from and to, such as 80-200.",
                ),
                *shape_inputs(),
                _pixels("mask_width", "Width of the masks in pixels."),
                _pixels("mask_height", "Height of the masks in pixels."),
                io.Int.Input(
                    "batch_index",
                    default=0,
                    min=0,
                    max=4095,
                    tooltip="Which sound of a batch, counted from 0.",
                ),
                io.AudioEncoder.Input(
                    "audio_encoder",
                    optional=True,
                    tooltip="From Load BEATs, a fine-tuned one with classes: for the last two signals.",
                ),
                io.String.Input(
                    "sound_class",
                    default="",
                    optional=True,
                    tooltip=(
                        "Name of a class of this BEATs, such as Dog, for the last two signals. A name "
                        "that it does not have is answered with those that it has."
                    ),
                ),
            ],
            outputs=[
                List.Output(
                    display_name="floats",
                    tooltip=(
                        "All values as one list: for FLOATS, and for inputs FLOAT that take a list, such as "
                        "weights of IPAdapter, AnimateDiff's multival and strength_per_frame."
                    ),
                ),
                io.Float.Output(
                    display_name="float_list",
                    is_output_list=True,
                    tooltip="The values one by one: what is connected runs once for every frame.",
                ),
                io.Mask.Output(
                    display_name="mask",
                    tooltip="A mask for every frame, all of it of the frame's value, clipped to 0 to 1.",
                ),
                io.String.Output(
                    display_name="keyframes",
                    tooltip="Text of keyframes such as 12:(0.800), for Deforum, FizzNodes and their like.",
                ),
                io.Image.Output(
                    display_name="picture", tooltip="The curve below the waveform, as the node shows it."
                ),
                io.Int.Output(
                    display_name="frames", tooltip="Number of values: for batch_size of an empty latent."
                ),
                Curve.Output(
                    display_name="curve",
                    tooltip=(
                        "The values over the length of the video, which counts as 0 to 1: for shaders and "
                        "other nodes with a CURVE, from ComfyUI 0.19 on."
                    ),
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, signal: str | None = None) -> bool | str:
        return check_choice("signal", signal, CHOICES)

    @classmethod
    def execute(
        cls,
        audio: Any,
        signal: str,
        fps: float,
        frames: int,
        range_hz: str,
        mask_width: int,
        mask_height: int,
        batch_index: int,
        audio_encoder: Any = None,
        sound_class: str = "",
        **shape: Any,
    ) -> io.NodeOutput:
        sound = one_sound(audio, batch_index, NODE)
        try:
            if signal in (HITS, PRESENCE):
                made = _of_class(sound, signal, audio_encoder, sound_class, fps, frames, shape_of(shape))
            else:
                name = range_hz if signal == RANGE else signal
                made = sound_schedule(sound, name, fps, frames, shape_of(shape))
        except A2VError as error:
            raise A2VError(f"{NODE}: {error}") from error
        values = made.floats()
        title = {RANGE: f"{range_hz} Hz", HITS: f"hits: {sound_class}", PRESENCE: sound_class}
        pixels = schedule_pixels(sound, made, title.get(signal, signal))
        image = torch.from_numpy(pixels.astype(np.float32) / 255)[None]
        # A view: a mask of every frame of ten minutes would fill the memory.
        masks = torch.tensor(values).clamp(0, 1)[:, None, None].expand(-1, mask_height, mask_width)
        text = keyframe_text(made.values)
        return io.NodeOutput(
            values, values, masks, text, image, len(values), as_curve(made), ui=ui.PreviewImage(image)
        )


def _of_class(
    sound: Waveform, signal: str, audio_encoder: Any, name: str, fps: float, frames: int, shape: Shape
) -> Schedule:
    if audio_encoder is None or not name.strip():
        raise A2VError(
            f"the signal '{signal}' needs audio_encoder, from Load BEATs, and a name in sound_class"
        )
    beats = require_beats(audio_encoder, NODE).classifier()
    schedule = hits_schedule if signal == HITS else presence_schedule
    return schedule(sound, beats, name, fps, frames, shape, progress=runtime.Progress(1))


def _pixels(name: str, text: str) -> io.Input:
    return io.Int.Input(name, default=512, min=1, max=_LARGEST, step=8, tooltip=text)
