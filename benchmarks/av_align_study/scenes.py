"""Clips whose truth is known: a disc that is kicked, and a struck sound, each at given event times.

For measuring the metrics themselves. Everything follows from the seed.

Legend: F video frames, S side in pixels, N audio samples, E events.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from a2v_core.audio import Waveform

SAMPLE_RATE = 22050  # Hz
RADIUS = 0.2  # of the disc, in picture sides
KICK_SECONDS = 0.08  # after this time a kicked disc has lost 63 % of its speed

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Scene:
    """One clip to draw.

    seconds, fps, side     length, frames per second, height and width in pixels
    picture, sound         event times in seconds of the disc and of the sound; equal in a matched pair
    pixel_noise            standard deviation per pixel and frame, of 0..1 (a decoder's flicker)
    sound_noise            standard deviation of the noise floor; a hit has a peak of 0.2 to 0.8
    drift                  slow motion all the time, pictures per second
    seed                   looks and loudness
    """

    seconds: float
    fps: float
    side: int
    picture: tuple[float, ...]
    sound: tuple[float, ...]
    pixel_noise: float = 0.01
    sound_noise: float = 0.003
    drift: float = 0.02
    seed: int = 0

    @property
    def num_frames(self) -> int:
        return max(1, round(self.seconds * self.fps))


def event_times(
    rng: np.random.Generator, seconds: float, per_second: float = 2.0, gap: float = 0.25
) -> tuple[float, ...]:
    """Ascending random times from 0.3 s to 0.25 s before the end, at least `gap` apart; at least one."""
    first, last = 0.3, seconds - 0.25
    count = min(max(1, int(rng.poisson(per_second * (last - first)))), int((last - first) / gap))
    slack = (last - first) - gap * (count - 1)
    starts = np.sort(rng.uniform(0, slack, count))
    return tuple(float(first + start + gap * number) for number, start in enumerate(starts))


def render_frames(scene: Scene) -> torch.Tensor:
    """The picture, float32 [F, S, S, 3] in 0..1, grey."""
    rng = np.random.default_rng([scene.seed, 1])
    axis = np.arange(scene.side) / scene.side
    background = (0.45 + 0.15 * _pattern(axis[:, None], axis[None, :], rng)).astype(np.float32)
    frames = np.empty((scene.num_frames, scene.side, scene.side), np.float32)
    for image, (y, x) in zip(frames, _path(scene, rng), strict=True):
        image[:] = background
        part = _around(y, scene.side), _around(x, scene.side)
        rows, columns = axis[part[0]][:, None] - y, axis[part[1]][None, :] - x
        inside = np.clip((RADIUS - np.hypot(rows, columns)) * scene.side + 0.5, 0, 1)
        look = 0.6 + 0.3 * _pattern(rows, columns, np.random.default_rng([scene.seed, 2]))
        image[part] += inside * (look - image[part])
    frames += scene.pixel_noise * rng.standard_normal(frames.shape, np.float32)
    return torch.from_numpy(frames.clip(0, 1))[..., None].expand(-1, -1, -1, 3)


def render_sound(scene: Scene) -> Waveform:
    """The sound, mono float32 at 22050 Hz: a decaying burst of tone and noise at every sound event."""
    rng = np.random.default_rng([scene.seed, 3])
    samples = rng.normal(0, scene.sound_noise, round(scene.seconds * SAMPLE_RATE))
    time = np.arange(round(0.4 * SAMPLE_RATE)) / SAMPLE_RATE
    for event in scene.sound:
        tone = np.sin(2 * np.pi * rng.uniform(200, 900) * time) + 0.5 * rng.standard_normal(len(time))
        hit = rng.uniform(0.2, 0.8) / 2 * tone * np.exp(-time / rng.uniform(0.04, 0.1))
        start = round(event * SAMPLE_RATE)
        room = max(0, min(len(hit), len(samples) - start))
        if start >= 0 and room:
            samples[start : start + room] += hit[:room]
    return Waveform(torch.from_numpy(samples.clip(-1, 1).astype(np.float32))[None], SAMPLE_RATE)


def _around(centre: float, side: int) -> slice:
    """The rows or columns that a disc there can touch."""
    reach = RADIUS + 1 / side
    return slice(max(0, int((centre - reach) * side)), max(0, int((centre + reach) * side) + 2))


def _pattern(rows: Floats, columns: Floats, rng: np.random.Generator) -> Floats:
    """A smooth random picture in about -1..1, the same at every size."""
    total = np.zeros(np.broadcast(rows, columns).shape)
    for _ in range(6):
        down, across = rng.uniform(-9, 9, 2) * 2 * np.pi
        total += np.sin(down * rows + across * columns + rng.uniform(0, 2 * np.pi))
    return total / 4


def _path(scene: Scene, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Centre (y, x) of the disc in every frame, in picture sides: towards the middle again at every kick."""
    times = np.arange(scene.num_frames) / scene.fps
    place = np.full((len(times), 2), 0.5) + 0.1 * rng.uniform(-1, 1, 2)
    phase = rng.uniform(0, 2 * np.pi, 2)
    turn = 2 * np.pi * 0.25
    place += scene.drift / turn * np.sin(turn * times[:, None] + phase)
    here = np.zeros(2)
    for event in scene.picture:
        strength = rng.uniform(0.06, 0.16)
        angle = rng.uniform(0, 2 * np.pi) if np.hypot(*here) < 0.12 else np.arctan2(-here[0], -here[1])
        kick = strength * np.array([np.sin(angle), np.cos(angle)])
        here = here + kick
        place += kick * (1 - np.exp(-np.maximum(0, times - event) / KICK_SECONDS))[:, None]
    return [(float(y), float(x)) for y, x in place]
