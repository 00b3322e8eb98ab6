"""Scheduled Prompt (Sound): two prompts, blended anew for every frame."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io
from torch import Tensor

from ..a2v_core.errors import A2VError
from ..a2v_core.prompts import blend_by_frame
from .floats import LIST_TYPES, read_floats
from .sockets import CATEGORY, search_words

NODE = "Scheduled Prompt (Sound)"
_POOLED = "pooled_output"

Entry = list[Any]


class A2VScheduledPrompt(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="A2VScheduledPrompt",
            display_name=NODE,
            category=CATEGORY,
            description=(
                "Blends two prompts by a schedule: CONDITIONING with a row for every frame, for models of "
                "pictures and AnimateDiff, where the frames of the video are the batch. It needs no adapter."
            ),
            **search_words("prompt travel", "prompt schedule", "blend prompts", "audio reactive prompt"),
            inputs=[
                io.Conditioning.Input("prompt_0", tooltip="What is seen where the schedule is 0."),
                io.Conditioning.Input(
                    "prompt_1",
                    tooltip=(
                        "What is seen where it is 1; areas, ControlNets and other settings are those of "
                        "this one."
                    ),
                ),
                io.MultiType.Input(
                    "floats",
                    types=LIST_TYPES,
                    tooltip=(
                        "One number for every frame, from Sound Schedule or any pack; below 0 and above 1 "
                        "it goes on beyond the prompts."
                    ),
                ),
            ],
            outputs=[
                io.Conditioning.Output(
                    display_name="conditioning",
                    tooltip=(
                        "Shape [frames, tokens, width]. Sample a batch of as many latents: connect frames of "
                        "Sound Schedule to batch_size of Empty Latent Image."
                    ),
                )
            ],
        )

    @classmethod
    def execute(cls, prompt_0: list[Entry], prompt_1: list[Entry], floats: Any) -> io.NodeOutput:
        try:
            weights = read_floats(floats, "floats").reshape(-1)
            if not len(weights):
                raise A2VError("floats has no numbers: connect a schedule with one for every frame")
            return io.NodeOutput([_blended(*pair, weights) for pair in _pairs(prompt_0, prompt_1)])
        except A2VError as error:
            raise A2VError(f"{NODE}: {error}") from error


def _pairs(first: list[Entry], second: list[Entry]) -> list[tuple[Entry, Entry]]:
    """The parts of two conditionings that belong together; one part goes with every part of the other."""
    sizes = {len(first), len(second)}
    if 0 in sizes or len(sizes - {1}) > 1:
        raise A2VError(
            f"prompt_0 has {len(first)} parts and prompt_1 {len(second)}: combine as many in both, or "
            "leave one of them single"
        )
    count = max(len(first), len(second))
    wide = [entries * count if len(entries) == 1 else entries for entries in (first, second)]
    return list(zip(*wide, strict=True))


def _blended(first: Entry, second: Entry, weights: Tensor) -> Entry:
    settings = dict(second[1])
    pooled = [entry[1].get(_POOLED) for entry in (first, second)]
    known = [one for one in pooled if one is not None]
    if known:  # of one text alone it counts for both, as in core's ConditioningAverage
        settings[_POOLED] = blend_by_frame(known[0], known[-1], weights)
    return [blend_by_frame(first[0], second[0], weights), settings]
