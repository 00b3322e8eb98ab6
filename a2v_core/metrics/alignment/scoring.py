"""AV-Align: how well motion peaks and onsets coincide (arXiv 2309.16429).

Audio peaks are onsets, video peaks are local maxima of the mean optical flow; the score is the intersection
over union of the peaks that lie within one frame of each other. As published, scores at different fps or
resolutions do not compare: the tolerance is one frame and the flow is in pixels; both can be changed here.
`trusted.py` has the score without the known artefacts.
"""

from __future__ import annotations

import os

from ...audio import Onsets, Waveform
from ...errors import MediaError
from .flow import Motion, Video, detect_motion
from .heard import hear_sound
from .matching import checked_tolerance, variant_named
from .peaks import MIN_FLOW, peak_times
from .result import TRUSTED, AVAlignResult
from .trusted import DEFAULT_TOLERANCE_MS, trusted_score


def av_align(
    video: Video,
    fps: float | None = None,
    audio: Waveform | str | os.PathLike[str] | None = None,
    variant: str = "reference",
    *,
    tolerance_ms: float | None = None,
    normalise_flow: bool = False,
    min_flow: float = MIN_FLOW,
) -> AVAlignResult:
    """AV-Align of frames [F, H, W, 3] in 0..1 at `fps`, or of a video file, with a sound.

    video           frames or a path. A path gives its own fps unless `fps` is set
    audio           Waveform or a path; None takes the sound track of the video file
    variant         "reference": the published code of Feb 2025; "legacy": that of 2023; "paper": equation 9;
                    "trusted": without the known artefacts
    tolerance_ms    largest distance of matching peaks; None is one frame as published, 170 ms for "trusted"
    normalise_flow  flow in pixels of a 384 x 384 picture, so that sizes compare ("trusted" always does)
    min_flow        peaks below it do not count; 0.1 as published, 0 gives the code of 2023 to the digit

    As published, onsets after the last frame count as missed (not in "trusted").
    Files of any length are read piece by piece.
    Raises MediaError for input that cannot be read or scored (fps not above 0, no frames, NaN, no sound
    track), A2VError for an unknown variant or a bad number, MissingDependency without librosa or OpenCV.
    """
    if variant != TRUSTED:
        variant_named(variant)
    if audio is None:
        if not isinstance(video, (str, os.PathLike)):
            raise MediaError("AV-Align of frames needs their sound: give audio as a Waveform or a file.")
        audio = video
    motion = detect_motion(video, fps)
    sound = hear_sound(audio)
    if variant == TRUSTED:
        tolerance = DEFAULT_TOLERANCE_MS if tolerance_ms is None else tolerance_ms
        return trusted_score(motion, sound, tolerance_ms=tolerance)
    return score_peaks(
        motion,
        sound.onsets,
        sound.seconds,
        variant,
        tolerance_ms=tolerance_ms,
        normalise_flow=normalise_flow,
        min_flow=min_flow,
    )


def score_peaks(
    motion: Motion,
    onsets: Onsets,
    sound_seconds: float,
    variant: str = "reference",
    *,
    tolerance_ms: float | None = None,
    normalise_flow: bool = False,
    min_flow: float = MIN_FLOW,
) -> AVAlignResult:
    """The score of motion and onsets that are already detected; arguments as in `av_align`."""
    rule = variant_named(variant)
    tolerance = 1 / motion.fps if tolerance_ms is None else checked_tolerance(tolerance_ms) / 1000
    flow = motion.normalised if normalise_flow else motion.flow
    video_peaks = peak_times(flow, motion.fps, min_flow)
    score = rule(onsets.times, video_peaks, tolerance)
    value, matches = score.value, score.matches
    if motion.num_frames < 2:
        value, matches = None, ()
    return AVAlignResult(
        score=value,
        reason=_reason(motion, onsets, video_peaks),
        variant=variant,
        audio_peaks=onsets.times,
        video_peaks=video_peaks,
        matches=matches,
        flow=flow,
        fps=motion.fps,
        num_frames=motion.num_frames,
        width=motion.width,
        height=motion.height,
        sound_seconds=sound_seconds,
        tolerance=tolerance,
        window=(0.0, max(sound_seconds, motion.num_frames / motion.fps, *onsets.times[-1:])),
    )


def _reason(motion: Motion, onsets: Onsets, video_peaks: tuple[float, ...]) -> str:
    if motion.num_frames < 2:
        return "undefined: the video has one frame, and motion needs two"
    if not onsets.times and not video_peaks:
        return "undefined: no onset in the sound and no motion peak in the video"
    if not onsets.times:
        return "zero: no onset in the sound (silent, or one steady sound)"
    if not video_peaks:
        return "zero: no motion peak in the video (still, or too short for a peak)"
    return ""
