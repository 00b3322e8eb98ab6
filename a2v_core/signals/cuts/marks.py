"""Moments that a cut may fall on: beats or onsets, none of them in silence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..analysis import Curve, Measured, lufs
from .shots import Mark
from .tempo import Beats

GATE_LUFS = -60.0
_AROUND_SECONDS = 0.2


def beat_marks(beats: Beats, every: int = 1) -> list[Mark]:
    """Every `every`-th beat, all of equal strength."""
    return [Mark(time) for time in beats.times[:: max(1, every)]]


def onset_marks(measured: Measured) -> list[Mark]:
    """The onsets with their strengths."""
    return [Mark(onset.time, onset.strength) for onset in measured.onsets]


def audible(marks: Sequence[Mark], loudness: Curve, gate: float = GATE_LUFS) -> list[Mark]:
    """The marks whose surroundings are louder than `gate` (LUFS, within 0.2 s)."""
    reach = round(_AROUND_SECONDS / loudness.step_seconds)
    kept = []
    for mark in marks:
        step = int(mark.time / loudness.step_seconds)
        around = loudness.values[max(0, step - reach) : step + reach + 1]
        if len(around) and float(lufs(np.mean(around))) > gate:
            kept.append(mark)
    return kept
