"""AV-Align: do the peaks of the motion fall on the peaks of the sound? (arXiv 2309.16429)

Audio peaks are onsets, video peaks are local maxima of the mean optical flow; the score is the intersection
over union of the peaks that lie within one frame of each other. Scores at different fps or resolutions do
not compare: the tolerance is one frame and the flow is in pixels. Compare a score with its chance level
(`shifted_chance`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ..audio import Waveform
from ..audio.io import load_audio
from ..errors import MediaError
from .flow import Motion, Video, detect_motion
from .matching import variant_named
from .onsets import Onsets, detect_onsets
from .peaks import peak_times


@dataclass(frozen=True)
class AVAlignResult:
    """One clip's AV-Align and all that went into it.

    score           the chosen variant's value, or None where it is undefined
    reason          why the score is undefined or zero for want of peaks; empty otherwise
    variant         name of the variant
    audio_peaks     onset times in seconds, ascending
    video_peaks     motion peak times in seconds, ascending
    matches         index pairs (audio peak, video peak)
    flow            mean optical flow per frame in pixels; the first value repeats the second
    fps, num_frames, width, height   of the video; size in pixels
    sound_seconds   length of the sound
    """

    score: float | None
    reason: str
    variant: str
    audio_peaks: tuple[float, ...]
    video_peaks: tuple[float, ...]
    matches: tuple[tuple[int, int], ...]
    flow: tuple[float, ...]
    fps: float
    num_frames: int
    width: int
    height: int
    sound_seconds: float


def av_align(
    video: Video,
    fps: float | None = None,
    audio: Waveform | str | os.PathLike[str] | None = None,
    variant: str = "reference",
) -> AVAlignResult:
    """AV-Align of frames [F, H, W, 3] in 0..1 at `fps`, or of a video file, with a sound.

    video    frames or a path. A path gives its own fps unless `fps` is set
    audio    Waveform or a path; None takes the sound track of the video file
    variant  "reference": the published code of Feb 2025

    The whole sound is looked at, as published: sound after the last frame counts as missed.
    Raises MediaError for input that cannot be read or scored (fps not above 0, no frames, NaN, no sound
    track), A2VError for an unknown variant, MissingDependency without librosa or OpenCV.
    """
    variant_named(variant)
    if audio is None:
        if not isinstance(video, (str, os.PathLike)):
            raise MediaError("AV-Align of frames needs their sound: give audio as a Waveform or a file.")
        audio = video
    sound = audio if isinstance(audio, Waveform) else load_audio(Path(audio))
    return score_peaks(detect_motion(video, fps), detect_onsets(sound), sound.duration, variant)


def score_peaks(
    motion: Motion, onsets: Onsets, sound_seconds: float, variant: str = "reference"
) -> AVAlignResult:
    """The score of motion and onsets that are already detected; tolerance is one frame, 1 / fps."""
    video_peaks = peak_times(motion.flow, motion.fps)
    score = variant_named(variant)(onsets.times, video_peaks, 1 / motion.fps)
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
        flow=motion.flow,
        fps=motion.fps,
        num_frames=motion.num_frames,
        width=motion.width,
        height=motion.height,
        sound_seconds=sound_seconds,
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
