"""ComfyUIs of a batch's own on Ray: an actor for every GPU starts one beside it, and ends it.

The ComfyUI, with its models, is in the same folder on all machines.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ...workers import Actors
from ..server import ComfyServer, LostRun, ServerDied, ServerUnreachable, connect, running_server
from ..workflow import ObjectInfo
from .plan import Unit
from .ray_engine import Failure, ask, run_by, run_fresh, told
from .rows import Row
from .unit import Job

STOP_SECONDS = 60.0


class Comfy(NamedTuple):
    """How a ComfyUI is started: its folder, and more arguments for it."""

    folder: Path
    arguments: tuple[str, ...] = ()


def options_of(nodes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Ray's options for the actors on a cluster of these `ray.nodes()`: one a GPU; without GPUs one a
    machine, where a ComfyUI uses all processors."""
    there = [node["Resources"] for node in nodes if node["Alive"]]
    gpus = sum(int(resources.get("GPU", 0)) for resources in there)
    if gpus:
        return [{"num_gpus": 1, "num_cpus": 0}] * gpus
    count = sum(resources.get("CPU", 0) >= 1 for resources in there)
    return [{"num_cpus": 1, "scheduling_strategy": "SPREAD"}] * max(1, count)


class OwnServers:
    """Servers that are started when they are first needed, and again when they have died."""

    def __init__(self, ray: Any, job: Job, comfy: Comfy) -> None:
        self._ray = ray
        self._job = ray.put(job)
        self._comfy = comfy
        self._options = {
            f"ComfyUI {number}": options for number, options in enumerate(options_of(ray.nodes()), start=1)
        }
        self._actors: dict[str, Actors] = {}

    def _of(self, server: str) -> Actors:
        if server not in self._actors:
            kind = self._ray.remote(**self._options[server])(OwnServer)
            self._actors[server] = Actors(lambda: kind.remote(self._job, self._comfy), 1)
        return self._actors[server]

    @property
    def names(self) -> list[str]:
        """What the servers are called."""
        return list(self._options)

    async def run(self, server: str, unit: Unit, job: Job) -> Row:
        """See `Places`."""
        return await run_by(self._of(server), unit, job)

    async def object_info(self, server: str) -> ObjectInfo:
        """See `Places`."""
        info: ObjectInfo = await ask(self._of(server), "object_info")
        return info

    async def reach(self, server: str) -> None:
        """See `Places`."""
        await ask(self._of(server), "reach")

    def close(self) -> None:
        """Stop the servers, and wait for that."""
        stops = [actor.stop.remote() for actors in self._actors.values() for actor in actors.all]
        if stops:
            self._ray.wait(stops, num_returns=len(stops), timeout=STOP_SECONDS)


@contextlib.contextmanager
def own_servers(ray: Any, job: Job, comfy: Comfy) -> Iterator[OwnServers]:
    """ComfyUIs on all GPUs of a Ray cluster, stopped at the end."""
    servers = OwnServers(ray, job, comfy)
    try:
        yield servers
    finally:
        servers.close()


class OwnServer:
    """An actor with a ComfyUI of its own. `reach` starts another when it has died."""

    def __init__(self, job: Job, comfy: Comfy) -> None:
        self.job, self.comfy = job, comfy
        self._stack = contextlib.ExitStack()
        self._server: ComfyServer | None = None

    async def run(self, unit: Unit) -> Row | Failure:
        """The row of a unit."""
        return await told(self._run(unit))

    async def object_info(self) -> ObjectInfo | Failure:
        """See `Places`."""
        return await told(self._object_info())

    async def reach(self) -> Failure | None:
        """See `Places`."""
        return await told(self._reach())

    def stop(self) -> None:
        """Stop the server, if there is one."""
        self._stack.close()
        self._server = None

    async def _run(self, unit: Unit) -> Row:
        server = self._server or self._started()
        try:
            return await run_fresh(server.url, unit, self.job)
        except (ServerUnreachable, LostRun) as error:
            if not await asyncio.to_thread(server.died):
                raise
            raise ServerDied(f"ComfyUI died. Its log ends:\n{server.log_tail()}") from error

    async def _object_info(self) -> ObjectInfo:
        async with connect(self._started().url) as client:
            return await client.object_info()

    async def _reach(self) -> None:
        async with connect(self._started().url) as client:
            await client.queue_state("")

    def _started(self) -> ComfyServer:
        if self._server is None or self._server.process.poll() is not None:
            self.stop()
            self._server = self._stack.enter_context(
                running_server(self.comfy.folder, arguments=self.comfy.arguments)
            )
        return self._server
