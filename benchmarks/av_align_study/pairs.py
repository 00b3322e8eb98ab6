"""Pairs of picture and sound with known events, and how the scores take what is done to them.

A matched pair is not perfect: some events make no sound, some sounds no motion, and the two are up to some
40 ms apart. A mismatched pair has the sound of other events.

Legend: n pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from a2v_core.audio import Waveform, pick_onsets
from a2v_core.metrics import (
    VARIANTS,
    HeardSound,
    Motion,
    detect_motion,
    hear_sound,
    score_peaks,
    trusted_score,
)
from a2v_core.metrics.alignment import cross_correlation

from .scenes import SAMPLE_RATE, Scene, event_times, render_frames, render_sound

SIDE = 64
FIRST_SEED = 1000  # the settings of the trusted score were chosen on seeds below it
MEASURES = (
    "reference",
    "legacy",
    "paper",
    "reference, corrected",
    "trusted",
    "trusted, corrected",
    "correlation",
)

Values = dict[str, float | None]


@dataclass(frozen=True)
class Pair:
    """A rendered clip. motion: of its picture; sound: what is heard."""

    scene: Scene
    motion: Motion
    sound: HeardSound


def make_scene(number: int, seconds: float, fps: float = 12, side: int = SIDE, matched: bool = True) -> Scene:
    """Scene `number`: 1 to 3 events a second, noise of both kinds, and the faults of a real pair."""
    rng = np.random.default_rng([FIRST_SEED + number, round(10 * seconds)])
    events = event_times(rng, seconds, per_second=rng.uniform(1, 3))
    heard = events if matched else event_times(rng, seconds, per_second=rng.uniform(1, 3))
    return Scene(
        seconds,
        fps,
        side,
        events,
        faulty(rng, heard, seconds),
        pixel_noise=rng.uniform(0, 0.03),
        sound_noise=10 ** rng.uniform(-3.5, -1.7),
        drift=rng.uniform(0, 0.04),
        seed=FIRST_SEED + number,
    )


def faulty(rng: np.random.Generator, events: Sequence[float], seconds: float) -> tuple[float, ...]:
    """A sixth of the events dropped, one in six added, all moved by about 40 ms; at least one is left."""
    kept = [time for time in events if rng.random() > 1 / 6] or list(events[:1])
    added = rng.uniform(0.2, seconds - 0.1, rng.binomial(len(events), 1 / 6))
    return tuple(sorted(float(t) for t in [*(time + rng.normal(0, 0.04) for time in kept), *added]))


def render(scene: Scene, flow_side: int = 0) -> Pair:
    """Draw the clip and detect its motion and onsets."""
    motion = detect_motion(render_frames(scene), scene.fps, flow_side)
    return Pair(scene, motion, hear_sound(render_sound(scene)))


def with_sound(pair: Pair, sound: Waveform) -> Pair:
    """The same picture with another sound."""
    return replace(pair, sound=hear_sound(sound))


def measure(pair: Pair, tolerance_ms: float | None = None, onset_delta: float | None = None) -> Values:
    """Every measure of a pair; None where it is undefined. `onset_delta` is librosa's, for the published
    ones."""
    seconds, onsets = pair.scene.seconds, pair.sound.onsets
    trusted_options: dict[str, Any] = {}
    if tolerance_ms is not None:
        trusted_options["tolerance_ms"] = tolerance_ms
    if onset_delta is not None:
        onsets = replace(onsets, times=pick_onsets(onsets.envelope, onset_delta))
    found: Values = {}
    for name in VARIANTS:
        result = score_peaks(pair.motion, onsets, seconds, name, tolerance_ms=tolerance_ms)
        found[name] = result.score
        if name == "reference":
            found["reference, corrected"] = result.corrected
    trusted = trusted_score(pair.motion, pair.sound, **trusted_options)
    found |= {"trusted": trusted.score, "trusted, corrected": trusted.corrected, "p": trusted.p_value}
    found["lag"] = trusted.mean_lag_ms
    found["correlation"] = cross_correlation(pair.motion, onsets).at_zero
    return found


def means(rows: Sequence[Values]) -> Values:
    """The mean of every measure over the rows where it is defined."""
    found: Values = {}
    for name in rows[0]:
        values = [value for row in rows if (value := row[name]) is not None]
        found[name] = float(np.mean(values)) if values else None
    return found


def auroc(matched: Sequence[float | None], mismatched: Sequence[float | None]) -> float:
    """How often a matched pair scores above a mismatched one, ties half.

    Undefined pairs are 0, a blind guess.
    """
    a = np.array([value or 0.0 for value in matched])[:, None]
    b = np.array([value or 0.0 for value in mismatched])[None, :]
    return float(((a > b) + 0.5 * (a == b)).mean())


def shifted(pair: Pair, seconds: float) -> Pair:
    """The pair with its sound events moved by `seconds`."""
    moved = tuple(time + seconds for time in pair.scene.sound)
    return with_sound(pair, render_sound(replace(pair.scene, sound=moved)))


def thinned_out(pair: Pair, share: float) -> Pair:
    """The pair with a share of its sound events left out."""
    rng = np.random.default_rng([pair.scene.seed, 5])
    order = rng.permutation(len(pair.scene.sound))
    kept = {int(i) for i in order[: max(1, round(len(order) * (1 - share)))]}
    left = tuple(time for i, time in enumerate(pair.scene.sound) if i in kept)
    return with_sound(pair, render_sound(replace(pair.scene, sound=left)))


def crowded(pair: Pair, share: float) -> Pair:
    """The pair with that many foreign sounds for each of its own."""
    rng = np.random.default_rng([pair.scene.seed, 6])
    extra = rng.uniform(0.2, pair.scene.seconds - 0.1, round(len(pair.scene.sound) * share))
    every = tuple(sorted([*pair.scene.sound, *(float(t) for t in extra)]))
    return with_sound(pair, render_sound(replace(pair.scene, sound=every)))


def kinds_of_sound() -> dict[str, Callable[[Scene], Waveform]]:
    """What may be heard while the picture shows its events: the own sound, and sounds that do not belong."""

    def events(scene: Scene) -> Waveform:
        return render_sound(scene)

    def other(scene: Scene) -> Waveform:
        rng = np.random.default_rng([scene.seed, 7])
        return render_sound(replace(scene, sound=event_times(rng, scene.seconds, per_second=2.0)))

    def radio(scene: Scene) -> Waveform:
        """Music: a beat of 4 a second, every one of them struck."""
        start = np.random.default_rng([scene.seed, 8]).uniform(0.1, 0.35)
        return render_sound(replace(scene, sound=tuple(np.arange(start, scene.seconds - 0.1, 0.25))))

    def speech(scene: Scene) -> Waveform:
        """Five syllables a second, irregular."""
        rng = np.random.default_rng([scene.seed, 9])
        return render_sound(replace(scene, sound=event_times(rng, scene.seconds, per_second=5.0, gap=0.12)))

    def hum(scene: Scene) -> Waveform:
        time = torch.arange(round(scene.seconds * SAMPLE_RATE)) / SAMPLE_RATE
        return Waveform((0.2 * torch.sin(2 * torch.pi * 120 * time))[None], SAMPLE_RATE)

    def both(scene: Scene) -> Waveform:
        return Waveform((events(scene).samples + 0.5 * radio(scene).samples).clamp(-1, 1), SAMPLE_RATE)

    return {
        "its own sound": events,
        "its own sound and a radio": both,
        "another clip's sound": other,
        "a radio (4 beats a second)": radio,
        "speech (5 syllables a second)": speech,
        "a steady hum": hum,
    }
