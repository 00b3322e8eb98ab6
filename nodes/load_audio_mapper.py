"""Load AudioMapper: the trained adapter from models/a2v_mappers."""

from __future__ import annotations

from comfy_api.latest import io

from ..a2v_core.tokens import load_mapper
from . import downloads, folders
from .mapper import ManagedMapper
from .sockets import CATEGORY, Mapper


class A2VLoadAudioMapper(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="A2VLoadAudioMapper",
            display_name="Load AudioMapper",
            category=CATEGORY,
            description=(
                "Loads an AudioMapper from models/a2v_mappers: a published learned_embeds.pth, or a mapper "
                "trained with this pack (safetensors). It belongs to one BEATs and one text-to-video model."
            ),
            inputs=[
                downloads.name_input(
                    folders.MAPPERS,
                    "mapper_name",
                    "Mapper file in models/a2v_mappers (.safetensors, .pth, .pt). Its layout (reference or "
                    "time aligned), widths and words come from the file.",
                ),
                downloads.switch_input(),
            ],
            outputs=[
                Mapper.Output(display_name="mapper", tooltip="For AudioMapper and Temporal Context Pooling.")
            ],
        )

    @classmethod
    def validate_inputs(
        cls, mapper_name: str | None = None, download_if_missing: bool | None = False
    ) -> bool | str:
        return downloads.check_model(folders.MAPPERS, mapper_name, download_if_missing)

    @classmethod
    def fingerprint_inputs(cls, mapper_name: str | None, download_if_missing: bool | None = None) -> str:
        return folders.model_stamp(folders.MAPPERS, mapper_name)

    @classmethod
    def execute(cls, mapper_name: str, download_if_missing: bool = False) -> io.NodeOutput:
        path = downloads.model_path(folders.MAPPERS, mapper_name, download_if_missing)
        return io.NodeOutput(ManagedMapper(load_mapper(path)))
