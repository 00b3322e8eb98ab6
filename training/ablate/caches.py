"""Latents and BEATs features of the clips, computed once and cached in the work folder.

Legend: N clips, T audio steps, Q frequency patches, W width (layers x layer width), F frames, c latent
channels, f latent frames, h w latent size, B clips of a step, L text positions, C text width, D token width.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from a2v_core.audio import BEATs, encode_audio, load_beats
from a2v_core.backbones import Backbone, load_t2v, to_device
from a2v_core.checkpoints import read_checkpoint, write_safetensors
from a2v_core.prompts import ContextBatch
from a2v_core.tokens import stack_layers

from ..demo_world.fitting import device
from ..demo_world.sounds import SAMPLE_RATE
from ..demo_world.world import NUM_FRAMES, Scene, render
from ..errors import ConfigError
from ..parts import PredictionError
from .worlds import held_out_clip, training_clip

HOPS = (160, 80, 40)  # milliseconds
BATCH = 20  # clips


@dataclass(frozen=True)
class Models:
    """The frozen models. The text-to-video model is on the GPU if there is one, BEATs stays on the CPU."""

    beats: BEATs
    backbone: Backbone
    checksum: str

    @classmethod
    def load(cls, beats: Path, t2v: Path) -> Models:
        """From a BEATs file and a diffusers folder. CheckpointError for anything else.

        ConfigError for a model whose latent frames stand for several frames: clips are cut at any frame.
        """
        backbone = load_t2v(t2v, "fp32")
        if backbone.spec.time != 1:
            raise ConfigError(
                f"{t2v}: a latent frame of {backbone.spec.family} stands for {backbone.spec.time} frames, "
                "but the ablation cuts its clips at any: choose a model with a latent frame for every frame"
            )
        to_device(backbone, device())
        return cls(load_beats(beats), backbone, checksum([beats, *sorted(t2v.rglob("*.safetensors"))]))

    def clock(self) -> float:
        """Seconds of processor time where the text-to-video model is on a CPU, else of wall time."""
        return time.process_time() if self.backbone.device.type == "cpu" else time.perf_counter()

    def prediction_error(self) -> PredictionError:
        """First term of the loss: prediction error of the text-to-video model."""
        return PredictionError.of(self.backbone)

    def context(self, prompts: Sequence[str], words: Mapping[str, Tensor]) -> ContextBatch:
        """Encoded texts of B prompts with the tokens [B, F, D] of their audio words."""
        return self.backbone.encode_texts(prompts, words)


@dataclass(frozen=True)
class Clips:
    """Clips of one world with their latents and BEATs features.

    latents   float32 [N, c, f, h, w]
    features  by hop in ms: float32 [N, T, 1, W], frequency averaged
    bands     [N, T, Q, W], frequency kept, at a hop of 160 ms
    times     start of each step in seconds, by hop
    """

    items: tuple[tuple[Scene, np.ndarray], ...]
    tensors: dict[str, Tensor]

    def __len__(self) -> int:
        return len(self.items)

    @property
    def num_frames(self) -> int:
        """Frames of every clip."""
        return self.items[0][0].num_frames

    @cached_property
    def latents(self) -> Tensor:
        return self.tensors["latents"].to(device())

    def audio_features(self, layout: str, hop_ms: int) -> tuple[Tensor, Tensor]:
        """BEATs features [N, T, Q, W] and times [T] in the form that a mapper of this layout takes."""
        name = "bands" if layout == "reference" else f"features_{hop_ms}"
        times = self.tensors[f"times_{160 if layout == 'reference' else hop_ms}"]
        return self.tensors[name].float().to(device()), times


class ClipStore:
    """Clips of worlds with what the frozen models make of them, kept in a folder.

    num_frames of every clip; hops in milliseconds that features are kept at, frequency bands with 160.
    """

    def __init__(
        self, folder: Path, models: Models, num_frames: int = NUM_FRAMES, hops: Sequence[int] = HOPS
    ) -> None:
        self.folder, self.models, self.num_frames, self.hops = folder, models, num_frames, hops

    def training(self, world: str, count: int) -> Clips:
        """The first `count` clips that a world has for training."""
        return self._clips(f"train-{world}-{count}", training_clip, world, count)

    def held_out(self, world: str, count: int) -> Clips:
        """The first `count` clips that a world has for tests."""
        return self._clips(f"test-{world}-{count}", held_out_clip, world, count)

    def _clips(
        self, name: str, make: Callable[[str, int, int], tuple[Scene, np.ndarray]], world: str, count: int
    ) -> Clips:
        items = tuple(make(world, number, self.num_frames) for number in range(count))
        path = self.folder / f"{name}.safetensors"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            pieces = [self._encode(items[start : start + BATCH]) for start in range(0, count, BATCH)]
            shared = {name: value for name, value in pieces[0].items() if name.startswith("times")}
            stacked = {
                name: torch.cat([piece[name] for piece in pieces]) for name in pieces[0].keys() - shared
            }
            write_safetensors(path, stacked | shared, {"format": "pt"})
        return Clips(items, read_checkpoint(path).tensors)

    @torch.no_grad()
    def _encode(self, items: tuple[tuple[Scene, np.ndarray], ...]) -> dict[str, Tensor]:
        samples = torch.from_numpy(np.stack([sound for _, sound in items])).float()[:, None]
        tensors: dict[str, Tensor] = {}
        for hop in self.hops:
            features = encode_audio(self.models.beats, samples, SAMPLE_RATE, HOPS[0] // hop)
            tensors[f"features_{hop}"] = stack_layers(features.layers.mean(dim=3, keepdim=True))
            tensors[f"times_{hop}"] = features.times
            if hop == HOPS[0]:
                tensors["bands"] = stack_layers(features.layers).half()
        encode = self.models.backbone.encode
        tensors["latents"] = torch.cat(
            [encode(torch.from_numpy(render(scene)), BATCH) for scene, _ in items]
        ).float()
        return tensors


def checksum(files: Sequence[Path]) -> str:
    """Hash of the contents of files."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
