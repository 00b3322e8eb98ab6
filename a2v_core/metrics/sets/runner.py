"""Scores many clips on all cores, skips unreadable files, and resumes from a log of finished clips.

Every finished clip is a line of `clips.jsonl` in the output folder. A clip whose files and settings are
those of a line there is not scored again.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ...errors import A2VError
from ...media import VIDEO_ENDINGS, media_files
from ..alignment import Record, Settings, score_clip, sound_of
from .pool import make_pool

CLIP_LOG = "clips.jsonl"
SCORES = 2  # another number for every change of what a score is: lines of older ones do not count
SOME_BAD = 3  # exit code of the commands when some files could not be read
_LOG = logging.getLogger(__name__)
Found = TypeVar("Found")


@dataclass
class Outcome:
    """records and curves in the order of the videos; bad: (file, reason) of those that could not be
    scored.
    """

    records: list[Record] = field(default_factory=list)
    curves: list[Record] = field(default_factory=list)
    bad: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Job:
    """One clip to score; `audio` None is found beside or in the video."""

    video: Path
    audio: Path | None
    settings: Settings


def find_videos(paths: list[Path]) -> list[Path]:
    """The video files among `paths`; folders are searched through, by name. A2VError where there is none."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = media_files(path, VIDEO_ENDINGS)
            if not inside:
                raise A2VError(f"{path}: the folder holds no video ({', '.join(VIDEO_ENDINGS)}).")
            found.extend(inside)
        else:
            found.append(path)
    return list(dict.fromkeys(found))


def score_videos(
    videos: list[Path],
    settings: Settings,
    *,
    audio: Path | None = None,
    out: Path | None = None,
    workers: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Outcome:
    """Score every video; a file that cannot be read is listed and skipped.

    audio     sound of a single video; otherwise each has its own
    out       existing folder for the log of finished clips; None writes none
    workers   processes; 0 is one per core that this process may use. One clip needs none
    progress  called with (done, total)
    """
    settings.checked()
    log = None if out is None else out / CLIP_LOG
    jobs = [Job(video, audio, settings) for video in videos]
    done = {} if log is None else _logged_results(log, jobs)
    left = [number for number in range(len(jobs)) if number not in done]
    bad: dict[int, str] = {}
    for number, result in run_jobs([jobs[n] for n in left], workers or available_cores(), score_job):
        job = left[number]
        if isinstance(result, str):
            bad[job] = result
        else:
            done[job] = result
            if log is not None:
                _append_result(log, jobs[job], result)
        if progress:
            progress(len(done) + len(bad), len(jobs))
    ordered = [done[number] for number in range(len(jobs)) if number in done]
    return Outcome(
        [record for record, _ in ordered],
        [curves for _, curves in ordered],
        [(str(videos[number]), bad[number]) for number in sorted(bad)],
    )


def available_cores() -> int:
    """Cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


JobResult = tuple[Record, Record] | str


def score_job(job: Job) -> JobResult:
    """(record, curves) of a clip, or the reason why it could not be scored."""
    try:
        return score_clip(job.video, job.audio, job.settings)
    except (A2VError, OSError) as error:
        return str(error)
    except Exception as error:  # one bad file never ends a run over many
        return f"{job.video}: {type(error).__name__}: {error}"


def run_jobs(
    jobs: list[Job], workers: int, work: Callable[[Job], Found | str]
) -> Iterator[tuple[int, Found | str]]:
    """(number, result) of every job as it finishes; an error message if its process dies."""
    workers = min(workers, len(jobs))
    if workers <= 1:
        yield from ((number, work(job)) for number, job in enumerate(jobs))
        return
    suspects: list[int] = []
    pending = list(range(len(jobs)))
    while pending:
        in_flight: dict[Future[Found | str], int] = {}
        try:
            with make_pool(workers) as pool:
                while pending or in_flight:
                    while pending and len(in_flight) < 2 * workers:
                        # Removed only once submitted: `submit` raises in a broken pool.
                        in_flight[pool.submit(work, jobs[pending[0]])] = pending[0]
                        del pending[0]
                    finished, _ = wait(in_flight, return_when=FIRST_COMPLETED)
                    for future in finished:
                        result = future.result()
                        yield in_flight.pop(future), result
        except BrokenProcessPool:
            # A worker died (decoder crash, out of memory) on one of these clips: each is tried alone below.
            suspects.extend(in_flight.values() or [pending.pop(0)])
    for number in suspects:
        try:
            with make_pool(1) as pool:
                yield number, pool.submit(work, jobs[number]).result()
        except BrokenProcessPool:
            yield (
                number,
                f"{jobs[number].video}: the process that scored it died (out of memory, or a bad file)",
            )


def _key(job: Job) -> dict[str, Any] | None:
    """Identity of a job in the log: files with size and time, settings; None where a file is unreadable."""
    try:
        sound = job.audio or sound_of(job.video)
        stats = [(str(path.resolve()), path.stat()) for path in (job.video, sound)]
    except (A2VError, OSError, ValueError):
        return None
    files = [[name, stat.st_size, stat.st_mtime_ns] for name, stat in stats]
    return {"files": files, "settings": asdict(job.settings), "scores": SCORES}


def _append_result(log: Path, job: Job, result: tuple[Record, Record]) -> None:
    line = json.dumps({"key": _key(job), "record": result[0], "curves": result[1]})
    try:
        with log.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
    except OSError as error:
        _LOG.warning("%s: %s was scored but not noted: %s", log, job.video, error)


def _logged_results(log: Path, jobs: list[Job]) -> dict[int, tuple[Record, Record]]:
    """Number of the job -> its record and curves in the log. Incomplete lines are skipped."""
    if not log.is_file():
        return {}
    logged: dict[str, tuple[Record, Record]] = {}
    for line in log.read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
            logged[json.dumps(entry["key"])] = entry["record"], entry["curves"]
        except (ValueError, KeyError, TypeError):
            continue
    keys = [json.dumps(_key(job)) for job in jobs]
    return {number: logged[key] for number, key in enumerate(keys) if key in logged}
