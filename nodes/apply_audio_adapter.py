"""Apply Audio Adapter: one of ComfyUI's own video models hears, by way of MODEL and CONDITIONING."""

from __future__ import annotations

import uuid
from typing import Any

import torch
from comfy_api.latest import io
from torch import Tensor

from ..a2v_core.backbones.dit import pack_strengths
from ..a2v_core.errors import A2VError
from ..a2v_core.tokens import AudioTokens as Tokens
from . import runtime
from .adapter import ManagedAdapter
from .core_dit import recognised
from .floats import LIST_TYPES, read_floats
from .hearing import ALWAYS, Hearing, SoundGuidance
from .sockets import CATEGORY, AudioAdapter, AudioTokens

NODE = "Apply Audio Adapter"


class A2VApplyAudioAdapter(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="A2VApplyAudioAdapter",
            display_name=NODE,
            category=CATEGORY,
            description=(
                "Lets a video model of ComfyUI's own (Wan 2.1 and 2.2, LTX-Video) hear: its MODEL and both "
                "conditionings go through this node to any sampler. LoRAs, fp8, EasyCache and context "
                "windows work beside it. Positive hears the sound, negative does not."
            ),
            inputs=[
                io.Model.Input(
                    "model",
                    tooltip="From Load Diffusion Model: the base model that the adapter was trained for.",
                ),
                AudioAdapter.Input("audio_adapter", tooltip="From Load Audio Adapter."),
                AudioTokens.Input(
                    "audio_tokens",
                    tooltip=(
                        "From Temporal Context Pooling, made with the mapper of Load Audio Adapter. As many "
                        "frames as the latent: 4n+1 for Wan (81, 121), 8n+1 for LTX-Video (97)."
                    ),
                ),
                io.Conditioning.Input("positive", tooltip="Gets the sound."),
                io.Conditioning.Input("negative", tooltip="Gets the sound with strength 0: as without it."),
                io.Float.Input(
                    "strength",
                    default=1.0,
                    min=0.0,
                    max=10.0,
                    step=0.01,
                    tooltip="How much of the sound is added; 0 = exactly the model as it was.",
                ),
                io.Float.Input(
                    "start_percent",
                    default=0.0,
                    min=0.0,
                    max=1.0,
                    step=0.001,
                    tooltip="Share of the denoising from which on the model hears. 0 = from the first step.",
                ),
                io.Float.Input(
                    "end_percent",
                    default=1.0,
                    min=0.0,
                    max=1.0,
                    step=0.001,
                    tooltip="Share of the denoising up to which the model hears. 1 = to the last step.",
                ),
                io.Float.Input(
                    "sound_cfg",
                    default=1.0,
                    min=0.0,
                    max=100.0,
                    step=0.1,
                    round=0.01,
                    tooltip=(
                        "Guidance by the sound, beside the sampler's cfg: how far to go from the video "
                        "without sound to that with it. 1 = off, 2 to 4 usual; one more call of the model at "
                        "every step."
                    ),
                ),
                io.MultiType.Input(
                    "strength_per_frame",
                    types=LIST_TYPES,
                    optional=True,
                    tooltip=(
                        "A list of one number per video frame, by which strength is multiplied: a schedule "
                        "from any pack. A single number counts for all frames."
                    ),
                ),
            ],
            outputs=[
                io.Model.Output(display_name="model", tooltip="For the sampler, or for more patches."),
                io.Conditioning.Output(display_name="positive", tooltip="For the sampler."),
                io.Conditioning.Output(display_name="negative", tooltip="For the sampler."),
            ],
        )

    @classmethod
    def execute(
        cls,
        model: Any,
        audio_adapter: ManagedAdapter,
        audio_tokens: Tokens,
        positive: Any,
        negative: Any,
        strength: float,
        start_percent: float,
        end_percent: float,
        sound_cfg: float,
        strength_per_frame: Any = None,
    ) -> io.NodeOutput:
        try:
            dit = recognised(model)
            dit.check(audio_adapter.config)
            tokens = audio_adapter.tokens(audio_tokens, dit.family.spec)
            strengths = strength * _by_frame(strength_per_frame, audio_tokens.num_frames)
        except A2VError as error:
            raise A2VError(f"{NODE}: {error}") from error
        if not bool(strengths.any()):
            return io.NodeOutput(model, positive, negative)
        sampling = model.get_model_object("model_sampling")
        hearing = Hearing(
            f"a2v_{uuid.uuid4().hex}",
            audio_adapter,
            dit,
            tokens.shape[1],
            sampling.percent_to_sigma(start_percent) if start_percent > 0 else ALWAYS[0],
            sampling.percent_to_sigma(end_percent) if end_percent < 1 else ALWAYS[1],
        )
        hears = hearing.applied(model)
        if sound_cfg != 1:
            hears.set_model_sampler_post_cfg_function(SoundGuidance(hearing, sound_cfg))
        gate = runtime.intermediate(pack_strengths(strengths, dit.family.spec)[None])
        return io.NodeOutput(
            hears,
            hearing.conditioned(positive, tokens, gate),
            hearing.conditioned(negative, tokens, torch.zeros_like(gate)),
        )


def _by_frame(strengths: Any, frames: int) -> Tensor:
    """Strengths [F] from a number, or from a list of one for every frame. A2VError for anything else."""
    if strengths is None:
        return torch.ones(frames)
    values = read_floats(strengths, "strength_per_frame")
    if not values.ndim:
        return values.expand(frames)
    if len(values) != frames:
        raise A2VError(
            f"strength_per_frame has {len(values)} numbers, but there are {frames} frames: make a list of "
            f"{frames}, one for every video frame"
        )
    return values
