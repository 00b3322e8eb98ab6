"""A node for ComfyUI that says how much memory its process holds; mounted by `benchmarks.gpu.nodes`."""

from __future__ import annotations

import json

import psutil
import torch
from comfy_api.latest import ComfyExtension, io, ui


class BenchMemory(io.ComfyNode):
    """Bytes on the device and of the process: now, and the most since it last ran.

    `number` is another each time, so that it runs.
    """

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="BenchMemory", inputs=[io.Int.Input("number")], outputs=[], is_output_node=True
        )

    @classmethod
    def execute(cls, number: int) -> io.NodeOutput:
        found = {"resident": psutil.Process().memory_info().rss}
        if torch.cuda.is_available() and torch.cuda.is_initialized():
            torch.cuda.synchronize()
            found |= {
                "allocated": torch.cuda.memory_allocated(),
                "allocated_peak": torch.cuda.max_memory_allocated(),
                "reserved_peak": torch.cuda.max_memory_reserved(),
            }
            torch.cuda.reset_peak_memory_stats()
        return io.NodeOutput(ui=ui.PreviewText(json.dumps(found)))


class BenchNodes(ComfyExtension):
    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return [BenchMemory]


async def comfy_entrypoint() -> BenchNodes:
    return BenchNodes()
