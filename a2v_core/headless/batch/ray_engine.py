"""The runs of a batch on Ray: an actor for every ComfyUI server, which talks to it and fetches its files.

The folder of the batch lies on a disk that all machines see under the same path.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, NamedTuple, TypeVar

from ...errors import A2VError, WorkflowError
from ...workers import Actors, WorkerDied
from ..server import LostRun, ServerUnreachable
from .places import Servers
from .plan import Unit
from .rows import Row
from .unit import Job, run_unit

T = TypeVar("T")
Kind = type[WorkflowError]


class Failure(NamedTuple):
    """What a call of an actor has raised. Errors are told, not raised: they hold what cannot travel."""

    reason: str
    kind: Kind


async def told(what: Awaitable[T]) -> T | Failure:
    """A result, or the error in its place."""
    try:
        return await what
    except (ServerUnreachable, LostRun) as error:
        return Failure(str(error), type(error))
    except A2VError as error:
        return Failure(str(error), WorkflowError)


async def ask(actors: Actors, method: str, *arguments: Any) -> Any:
    """The result of an actor's method that answers by `told`. Raises what it tells; WorkflowError when the
    actor dies again and again."""
    try:
        found = await actors.call(lambda actor: getattr(actor, method).remote(*arguments))
    except WorkerDied as error:
        raise WorkflowError(str(error)) from error
    if isinstance(found, Failure):
        raise found.kind(found.reason)
    return found


async def run_by(actors: Actors, unit: Unit, job: Job) -> Row:
    """The row of a unit that an actor makes; see `run_unit`."""
    try:
        row: Row = await ask(actors, "run", unit)
        return row
    finally:
        job.rows.refresh(unit.id)
        job.claims.refresh(unit.id)


class RayServers(Servers):
    """Servers that are there, an actor for each."""

    def __init__(self, ray: Any, job: Job) -> None:
        self._kind = ray.remote(num_cpus=0)(ServerActor)
        self._job = ray.put(job)
        self._actors: dict[str, Actors] = {}

    async def run(self, server: str, unit: Unit, job: Job) -> Row:
        """See `Places`."""
        if server not in self._actors:
            self._actors[server] = Actors(lambda: self._kind.remote(server, self._job), 1)
        return await run_by(self._actors[server], unit, job)


class ServerActor:
    """Runs units on the server at `url`, one after the other."""

    def __init__(self, url: str, job: Job) -> None:
        self.url, self.job = url, job

    async def run(self, unit: Unit) -> Row | Failure:
        """The row of a unit."""
        return await told(run_fresh(self.url, unit, self.job))


async def run_fresh(url: str, unit: Unit, job: Job) -> Row:
    """`run_unit` in a process that has not seen what others have made of the unit."""
    job.rows.refresh(unit.id)
    job.claims.refresh(unit.id)
    return await run_unit(url, unit, job)
