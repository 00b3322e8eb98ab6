"""Video peaks of AV-Align: the moments where motion is strongest."""

from __future__ import annotations

from collections.abc import Sequence

MIN_FLOW = 0.1  # pixels per frame; published in Feb 2025, the 2023 code had no such floor


def local_maxima(curve: Sequence[float], minimum: float = MIN_FLOW) -> tuple[int, ...]:
    """Indexes whose value is above both neighbours and at least `minimum`. The ends and plateaus never count.

    Source: the published av_align.py (Feb 2025).
    """
    return tuple(
        i for i in range(1, len(curve) - 1) if curve[i - 1] < curve[i] > curve[i + 1] and curve[i] >= minimum
    )


def peak_times(curve: Sequence[float], fps: float, minimum: float = MIN_FLOW) -> tuple[float, ...]:
    """Times in seconds of the local maxima of a curve with one value per video frame."""
    return tuple(index / fps for index in local_maxima(curve, minimum))
