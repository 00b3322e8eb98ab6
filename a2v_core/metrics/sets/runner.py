"""Many clips on all cores: one process each, a progress bar, bad files put aside, and a notebook to resume
from.

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
from typing import Any

from ...errors import A2VError
from ...media import VIDEO_ENDINGS, media_files
from ..alignment import Record, Settings, score_clip, sound_of
from .pool import make_pool

NOTEBOOK = "clips.jsonl"
SOME_BAD = 3  # exit code of the commands when some files could not be read
_LOG = logging.getLogger(__name__)


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
    out       existing folder for the notebook; None keeps none
    workers   processes; 0 is one per core that this process may use. One clip needs none
    progress  called with (done, total)
    """
    settings.checked()
    notebook = None if out is None else out / NOTEBOOK
    jobs = [Job(video, audio, settings) for video in videos]
    done = {} if notebook is None else _known(notebook, jobs)
    left = [number for number in range(len(jobs)) if number not in done]
    bad: dict[int, str] = {}
    for number, answer in run_jobs([jobs[n] for n in left], workers or available_cores()):
        job = left[number]
        if isinstance(answer, str):
            bad[job] = answer
        else:
            done[job] = answer
            if notebook is not None:
                _note(notebook, jobs[job], answer)
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


Answer = tuple[Record, Record] | str


def score_job(job: Job) -> Answer:
    """(record, curves) of a clip, or why there are none."""
    try:
        return score_clip(job.video, job.audio, job.settings)
    except (A2VError, OSError) as error:
        return str(error)
    except Exception as error:  # of one file, which never ends a run over many
        return f"{job.video}: {type(error).__name__}: {error}"


def run_jobs(
    jobs: list[Job], workers: int, work: Callable[[Job], Answer] = score_job
) -> Iterator[tuple[int, Answer]]:
    """(number, answer) of every job as it is done. A job whose process dies gets that as its answer."""
    workers = min(workers, len(jobs))
    if workers <= 1:
        yield from ((number, work(job)) for number, job in enumerate(jobs))
        return
    suspects: list[int] = []
    waiting = list(range(len(jobs)))
    while waiting:
        under_way: dict[Future[Answer], int] = {}
        try:
            with make_pool(workers) as pool:
                while waiting or under_way:
                    while waiting and len(under_way) < 2 * workers:
                        # Taken off the list only when it is under way: `submit` raises in a broken pool.
                        under_way[pool.submit(work, jobs[waiting[0]])] = waiting[0]
                        del waiting[0]
                    finished, _ = wait(under_way, return_when=FIRST_COMPLETED)
                    for future in finished:
                        answer = future.result()
                        yield under_way.pop(future), answer
        except BrokenProcessPool:
            # A process died, of a decoder's crash or for want of memory: one of these clips is to blame.
            suspects.extend(under_way.values() or [waiting.pop(0)])
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
    """What a line of the notebook must agree with; None where the files cannot be looked at."""
    try:
        sound = job.audio or sound_of(job.video)
        stats = [(str(path.resolve()), path.stat()) for path in (job.video, sound)]
    except (A2VError, OSError, ValueError):
        return None
    files = [[name, stat.st_size, stat.st_mtime_ns] for name, stat in stats]
    return {"files": files, "settings": asdict(job.settings)}


def _note(notebook: Path, job: Job, answer: tuple[Record, Record]) -> None:
    line = json.dumps({"key": _key(job), "record": answer[0], "curves": answer[1]})
    try:
        with notebook.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
    except OSError as error:
        _LOG.warning("%s: %s was scored but not noted: %s", notebook, job.video, error)


def _known(notebook: Path, jobs: list[Job]) -> dict[int, tuple[Record, Record]]:
    """Number of the job -> what the notebook says of it. A line that broke off is passed over."""
    if not notebook.is_file():
        return {}
    noted: dict[str, tuple[Record, Record]] = {}
    for line in notebook.read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
            noted[json.dumps(entry["key"])] = entry["record"], entry["curves"]
        except (ValueError, KeyError, TypeError):
            continue
    keys = [json.dumps(_key(job)) for job in jobs]
    return {number: noted[key] for number, key in enumerate(keys) if key in noted}
