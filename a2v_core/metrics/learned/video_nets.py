"""Video classifiers as TorchScript, for FVD and the Inception Score.

Legend: B videos, F frames, H W size in pixels, D width of the features.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as nnf

from ...errors import CheckpointError
from .weights import C3D_FILE, I3D_FILE, weights_path

I3D_SIDE = 224
I3D_MIN_FRAMES = 10  # fewer vanish in its pooling layers
C3D_FRAMES = 16

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class VideoNet:
    """A TorchScript classifier. kind: "i3d" gives logits of 400 classes, "c3d" probabilities of 101."""

    module: Any
    kind: str
    path: Path

    @torch.no_grad()
    def features(self, videos: Iterable[torch.Tensor]) -> Array:
        """One row [D] per video of frames [F, H, W, 3] in 0..1.

        Raises CheckpointError for another kind of file.
        """
        rows = []
        for video in videos:
            pixels = video.to(torch.float32).permute(3, 0, 1, 2)
            try:
                row = self._i3d(pixels) if self.kind == "i3d" else self._c3d(pixels)
            except RuntimeError as error:
                cause = str(error).strip().splitlines()[-1]
                raise CheckpointError(
                    f"{self.path}: does not take a video as {self.kind} does ({cause}); is it the right file?"
                ) from error
            rows.append(row.double().flatten().numpy())
        return np.stack(rows) if rows else np.zeros((0, 1))

    def probabilities(self, features: Array) -> Array:
        """Class probabilities [n, K] of features: softmax of the logits of I3D, those of C3D as they are."""
        if self.kind == "c3d":
            return features
        return torch.from_numpy(features).softmax(dim=-1).numpy()

    def _i3d(self, pixels: torch.Tensor) -> torch.Tensor:
        """Shorter side to 224, centre crop, -1..1, at least 10 frames. Source: StyleGAN-V's FVD."""
        height, width = pixels.shape[2:]
        scale = I3D_SIDE / min(height, width)
        size = (max(I3D_SIDE, round(height * scale)), max(I3D_SIDE, round(width * scale)))
        scaled = nnf.interpolate(pixels.transpose(0, 1), size=size, mode="bilinear", align_corners=False)
        top, left = (size[0] - I3D_SIDE) // 2, (size[1] - I3D_SIDE) // 2
        square = scaled[:, :, top : top + I3D_SIDE, left : left + I3D_SIDE].transpose(0, 1)
        video = _padded(square, I3D_MIN_FRAMES)[None] * 2 - 1
        logits: torch.Tensor = self.module(video, rescale=False, resize=False, return_features=True)
        return logits

    def _c3d(self, pixels: torch.Tensor) -> torch.Tensor:
        """16 evenly spaced frames, 0..255; the file normalises them itself. Source: StyleGAN-V's video IS."""
        frames = _padded(pixels, C3D_FRAMES)
        picks = torch.linspace(0, frames.shape[1] - 1, C3D_FRAMES).round().long()
        probabilities: torch.Tensor = self.module((frames[:, picks] * 255).round()[None])
        return probabilities


def load_i3d(folder: Path) -> VideoNet:
    """I3D from `folder`; MissingWeights or CheckpointError."""
    return _load(weights_path(folder, I3D_FILE), "i3d")


def load_c3d(folder: Path) -> VideoNet:
    """C3D from `folder`; MissingWeights or CheckpointError."""
    return _load(weights_path(folder, C3D_FILE), "c3d")


def _padded(video: torch.Tensor, frames: int) -> torch.Tensor:
    """[3, F, H, W] with the last frame repeated up to `frames`."""
    short = frames - video.shape[1]
    return video if short <= 0 else torch.cat([video, video[:, -1:].expand(-1, short, -1, -1)], dim=1)


def _load(path: Path, kind: str) -> VideoNet:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            module = torch.jit.load(str(path), map_location="cpu").train(False)
    except (RuntimeError, ValueError) as error:
        raise CheckpointError(f"{path}: is not a TorchScript file; copy or download it again.") from error
    return VideoNet(module, kind, path)
