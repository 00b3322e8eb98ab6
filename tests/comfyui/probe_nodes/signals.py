"""Nodes around those that let a sound steer others: joined sounds, and whether two values are the same."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import io, ui


class ProbeJoin(io.ComfyNode):
    """A list of sounds, one behind the other."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        inputs = [io.Audio.Input("parts")]
        return io.Schema(node_id="ProbeJoin", inputs=inputs, outputs=[io.Audio.Output()], is_input_list=True)

    @classmethod
    def execute(cls, parts: list[Any]) -> io.NodeOutput:
        whole = torch.cat([part["waveform"] for part in parts], dim=-1)
        return io.NodeOutput({"waveform": whole, "sample_rate": parts[0]["sample_rate"]})


class ProbeSame(io.ComfyNode):
    """Whether two sounds, conditionings or videos are the same bit for bit, as far as both go, and their
    lengths.
    """

    @classmethod
    def define_schema(cls) -> io.Schema:
        inputs = [io.AnyType.Input("value"), io.AnyType.Input("other")]
        return io.Schema(node_id="ProbeSame", inputs=inputs, outputs=[], is_output_node=True)

    @classmethod
    def execute(cls, value: Any, other: Any) -> io.NodeOutput:
        one, two = (_over_time(each) for each in (value, other))
        both = min(one.shape[1], two.shape[1])
        same = torch.equal(one[:, :both], two[:, :both])
        return io.NodeOutput(ui=ui.PreviewText(f"{same} {one.shape[1]} {two.shape[1]}"))


def _over_time(value: Any) -> torch.Tensor:
    """A sound, a conditioning or frames as [values, time]."""
    if isinstance(value, torch.Tensor):
        return value.flatten(1).T
    tensor: torch.Tensor = value["waveform"][0] if isinstance(value, dict) else value[0][0][0].T
    return tensor
