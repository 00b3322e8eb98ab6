"""Scores clips on Ray: a task a clip."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from ...workers import Cluster, WorkerDied, on_ray, results_of, survive
from .pool import init_worker

JobT = TypeVar("JobT")
Found = TypeVar("Found")


def run_on_ray(
    cluster: Cluster, jobs: Iterable[JobT], work: Callable[[JobT], Found | str]
) -> Iterator[tuple[int, Found | str]]:
    """(number, result) of every job as it finishes; an error message if its process dies again and again.

    Twice as many as the cluster has CPUs are on their way at once.
    """
    with on_ray(cluster) as ray:
        task = ray.remote(num_cpus=1, max_retries=0)(_on_worker)

        async def do(numbered: tuple[int, JobT]) -> tuple[int, Found | str]:
            number, job = numbered
            try:
                return number, await survive(lambda: task.remote(work, job))
            except WorkerDied as error:
                return number, str(error)

        at_once = 2 * max(1, int(ray.cluster_resources().get("CPU", 1)))
        yield from results_of(enumerate(jobs), do, at_once)


def _on_worker(work: Callable[[JobT], Found | str], job: JobT) -> Found | str:
    """The work, in the surroundings that it has in a process of the pool."""
    init_worker()
    return work(job)
