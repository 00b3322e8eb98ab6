"""What AV-Align gives to unrelated sound: the same peaks, shifted in time against the picture.

At 12 fps and a few onsets a second, chance alone scores about 0.27, so a score says little without this
number.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from .av_align import AVAlignResult
from .matching import Variant, variant_named

MAX_SHIFTS = 4096


def shifted_chance(result: AVAlignResult) -> float | None:
    """Mean score of the clip over all circular time shifts of its sound; None where the score is undefined.

    The sound goes round the longer of sound and video (a shorter sound is followed by silence), onsets keep
    their distances, the motion peaks stay. The score is a step function of the shift, so the mean over all
    shifts is exact; with more than 4096 steps (long clips) it is the mean over 4096 evenly spaced shifts.
    """
    if result.score is None:
        return None
    period = max(result.sound_seconds, result.num_frames / result.fps, *result.audio_peaks[-1:])
    steps = shift_profile(
        result.audio_peaks, result.video_peaks, 1 / result.fps, period, variant_named(result.variant)
    )
    return sum(weight * score for weight, score in steps)


def shift_profile(
    audio: Sequence[float], video: Sequence[float], tolerance: float, period: float, variant: Variant
) -> list[tuple[float, float]]:
    """(share of all shifts, score) for every step of the score over the circular shift."""
    edges = _edges(audio, video, tolerance, period)
    profile = []
    for start, stop in pairwise(edges):
        shift = (start + stop) / 2
        score = variant(sorted((time + shift) % period for time in audio), video, tolerance).value
        profile.append(((stop - start) / period, score or 0.0))
    return profile


def _edges(audio: Sequence[float], video: Sequence[float], tolerance: float, period: float) -> list[float]:
    """The shifts in 0..period at which a peak enters or leaves a tolerance window or passes the end."""
    if len(audio) * (2 * len(video) + 1) > MAX_SHIFTS:
        return [period * step / MAX_SHIFTS for step in range(MAX_SHIFTS + 1)]
    borders = [0.0, *(peak + side for peak in video for side in (-tolerance, tolerance))]
    return sorted({0.0, period, *((border - time) % period for time in audio for border in borders)})
