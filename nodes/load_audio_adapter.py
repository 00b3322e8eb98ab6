"""Load Audio Adapter: frame attention and its AudioMapper from models/a2v_audio_adapters."""

from __future__ import annotations

from comfy_api.latest import io

from ..a2v_core.backbones.dit import load_adapter
from . import folders
from .adapter import ManagedAdapter
from .sockets import CATEGORY, AudioAdapter, Mapper


class A2VLoadAudioAdapter(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="A2VLoadAudioAdapter",
            display_name="Load Audio Adapter",
            category=CATEGORY,
            description=(
                "Loads an audio adapter from models/a2v_audio_adapters: what lets a video model of ComfyUI's "
                "own (Wan 2.1 and 2.2, LTX-Video) hear. It belongs to one base model and one BEATs."
            ),
            inputs=[
                io.Combo.Input(
                    "adapter_name",
                    options=[
                        *folders.model_names(folders.ADAPTERS),
                        *folders.bundled_names(folders.ADAPTERS),
                    ],
                    tooltip=(
                        "Adapter file in models/a2v_audio_adapters (.safetensors), trained with this pack. "
                        "The file says for which base model it is."
                    ),
                )
            ],
            outputs=[
                AudioAdapter.Output(display_name="audio_adapter", tooltip="For Apply Audio Adapter."),
                Mapper.Output(
                    display_name="mapper",
                    tooltip="The adapter's AudioMapper, for AudioMapper and Temporal Context Pooling.",
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, adapter_name: str | None = None) -> bool | str:
        return folders.check_entry(folders.ADAPTERS, adapter_name)

    @classmethod
    def fingerprint_inputs(cls, adapter_name: str | None) -> str:
        return folders.model_stamp(folders.ADAPTERS, adapter_name)

    @classmethod
    def execute(cls, adapter_name: str) -> io.NodeOutput:
        adapter = ManagedAdapter(load_adapter(folders.model_path(folders.ADAPTERS, adapter_name)))
        return io.NodeOutput(adapter, adapter.mapper)
