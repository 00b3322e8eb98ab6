"""The bundled Wan and its audio adapter, or those of a work folder, loaded once to make videos."""

from __future__ import annotations

from pathlib import Path

from a2v_core.backbones.dit import load_adapter
from a2v_core.backbones.wan import WanFiles, load_wan_files
from a2v_core.demo import demo_path
from a2v_core.sampling.long import LongSettings

from ..demo import DemoModels
from .install import installed
from .latents import NUM_FRAMES

SHIFT = 5.0  # of the flow schedule
SOLVER = "euler"


class WanDemo(DemoModels):
    """The demo's Wan: the sound comes in beside the text."""

    GUIDANCE = 5.0
    SPEED = "guidance_interval"

    def __init__(
        self,
        steps: int = 20,
        guidance_scale: float | None = None,
        speed: str | None = None,
        scheduler: str = SOLVER,
        folder: Path | None = None,
        shift: float = SHIFT,
    ) -> None:
        files = installed(folder or demo_path("wan"))
        backbone = load_wan_files(WanFiles(files.transformer, files.vae, demo_path("t2v")), shift=shift)
        adapter = load_adapter(files.adapter)
        backbone.use_adapter(adapter)
        long = LongSettings("model", NUM_FRAMES)
        super().__init__(adapter.mapper, backbone, steps, guidance_scale, speed, scheduler, long)
