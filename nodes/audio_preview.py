"""Preview Audio Tokens: a picture of what the model hears."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from comfy_api.latest import io, ui

from ..a2v_core.audio import detect_onsets, trusted_onsets
from ..a2v_core.preview import preview_pixels
from ..a2v_core.tokens import AudioTokens as Tokens
from .sockets import CATEGORY, AudioTokens
from .sound import one_sound

NODE = "Preview Audio Tokens"


class A2VAudioPreview(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="A2VAudioPreview",
            display_name="Preview Audio Tokens",
            category=CATEGORY,
            description=(
                "Shows what the model hears: the waveform, its onsets, how much the word of each frame "
                "changes, and how much each frame counts in `<class>`. Needs no sampling, so look here "
                "first when a video does not follow its sound."
            ),
            is_output_node=True,
            inputs=[
                io.Audio.Input("audio", tooltip="The sound that the tokens were made of."),
                io.Int.Input(
                    "width",
                    default=768,
                    min=384,
                    max=8192,
                    step=8,
                    tooltip="Width of the picture in pixels; more for a long sound.",
                ),
                io.Int.Input(
                    "batch_index",
                    default=0,
                    min=0,
                    max=4095,
                    tooltip="Which sound of a batch, counted from 0; as in AudioMapper.",
                ),
                AudioTokens.Input(
                    "audio_tokens",
                    optional=True,
                    tooltip=(
                        "From Temporal Context Pooling. Without them only the waveform and its onsets are "
                        "drawn."
                    ),
                ),
            ],
            outputs=[
                io.Image.Output(
                    display_name="picture", tooltip="The picture that the node shows, for Save Image."
                )
            ],
        )

    @classmethod
    def execute(
        cls, audio: Any, width: int, batch_index: int, audio_tokens: Tokens | None = None
    ) -> io.NodeOutput:
        sound = one_sound(audio, batch_index, NODE)
        onsets = trusted_onsets(detect_onsets(sound))
        pixels = preview_pixels(sound, onsets, audio_tokens, width)
        image = torch.from_numpy(pixels.astype(np.float32) / 255)[None]
        return io.NodeOutput(image, ui=ui.PreviewImage(image))
