"""Trusted AV-Align: the metric without its known artefacts, to quote beside the published one.

What differs from `reference`, and why:

* Onsets: the first 0.116 s of the envelope is the sound against librosa's padding, where any noise floor
  gives a false onset near 0.07 s; it is left out. Onsets below 2 dB are steady noise.
* Motion peaks: flow counts in pixels of a 384 x 384 picture per 1/12 s, so that sizes and frame rates
  compare. A peak must stand out from its surroundings: as a plain local maximum every flicker counts.
* Times: flow i was measured between the frames i-1 and i, and its time is the middle of the two. As published
  it is the later one, half a frame late at any fps. Frames of a variable rate count at their own times.
* Tolerance: 125 ms at any fps.
* Edges: the first flow value is a copy and the last has no right neighbour, so no motion peak can be found
  there; onsets that have no frames to match, as after the end of the video, do not count as missed. Neither
  do motion peaks where no onset could be found.
* A clip with nothing to compare (silence, a still picture, under 4 frames) is undefined (None, with the
  reason), not 0.

Matching, formula and chance level are those of `reference`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...audio import ONSET_DELTA, PADDED_STEPS, Onsets, trusted_onsets
from .flow import Motion
from .matching import checked_tolerance, reference
from .peaks import MIN_FLOW
from .result import TRUSTED, AVAlignResult

DEFAULT_TOLERANCE_MS = 125.0  # one frame at 8 fps; within what ITU-R BT.1359 finds acceptable
REFERENCE_FPS = 12.0
PROMINENCE = 0.2  # of the span between the median and the 95th percentile of the flow
MIN_FRAMES = 4


def trusted_score(
    motion: Motion,
    onsets: Onsets,
    sound_seconds: float,
    *,
    tolerance_ms: float = DEFAULT_TOLERANCE_MS,
    onset_delta: float = ONSET_DELTA,
) -> AVAlignResult:
    """The trusted score of motion and onsets; A2VError for a tolerance that is not above 0.

    onset_delta  librosa's delta: how far an onset must exceed the local mean, relative to the highest one
    """
    tolerance = checked_tolerance(tolerance_ms) / 1000
    clean = trusted_onsets(onsets, onset_delta)
    times, speed = motion_curve(motion)
    peaks = tuple(float(times[i]) for i in prominent_peaks(speed))
    first_onset = PADDED_STEPS * onsets.hop_seconds
    end = max(sound_seconds, motion.num_frames / motion.fps)
    if motion.num_frames < MIN_FRAMES:
        start = end = 0.0
    else:
        start = max(first_onset, float(times[2]) - tolerance)
        end = min(end, float(times[-2]) + tolerance)
    audio = tuple(time for time in clean.times if start <= time < end)
    video = tuple(time for time in peaks if time > first_onset - tolerance)
    score = reference(audio, video, tolerance)
    reason = _reason(motion, clean, audio, video)
    return AVAlignResult(
        score=None if reason else score.value,
        reason=reason,
        variant=TRUSTED,
        audio_peaks=audio,
        video_peaks=video,
        matches=score.matches,
        flow=tuple(float(value) for value in speed),
        fps=motion.fps,
        num_frames=motion.num_frames,
        width=motion.width,
        height=motion.height,
        sound_seconds=sound_seconds,
        tolerance=tolerance,
        window=(start, end),
        notes=_notes(motion, onsets, clean, audio, sound_seconds),
    )


def motion_curve(motion: Motion) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Times in seconds (the middle of the two frames that a value compares) and flow, one value per frame.

    Flow is in pixels of a 384 x 384 picture per 1/12 s.
    """
    shown = np.asarray(motion.frame_times, float)
    flow = np.asarray(motion.normalised, float)
    if len(flow) == 0:
        return shown, np.zeros(len(shown))
    gaps = np.diff(shown, prepend=shown[0] - 1 / motion.fps)
    return shown - gaps / 2, flow / (gaps * REFERENCE_FPS)


def prominent_peaks(curve: Sequence[float] | np.ndarray[Any, Any]) -> tuple[int, ...]:
    """Indexes from 2 on of the local maxima of at least 0.1 with enough prominence.

    The prominence, the height above the higher of the two valleys beside a peak, must be 20 % of the span
    between the median and the 95th percentile. Index 1 has only a copy of itself to its left.
    """
    values = np.asarray(curve, float)
    if len(values) < MIN_FRAMES:
        return ()
    from scipy.signal import find_peaks

    median, high = np.percentile(values, [50, 95])
    peaks, _ = find_peaks(values[1:], height=MIN_FLOW, prominence=max(1e-12, PROMINENCE * (high - median)))
    return tuple(int(index) + 1 for index in peaks)


def _reason(motion: Motion, onsets: Onsets, audio: tuple[float, ...], video: tuple[float, ...]) -> str:
    if motion.num_frames < 2:
        return "undefined: the video has one frame, and motion needs two"
    if motion.num_frames < MIN_FRAMES:
        return f"undefined: the video has {motion.num_frames} frames, and a motion peak needs {MIN_FRAMES}"
    if not onsets.times and not max(onsets.envelope, default=0.0):
        return "undefined: the sound is silent"
    if not audio and not video:
        return "undefined: no onset in the sound and no motion peak in the video"
    if not audio:
        return "undefined: no onset in the sound while the video can be judged"
    if not video:
        return "undefined: no motion peak in the video"
    return ""


def _notes(
    motion: Motion, found: Onsets, clean: Onsets, counted: tuple[float, ...], sound_seconds: float
) -> tuple[str, ...]:
    notes = []
    dropped = len([time for time in found.times if time not in clean.times])
    if dropped:
        notes.append(f"{_onsets(dropped)} left out as the sound's start or steady noise")
    if len(clean.times) > len(counted):
        outside = _onsets(len(clean.times) - len(counted))
        notes.append(f"{outside} left out where no motion peak can be found")
    length = motion.num_frames / motion.fps
    if sound_seconds > length + 0.5 / motion.fps:
        notes.append(f"the sound is {sound_seconds - length:.2f} s longer than the video")
    if motion.times:
        notes.append("the frame rate varies; frames count at their own times")
    return tuple(notes)


def _onsets(count: int) -> str:
    return f"{count} onset" if count == 1 else f"{count} onsets"
