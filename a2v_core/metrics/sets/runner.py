"""Scores many clips on all cores, skips unreadable files, and resumes from a log of finished clips.

A clip whose files and settings are those of a line in the log of the output folder is not scored again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ...errors import A2VError
from ...workers import HERE, Lease, Leases, Placement, Worklist
from ..alignment import Record, Settings, score_clip
from .log import ClipLog, key_text
from .pool import make_pool
from .ray_engine import run_on_ray
from .videos import Video, identity, to_score

LEASES = "leases"
SCORES = 2  # another number for every change of what a score is: lines of older ones do not count
SOME_BAD = 3  # exit code of the commands when some files could not be read
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

    video: Video
    audio: Path | None
    settings: Settings


JobResult = tuple[Record, Record] | str


def score_videos(
    videos: Sequence[Video],
    settings: Settings,
    *,
    audio: Path | None = None,
    out: Path | None = None,
    workers: int = 0,
    progress: Callable[[int, int], None] | None = None,
    placement: Placement = HERE,
) -> Outcome:
    """Score every video; a file that cannot be read is listed and skipped.

    audio      sound of a single video; otherwise each has its own
    out        existing folder for the log of finished clips; None writes none. Other processes may score
               the same clips into the same folder at the same time, on other machines too: each does some,
               and all have the scores of all
    workers    processes; 0 is one per core that this process may use. One clip needs none
    progress   called with (done, total)
    placement  which videos, by their path or address as it is given, and where
    """
    settings.checked()
    jobs = [Job(video, audio, settings) for video in videos if placement.share.has(_id(video))]
    scoring = _Scoring(jobs, workers or available_cores(), progress, placement)
    if out is None:
        scoring.score(enumerate(jobs))
    else:
        with Leases(out / LEASES) as leases:
            scoring.score_shared(ClipLog(out, leases), leases)
    return scoring.outcome()


class _Scoring:
    """The results of jobs, by their numbers, as they come."""

    def __init__(
        self,
        jobs: list[Job],
        workers: int,
        progress: Callable[[int, int], None] | None,
        placement: Placement,
    ) -> None:
        self.jobs, self.workers, self.progress, self.placement = jobs, workers, progress, placement
        self.done: dict[int, tuple[Record, Record]] = {}
        self.bad: dict[int, str] = {}

    def score(
        self, numbered: Iterable[tuple[int, Job]], note: Callable[[int], None] = lambda number: None
    ) -> None:
        """Score jobs, and call `note` for each that has its result or the reason why there is none."""
        numbers: list[int] = []

        def asked_for() -> Iterator[Job]:
            for number, job in numbered:
                numbers.append(number)
                yield job

        for place, result in self._run(asked_for()):
            number = numbers[place]
            if isinstance(result, str):
                self.bad[number] = result
            else:
                self.done[number] = result
            note(number)
            self._tell()

    def score_shared(self, log: ClipLog, leases: Leases) -> None:
        """Score those that are neither in the log nor being scored by another process, until none is left."""
        keys = [_key(job) for job in self.jobs]
        texts = [key_text(key) for key in keys]
        held: dict[int, Lease] = {}

        def is_done(number: int) -> bool:
            found = None if keys[number] is None else log.get(texts[number])
            if found is not None:
                self.done[number] = found
            return found is not None

        def note(number: int) -> None:
            if number in self.done and keys[number] is not None:
                log.append(keys[number], self.done[number])
            leases.release(held.pop(number))

        def claimed(worklist: Worklist[int]) -> Iterator[tuple[int, Job]]:
            for number, lease in worklist.free():
                held[number] = lease
                yield number, self.jobs[number]

        # The same clip may be asked for twice under two names.
        units = {f"{texts[number]} {self.jobs[number].video}": number for number in range(len(self.jobs))}
        worklist = Worklist(units, is_done, leases)
        while worklist.left:
            self.score(claimed(worklist), note)
            worklist.wait()
            log.refresh()
        if self.done:
            self._tell()

    def outcome(self) -> Outcome:
        """The results in the order of the jobs."""
        ordered = [self.done[number] for number in sorted(self.done)]
        return Outcome(
            [record for record, _ in ordered],
            [curves for _, curves in ordered],
            [(str(self.jobs[number].video), self.bad[number]) for number in sorted(self.bad)],
        )

    def _run(self, jobs: Iterator[Job]) -> Iterator[tuple[int, JobResult]]:
        if self.placement.cluster is not None:
            return run_on_ray(self.placement.cluster, jobs, score_job)
        return run_jobs(jobs, min(self.workers, len(self.jobs)), score_job)

    def _tell(self) -> None:
        if self.progress:
            self.progress(len(self.done) + len(self.bad), len(self.jobs))


def _id(video: Video) -> str:
    return video.as_posix() if isinstance(video, Path) else str(video)


def available_cores() -> int:
    """Cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def score_job(job: Job) -> JobResult:
    """(record, curves) of a clip, or the reason why it could not be scored."""
    try:
        with to_score(job.video, job.audio) as (video, audio, address):
            record, curves = score_clip(video, audio, job.settings)
        if address is not None:
            record |= {"audio": address}
        return record | {"video": str(job.video)}, curves
    except (A2VError, OSError) as error:
        return str(error)
    except Exception as error:  # one bad file never ends a run over many
        return f"{job.video}: {type(error).__name__}: {error}"


def run_jobs(
    jobs: Iterable[Job], workers: int, work: Callable[[Job], Found | str]
) -> Iterator[tuple[int, Found | str]]:
    """(number, result) of every job as it finishes; an error message if its process dies. Jobs are asked for
    when they are needed."""
    source = enumerate(jobs)
    if workers <= 1:
        yield from ((number, work(job)) for number, job in source)
        return
    suspects: list[tuple[int, Job]] = []
    pending = next(source, None)
    while pending is not None:
        in_flight: dict[Future[Found | str], tuple[int, Job]] = {}
        try:
            with make_pool(workers) as pool:
                while pending is not None or in_flight:
                    while pending is not None and len(in_flight) < 2 * workers:
                        # The next one only once this is submitted: `submit` raises in a broken pool.
                        in_flight[pool.submit(work, pending[1])] = pending
                        pending = next(source, None)
                    finished, _ = wait(in_flight, return_when=FIRST_COMPLETED)
                    for future in finished:
                        result = future.result()
                        yield in_flight.pop(future)[0], result
        except BrokenProcessPool:
            # A worker died (decoder crash, out of memory) on one of these clips: each is tried alone below.
            suspects.extend(in_flight.values())
            if not in_flight and pending is not None:
                suspects.append(pending)
                pending = next(source, None)
    for number, job in suspects:
        try:
            with make_pool(1) as pool:
                yield number, pool.submit(work, job).result()
        except BrokenProcessPool:
            yield number, f"{job.video}: the process that scored it died (out of memory, or a bad file)"


def _key(job: Job) -> dict[str, Any] | None:
    """Identity of a job in the log: files with size and time, settings; None where a file is unreadable."""
    try:
        files = identity(job.video, job.audio)
    except (A2VError, OSError, ValueError):
        return None
    return {"files": files, "settings": asdict(job.settings), "scores": SCORES}
