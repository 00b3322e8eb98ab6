"""Trusted AV-Align: the metric without its known artefacts, to quote beside the published one.

What differs from `reference`, and why:

* Onsets are found to the millisecond (`a2v_core.signals`). librosa's lie on a grid of 23 ms, some 20 ms late,
  and one near 0.07 s is false wherever a sound does not begin in silence.
* Motion is the root mean square of the flow, without what a shaking camera moves, in pixels of a 384 x 384
  picture per 1/12 s, so that sizes and frame rates compare. A peak must stand out from its surroundings: as a
  plain local maximum every flicker counts.
* A motion has the time of its middle, between frames. As published it is that of the later frame of the two
  that its largest flow compares. Frames of a variable rate count at their own times.
* Matches count the less the further apart they are (`soft.py`), nothing from 170 ms on, at any fps: a rule
  that only asks whether two peaks are near cannot tell 0 from 100 ms.
* Edges: the first flow value is a copy and the last has no right neighbour, so no motion peak can be found
  there; onsets that have no frames to match, as after the end of the video, do not count as missed.
* A clip with nothing to compare (silence, a still picture, under 4 frames) is undefined (None, with the
  reason), not 0.

The formula is that of `reference`, and so is the chance level.
"""

from __future__ import annotations

import numpy as np

from .flow import Motion
from .heard import HeardSound
from .matching import checked_tolerance
from .moments import MIN_FRAMES, motion_curve, peak_centres, prominent_peaks
from .result import TRUSTED, AVAlignResult
from .soft import soft

DEFAULT_TOLERANCE_MS = 170.0  # chance is then that of a plain window of 125 ms


def trusted_score(
    motion: Motion, sound: HeardSound, *, tolerance_ms: float = DEFAULT_TOLERANCE_MS
) -> AVAlignResult:
    """The trusted score of motion and of what is heard; A2VError for a tolerance that is not above 0."""
    tolerance = checked_tolerance(tolerance_ms) / 1000
    times, speed = motion_curve(motion)
    video = peak_centres(times, speed, prominent_peaks(speed))
    start, end = _judged(motion)
    audio = tuple(time for time in sound.times if start <= time < end)
    score = soft(audio, video, tolerance)
    reason = _reason(motion, sound, audio, video)
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
        sound_seconds=sound.seconds,
        tolerance=tolerance,
        window=(start, end),
        notes=_notes(motion, sound, audio),
    )


def _judged(motion: Motion) -> tuple[float, float]:
    """Start and end in seconds of the time whose events can show as a peak: from the middle of the first two
    frames to the middle of the last two.
    """
    if motion.num_frames < MIN_FRAMES:
        return 0.0, 0.0
    shown = np.asarray(motion.frame_times, float)
    return float(shown[:2].mean()), float(shown[-2:].mean())


def _reason(motion: Motion, sound: HeardSound, audio: tuple[float, ...], video: tuple[float, ...]) -> str:
    if motion.num_frames < 2:
        return "undefined: the video has one frame, and motion needs two"
    if motion.num_frames < MIN_FRAMES:
        return f"undefined: the video has {motion.num_frames} frames, and a motion peak needs {MIN_FRAMES}"
    if not sound.times and not max(sound.onsets.envelope, default=0.0):
        return "undefined: the sound is silent"
    if not audio and not video:
        return "undefined: no onset in the sound and no motion peak in the video"
    if not audio:
        return "undefined: no onset in the sound while the video can be judged"
    if not video:
        return "undefined: no motion peak in the video"
    return ""


def _notes(motion: Motion, sound: HeardSound, counted: tuple[float, ...]) -> tuple[str, ...]:
    notes = []
    if len(sound.times) > len(counted):
        outside = _onsets(len(sound.times) - len(counted))
        notes.append(f"{outside} left out where no motion peak can be found")
    length = motion.num_frames / motion.fps
    if sound.seconds > length + 0.5 / motion.fps:
        notes.append(f"the sound is {sound.seconds - length:.2f} s longer than the video")
    if motion.times:
        notes.append("the frame rate varies; frames count at their own times")
    return tuple(notes)


def _onsets(count: int) -> str:
    return f"{count} onset" if count == 1 else f"{count} onsets"
