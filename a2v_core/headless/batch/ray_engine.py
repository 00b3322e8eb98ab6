"""The runs of a batch on Ray: an actor for every ComfyUI server, which talks to it and fetches its files.

The folder of the batch lies on a disk that all machines see under the same path.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ...errors import A2VError, WorkflowError
from ...workers import Actors, WorkerDied
from ..server import LostRun, ServerUnreachable
from .plan import Unit
from .rows import Row
from .unit import Job, run_unit


class Failure(NamedTuple):
    """Why a run has no row; `lost`: another try may mend it."""

    reason: str
    lost: bool


class RayRunner:
    """`run_unit` by actors, one a server."""

    def __init__(self, ray: Any, job: Job) -> None:
        self._kind = ray.remote(num_cpus=0)(ServerActor)
        self._job = ray.put(job)
        self._actors: dict[str, Actors] = {}

    async def __call__(self, url: str, unit: Unit, job: Job) -> Row:
        """See `run_unit`."""
        if url not in self._actors:
            self._actors[url] = Actors(lambda: self._kind.remote(url, self._job), 1)
        try:
            found: Row | Failure = await self._actors[url].call(lambda actor: actor.run.remote(unit))
        except WorkerDied as error:
            raise WorkflowError(str(error)) from error
        job.rows.refresh(unit.id)
        job.claims.refresh(unit.id)
        if isinstance(found, Failure):
            raise LostRun(found.reason) if found.lost else WorkflowError(found.reason)
        return found


class ServerActor:
    """Runs units on the server at `url`, one after the other. Its errors are told, not raised: they hold what
    cannot travel."""

    def __init__(self, url: str, job: Job) -> None:
        self.url, self.job = url, job

    async def run(self, unit: Unit) -> Row | Failure:
        """The row of a unit."""
        self.job.rows.refresh(unit.id)
        self.job.claims.refresh(unit.id)
        try:
            return await run_unit(self.url, unit, self.job)
        except (ServerUnreachable, LostRun) as error:
            return Failure(str(error), lost=True)
        except A2VError as error:
            return Failure(str(error), lost=False)
