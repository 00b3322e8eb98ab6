"""One clip through the library, the way the nodes take it, with a stopwatch between the stages.

Legend: C channels, N samples, F video frames, H W picture size in pixels.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from a2v_core import media
from a2v_core.audio import BEATs, load_beats
from a2v_core.backbones import Backbone, load_t2v
from a2v_core.pipeline import VideoPipeline, VideoRequest, listen
from a2v_core.sampling import SampleSettings
from a2v_core.schedules import DEFAULT_SCHEDULER
from a2v_core.tokens import AudioMapper, in_prompt, load_mapper

STAGES = ("decode sound", "BEATs", "mapper", "text", "sampling", "VAE decode", "mux")


@dataclass(frozen=True)
class ModelFiles:
    """What the three loaders load: a BEATs file, an AudioMapper file, a diffusers folder."""

    beats: Path
    mapper: Path
    t2v: Path


@dataclass(frozen=True)
class Models:
    """The loaded models, float32 on the CPU."""

    beats: BEATs
    mapper: AudioMapper
    backbone: Backbone

    @property
    def parameters(self) -> dict[str, int]:
        """Parameter count of every network; those that layers share count once."""
        networks: dict[str, nn.Module] = {
            "BEATs": self.beats,
            "AudioMapper": self.mapper,
            "text encoder": self.backbone.parts()["text"][0],
            "UNet": self.backbone.parts()["denoiser"][0],
            "VAE": self.backbone.parts()["vae"][0],
        }
        return {name: sum(p.numel() for p in network.parameters()) for name, network in networks.items()}

    @property
    def native_size(self) -> int:
        """Side in pixels of the pictures that the UNet is made for, as its config says; the shorter one."""
        return min(self.backbone.spec.native_size)


@dataclass(frozen=True)
class Job:
    """A clip to make: `num_frames` at `fps`, square with a side of `size` pixels."""

    size: int
    num_frames: int = 24
    fps: float = 12.0
    steps: int = 20
    guidance_scale: float = 3.0
    scheduler: str = DEFAULT_SCHEDULER
    seed: int = 0

    @property
    def seconds(self) -> float:
        """Length of the clip."""
        return self.num_frames / self.fps


class Laps:
    """A stopwatch whose stages follow one another without a gap: they add up to `total`."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._first = self._last = clock()
        self.seconds: dict[str, float] = {}

    def lap(self, name: str) -> None:
        """Ends the stage `name`, which began when the one before it ended."""
        now = self._clock()
        self.seconds[name] = now - self._last
        self._last = now

    @property
    def total(self) -> float:
        """Seconds from the start to the end of the last stage."""
        return self._last - self._first


def load_models(files: ModelFiles) -> tuple[Models, Laps]:
    """Load everything, and how long it took; "libraries" is the import of diffusers and transformers."""
    laps = Laps()
    import diffusers
    import transformers

    _ = diffusers.DiffusionPipeline, diffusers.AutoencoderKL, transformers.CLIPTextModel
    laps.lap("libraries")
    beats = load_beats(files.beats)
    laps.lap("BEATs")
    mapper = load_mapper(files.mapper)
    laps.lap("AudioMapper")
    backbone = load_t2v(files.t2v)
    laps.lap("T2V model")
    return Models(beats, mapper, backbone), laps


@torch.no_grad()
def make_clip(models: Models, job: Job, sound: Path, target: Path) -> Laps:
    """Sound file -> mp4 with picture and sound, by the calls that the nodes make with their defaults.

    Raises A2VError for models that do not fit together.
    """
    pipeline = VideoPipeline(models.backbone)
    settings = SampleSettings(
        job.steps, job.guidance_scale, job.scheduler, job.seed, job.size, job.size, job.num_frames
    )
    laps = Laps()
    wave = media.load_audio(sound)
    laps.lap("decode sound")
    features = listen(models.beats, models.mapper, wave, job.fps)
    laps.lap("BEATs")
    tokens = models.mapper.pool(models.mapper.frame_tokens(features, job.num_frames, job.fps))
    laps.lap("mapper")
    prompt = f"a video of {in_prompt(tokens.words)}"
    request = VideoRequest(prompt, tokens, sound=wave, settings=settings).resolved(pipeline.spec)
    contexts = pipeline.encode(request)
    laps.lap("text")
    latents = pipeline.sample(request, contexts)
    laps.lap("sampling")
    frames = pipeline.decode_all(request, latents)
    laps.lap("VAE decode")
    media.write_video(target, frames, job.fps, request.sound)
    laps.lap("mux")
    return laps
