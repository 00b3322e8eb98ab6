"""The bundled Wan and its audio adapter, or those of a work folder, loaded once to make videos."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from a2v_core.audio import Waveform, load_beats
from a2v_core.backbones.dit import load_adapter
from a2v_core.backbones.wan import WanFiles, load_wan_files
from a2v_core.demo import SIZE, demo_path
from a2v_core.pipeline import VideoPipeline, VideoRequest, hear
from a2v_core.sampling import EXACT, SampleSettings
from a2v_core.sampling.long import LongSettings

from ..sounds import SAMPLE_RATE
from ..world import FPS
from .install import NAME
from .latents import NUM_FRAMES

SHIFT = 5.0  # of the flow schedule
SOLVER = "euler"


class WanDemo:
    """As `evaluate.Demo`, for the demo's Wan: the sound comes in beside the text."""

    def __init__(
        self,
        steps: int = 20,
        guidance_scale: float = 3.0,
        speed: str = EXACT,
        scheduler: str = SOLVER,
        folder: Path | None = None,
        shift: float = SHIFT,
    ) -> None:
        self.beats = load_beats(demo_path("beats"))
        folder = folder or demo_path("wan")
        files = WanFiles(folder / f"{NAME}.safetensors", folder / f"{NAME}_vae.safetensors", demo_path("t2v"))
        backbone = load_wan_files(files, shift=shift)
        self.adapter = load_adapter(folder / f"{NAME}_adapter.safetensors")
        backbone.use_adapter(self.adapter)
        self.pipeline = VideoPipeline(backbone)
        self.steps, self.guidance_scale, self.speed, self.scheduler = steps, guidance_scale, speed, scheduler

    @torch.no_grad()
    def video(
        self,
        prompt: str,
        sound: np.ndarray | None,
        num_frames: int,
        seed: int,
        on_stage_end: Callable[[str], None] = lambda stage: None,
    ) -> Tensor:
        """See `evaluate.Demo.video`. A video of the next length that the model has is made and cut."""
        spec = self.pipeline.spec
        frames = spec.frames_of(spec.latent_frames(num_frames) - 1).stop
        tokens = None
        if sound is not None:
            waveform = Waveform(torch.from_numpy(sound)[None], SAMPLE_RATE)
            tokens = hear(self.beats, self.adapter.mapper, waveform, frames, FPS, class_window=0)
        settings = SampleSettings(
            self.steps,
            self.guidance_scale,
            self.scheduler,
            seed,
            SIZE,
            SIZE,
            num_frames=frames,
            speed=self.speed,
        )
        request = VideoRequest(prompt, tokens, settings=settings, long=LongSettings("model", NUM_FRAMES))
        contexts = self.pipeline.encode(request)
        on_stage_end("sound and text")
        latents = self.pipeline.sample(request, contexts)
        on_stage_end("sampling")
        pictures = self.pipeline.decode_all(request, latents)
        on_stage_end("VAE decode")
        return pictures[:num_frames]
