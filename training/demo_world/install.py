"""Copies the trained demo models into the pack and renders its demo sounds, which no training has seen."""

from __future__ import annotations

import json
import shutil
import wave
from pathlib import Path

import numpy as np

from a2v_core.demo import DEMO

from .sounds import SAMPLE_RATE, render_sound
from .world import FPS, SHAPES, Scene, random_hits

SOUND_SECONDS = {"ball": 2.0, "box": 2.0, "bell": 2.0, "star": 4.0, "ring": 3.0, "drop": 6.0}
SOUND_SEEDS = {"ball": 19}  # a plain rhythm for the default sound
SOUND_NAMES = {
    "ball": "drum",
    "box": "wood_block",
    "bell": "bell",
    "star": "hi_hat",
    "ring": "pluck",
    "drop": "water_drops",
}


def write_wav(path: Path, samples: np.ndarray, sample_rate: int = SAMPLE_RATE) -> None:
    """Mono 16-bit PCM."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes((np.clip(samples, -1, 1) * 32767).round().astype("<i2").tobytes())


def train(work: Path) -> None:
    """Named like the other stages: copies `work` into the pack and renders the sounds."""
    for name in ("beats.safetensors", "mapper.safetensors", "few_steps.safetensors"):
        shutil.copyfile(work / name, DEMO / name)
    shutil.rmtree(DEMO / "t2v", ignore_errors=True)
    shutil.copytree(work / "t2v", DEMO / "t2v")
    for path in (DEMO / "t2v").rglob("config.json"):
        config = json.loads(path.read_text())
        config.pop("_name_or_path", None)  # where it lay while it was trained
        path.write_text(json.dumps(config, indent=2) + "\n")
    (DEMO / "sounds").mkdir(exist_ok=True)
    for number, (shape, name) in enumerate(SOUND_NAMES.items()):
        rng = np.random.default_rng([SOUND_SEEDS.get(shape, 6), number])
        seconds = SOUND_SECONDS[shape]
        hits = random_hits(rng, round(seconds * FPS), silence=0.0)
        scene = Scene(shape, SHAPES[shape], "grey", "centre", seconds, hits)
        write_wav(DEMO / "sounds" / f"{name}.wav", render_sound(scene, rng))
