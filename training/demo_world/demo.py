"""Small models, loaded once, that make videos of the demo world's sounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from a2v_core.audio import Waveform, load_beats
from a2v_core.backbones import Backbone, load_t2v
from a2v_core.backbones.lora import merge_lora
from a2v_core.demo import SIZE, demo_path
from a2v_core.pipeline import VideoPipeline, VideoRequest, hear
from a2v_core.sampling import EXACT, SampleSettings
from a2v_core.sampling.long import LongSettings
from a2v_core.schedules import DEFAULT_SCHEDULER
from a2v_core.tokens import AudioMapper, load_mapper

from .sounds import SAMPLE_RATE
from .world import FPS


class DemoModels:
    """The bundled BEATs, an AudioMapper and a text-to-video model; `long` says how longer videos are made.

    GUIDANCE, SPEED: the scale and where it guides that suit the model.
    """

    GUIDANCE: ClassVar[float] = 3.0
    SPEED: ClassVar[str] = EXACT

    def __init__(
        self,
        mapper: AudioMapper,
        backbone: Backbone,
        steps: int,
        guidance_scale: float | None,
        speed: str | None,
        scheduler: str,
        long: LongSettings | None = None,
    ) -> None:
        self.beats, self.mapper = load_beats(demo_path("beats")), mapper
        self.pipeline = VideoPipeline(backbone)
        self.steps, self.scheduler = steps, scheduler
        self.guidance_scale = self.GUIDANCE if guidance_scale is None else guidance_scale
        self.speed = self.SPEED if speed is None else speed
        self.long = long

    @torch.no_grad()
    def video(
        self,
        prompt: str,
        sound: np.ndarray | None,
        num_frames: int,
        seed: int,
        on_stage_end: Callable[[str], None] = lambda stage: None,
    ) -> Tensor:
        """Frames [F, H, W, 3]; `sound` [N] at `SAMPLE_RATE`, or None for text alone.

        A video of the next length that the model has is made and cut. `on_stage_end` is called with the name
        of each stage.
        """
        spec = self.pipeline.spec
        frames = spec.frames_of(spec.latent_frames(num_frames) - 1).stop
        tokens = None
        if sound is not None:
            waveform = Waveform(torch.from_numpy(sound)[None], SAMPLE_RATE)
            tokens = hear(self.beats, self.mapper, waveform, frames, FPS, class_window=0)
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
        request = VideoRequest(prompt, tokens, settings=settings, long=self.long)
        contexts = self.pipeline.encode(request)
        on_stage_end("sound and text")
        latents = self.pipeline.sample(request, contexts)
        on_stage_end("sampling")
        pictures = self.pipeline.decode_all(request, latents)
        on_stage_end("VAE decode")
        return pictures[:num_frames]


class Demo(DemoModels):
    """The bundled models; `few_steps` with the bundled few-step LoRA."""

    def __init__(
        self,
        steps: int = 20,
        guidance_scale: float | None = None,
        speed: str | None = None,
        scheduler: str = DEFAULT_SCHEDULER,
        few_steps: bool = False,
    ) -> None:
        backbone = load_t2v(demo_path("t2v"), "fp32")
        if few_steps:
            merge_lora(backbone.parts()["denoiser"][0], demo_path("few_steps"))
        mapper = load_mapper(demo_path("mapper"))
        super().__init__(mapper, backbone, steps, guidance_scale, speed, scheduler)
