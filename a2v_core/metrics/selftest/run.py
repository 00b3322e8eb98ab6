"""The self-test of files: motion and sound of each are found once, on all cores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...errors import A2VError
from ..alignment import FAST_SIDE, detect_motion, hear_sound, sound_of
from ..sets import Job, available_cores, run_jobs, to_score
from .trial import DetectedClip, Results, run_trials


@dataclass(frozen=True)
class SelfTest:
    """results: see `trial`; clips: names of the files; bad: (file, reason) of what could not be read."""

    results: Results
    clips: tuple[str, ...]
    bad: tuple[tuple[str, str], ...]


def detect_job(job: Job) -> DetectedClip | str:
    """Motion and sound of a clip, or the reason why there are none."""
    try:
        with to_score(job.video, job.audio) as (video, audio, _):
            motion = detect_motion(video, flow_side=FAST_SIDE if job.settings.fast else 0)
            return DetectedClip(str(job.video), motion, hear_sound(audio or sound_of(video)))
    except (A2VError, OSError) as error:
        return str(error)
    except Exception as error:  # one bad file never ends a run over many
        return f"{job.video}: {type(error).__name__}: {error}"


def self_test(
    jobs: list[Job], workers: int = 0, progress: Callable[[int, int], None] | None = None
) -> SelfTest:
    """The scores tried on files. A2VError where none of them could be read.

    workers   processes; 0 is one per core that this process may use
    progress  called with (done, total)
    """
    found: dict[int, DetectedClip | str] = {}
    for number, result in run_jobs(jobs, workers or available_cores(), detect_job):
        found[number] = result
        if progress:
            progress(len(found), len(jobs))
    ordered = [found[number] for number in range(len(jobs))]
    clips = [result for result in ordered if isinstance(result, DetectedClip)]
    bad = tuple(
        (str(job.video), result) for job, result in zip(jobs, ordered, strict=True) if isinstance(result, str)
    )
    if not clips:
        raise A2VError(
            "The self-test needs at least one video with sound: " + "; ".join(why for _, why in bad)
        )
    return SelfTest(run_trials(clips), tuple(clip.name for clip in clips), bad)
