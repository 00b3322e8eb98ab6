"""What may come in at the sockets of schedules and prompts, and what a CONDITIONING holds."""

from __future__ import annotations

import json
from typing import Any

import torch
from comfy_api.latest import io, ui


class ProbeJson(io.ComfyNode):
    """Any value that JSON can say."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ProbeJson", inputs=[io.String.Input("value")], outputs=[io.AnyType.Output()]
        )

    @classmethod
    def execute(cls, value: str) -> io.NodeOutput:
        return io.NodeOutput(json.loads(value))


class ProbePooled(io.ComfyNode):
    """A CONDITIONING with a pooled text [1, 4] that is all of one number, and a strength."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        inputs = [io.Conditioning.Input("conditioning"), io.Float.Input("value")]
        return io.Schema(node_id="ProbePooled", inputs=inputs, outputs=[io.Conditioning.Output()])

    @classmethod
    def execute(cls, conditioning: Any, value: float) -> io.NodeOutput:
        added = {"pooled_output": torch.full((1, 4), value), "strength": value}
        return io.NodeOutput([[states, {**extra, **added}] for states, extra in conditioning])


class ProbeEntries(io.ComfyNode):
    """Shows the parts of a CONDITIONING: the shape of each, its strength, and its pooled texts."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        inputs = [io.Conditioning.Input("conditioning")]
        return io.Schema(node_id="ProbeEntries", inputs=inputs, outputs=[], is_output_node=True)

    @classmethod
    def execute(cls, conditioning: Any) -> io.NodeOutput:
        found = [
            {
                "shape": list(states.shape),
                "strength": extra.get("strength"),
                "pooled": None if extra.get("pooled_output") is None else extra["pooled_output"].tolist(),
            }
            for states, extra in conditioning
        ]
        return io.NodeOutput(ui=ui.PreviewText(json.dumps(found)))
