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

from a2v_core.audio import BEATs, Waveform, encode_audio, load_audio, load_beats
from a2v_core.backbones import Backbone, load_t2v
from a2v_core.media import write_video
from a2v_core.sampling import SampleSettings, decode_video, sample
from a2v_core.schedules import DEFAULT_SCHEDULER
from a2v_core.tokens import CHUNK_FRAMES, AudioMapper, load_mapper

STAGES = ("decode sound", "BEATs", "mapper", "text", "sampling", "VAE decode", "mux")
DECODE_CHUNK = 8  # frames at once, the default of the T2V Sampler node
BEATS_STEP_MS = 160


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

    _ = diffusers.UNet3DConditionModel, diffusers.AutoencoderKL, transformers.CLIPTextModel
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

    The sound is encoded at the hop that the mapper was trained with. A `reference` mapper gets it in pieces
    of 24 frames, which is what the published ones know. Raises A2VError for models that do not fit together.
    """
    beats, mapper, backbone = models.beats, models.mapper, models.backbone
    hop_divisor = BEATS_STEP_MS // int(mapper.config.facts.get("hop_ms", BEATS_STEP_MS))
    piece_seconds = CHUNK_FRAMES / job.fps if mapper.config.layout == "reference" else 0.0
    prompt = "a video of " + " ".join(f"<{word}>" for word in mapper.config.words)
    settings = SampleSettings(
        steps=job.steps,
        guidance_scale=job.guidance_scale,
        scheduler=job.scheduler,
        seed=job.seed,
        width=job.size,
        height=job.size,
        num_frames=job.num_frames,
    )

    laps = Laps()
    wave: Waveform = load_audio(sound)
    laps.lap("decode sound")
    features = encode_audio(beats, wave.samples[None], wave.sample_rate, hop_divisor, piece_seconds)
    laps.lap("BEATs")
    tokens = mapper.pool(mapper.frame_tokens(features, job.num_frames, job.fps))
    laps.lap("mapper")
    positive = backbone.encode_prompt(prompt, tokens, job.num_frames)
    negative = None if job.guidance_scale == 1 else backbone.encode_prompt("", None, job.num_frames)
    laps.lap("text")
    latents = sample(backbone, positive, negative, settings)
    laps.lap("sampling")
    frames = decode_video(backbone, latents, DECODE_CHUNK)
    laps.lap("VAE decode")
    write_video(target, frames, job.fps, wave)
    laps.lap("mux")
    return laps
