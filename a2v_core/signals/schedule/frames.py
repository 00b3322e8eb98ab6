"""Measured signals -> one value per video frame.

A frame sums up what it stands for (`axis.py`): onsets and changes by the largest, so that no peak is lost at
a low frame rate; levels and shares by the mean, over exactly that time, so that none is counted twice or
drifts.

Legend: T steps, F video frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..analysis import SILENCE_LUFS, Curve, Onset, Unit, lufs
from .axis import FrameAxis

Values = np.ndarray[Any, np.dtype[np.float64]]

RANGE_DB = 40.0  # decibels below the loudest frame that are 0 in a schedule of a loudness


def onset_frames(onsets: Sequence[Onset], axis: FrameAxis) -> Values:
    """Strength of the strongest onset of every frame, 0 where there is none: float64 [F]."""
    values = np.zeros(axis.frames)
    for time, strength in onsets:
        frame = axis.frame_at(time)
        if 0 <= frame < axis.frames:
            values[frame] = max(values[frame], strength)
    return values


def curve_frames(curve: Curve, axis: FrameAxis) -> Values:
    """The curve in its own unit, float64 [F]: amplitude (RMS), LUFS, dB of change, or a share."""
    if curve.unit is Unit.CHANGE:
        return _largest(curve, axis)
    mean = _means(curve, axis)
    if curve.unit is Unit.POWER:
        return np.asarray(np.sqrt(mean.clip(0)))
    return np.asarray(lufs(mean)) if curve.unit is Unit.DECIBELS else mean


def unit_frames(curve: Curve, axis: FrameAxis, top: float | None = None) -> Values:
    """The curve in 0..1, float64 [F]: divided by its largest frame, or the 40 dB below it for a loudness.

    top  what becomes 1 instead of the largest frame, in the curve's own unit: for the parts of one piece
    """
    values = curve_frames(curve, axis)
    if curve.unit is Unit.SHARE:
        return values
    highest = float(values.max()) if top is None else top
    if curve.unit is Unit.DECIBELS:
        return (
            np.asarray((1 + (values - highest) / RANGE_DB).clip(0, 1))
            if highest > SILENCE_LUFS
            else values * 0
        )
    return np.asarray((values / highest).clip(0, 1)) if highest > 0 else values * 0


def _means(curve: Curve, axis: FrameAxis) -> Values:
    """Mean of the steps over each frame's time; a step that lies in two frames counts in both by its part.

    The first half frame lies before the sound: its frame is the mean of the half that there is.
    """
    total = np.concatenate([[0.0], np.cumsum(curve.values, dtype=np.float64)])
    edges = axis.edges().clip(0, None)
    at = np.interp(edges / curve.step_seconds, np.arange(len(total)), total)
    return np.asarray(np.diff(at) * curve.step_seconds / np.diff(edges))


def _largest(curve: Curve, axis: FrameAxis) -> Values:
    """Largest step whose middle lies in each frame's time; the nearest one if the frames are shorter."""
    steps = len(curve.values)
    first = np.ceil(axis.edges() / curve.step_seconds - 0.5).astype(np.int64)
    centre = np.round(np.arange(axis.frames) / float(axis.fps) / curve.step_seconds - 0.5).astype(np.int64)
    start, stop = first[:-1], first[1:]
    empty = start >= stop
    start, stop = np.where(empty, centre, start), np.where(empty, centre + 1, stop)
    padded = np.concatenate([curve.values.astype(np.float64), [0.0]])
    pairs = np.stack([start.clip(0, steps), stop.clip(0, steps)], axis=1)
    largest = np.maximum.reduceat(padded, pairs.reshape(-1))[::2]
    return np.where(pairs[:, 0] < pairs[:, 1], largest, 0.0)
