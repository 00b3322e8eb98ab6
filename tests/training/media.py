"""Videos with sound, written while the tests run: every picture and every moment of sound says when it is."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from a2v_core.audio import Waveform
from a2v_core.media import write_video

RATE = 16000


def pictures(seconds: float, fps: float, height: int = 32, width: int = 32) -> Tensor:
    """Grey pictures [F, H, W, 3] that brighten by a fifth of the range a second, with a dark left edge."""
    times = torch.arange(round(seconds * fps)) / fps
    frames = (0.1 + 0.2 * times).clamp(max=1)[:, None, None, None].expand(-1, height, width, 3).clone()
    frames[:, :, : max(1, width // 8)] = 0
    return frames


def clock_sound(seconds: float, rate: int = RATE, pitch: float = 440.0) -> Waveform:
    """A tone that is twice as loud in every second half second."""
    t = torch.arange(round(seconds * rate)) / rate
    loud = 0.2 + 0.2 * ((2 * t).floor() % 2)
    return Waveform((loud * torch.sin(2 * math.pi * pitch * t))[None], rate)


def write_clip(
    path: Path, seconds: float = 1.5, fps: float = 12.0, pitch: float = 440.0, sound: bool = True
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_video(path, pictures(seconds, fps), fps, clock_sound(seconds, pitch=pitch) if sound else None)
    return path


def write_clips(folder: Path) -> Path:
    for number, name in enumerate(["train/a", "train/b", "train/c", "train/d", "test/e", "test/f"]):
        write_clip(folder / f"{name}.mp4", pitch=220.0 * (number + 1), fps=(8.0, 12.0, 24.0)[number % 3])
    (folder / "train" / "b.txt").write_text("a bell on\na table")
    return folder


def small_training(models: Path, clips: Path, output_dir: Path) -> dict[str, Any]:
    """A small training on these files, as the YAML file would say it."""
    return {
        "output_dir": str(output_dir),
        "seed": 3,
        "models": {"beats": str(models / "beats.safetensors"), "t2v": str(models / "t2v")},
        "data": {
            "layout": "folder",
            "root": str(clips),
            "fps": 8.0,
            "num_frames": 4,
            "width": 16,
            "height": 16,
            "clips_per_video": 2,
        },
        "cache": {"precision": "fp32", "clips_per_shard": 3},
        "mapper": {"hidden_size": 16},
        "optimizer": {"learning_rate": 1e-3},
        "run": {"steps": 6, "batch_size": 2, "workers": 0, "device": "cpu"},
        "checkpoints": {"every": 2, "keep_last": 2},
        "validation": {"every": 0, "loss_clips": 0, "videos": 0},
        "logging": {"tensorboard": False},
    }
