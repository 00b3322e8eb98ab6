"""Where the runs of a batch are made: ComfyUI servers, each with a name."""

from __future__ import annotations

from typing import Protocol

from ..server import connect
from ..workflow import ObjectInfo
from .plan import Unit
from .rows import Row
from .unit import Job, run_unit


class Places(Protocol):
    """What the driver asks of servers by their names."""

    async def run(self, server: str, unit: Unit, job: Job) -> Row:
        """See `run_unit`."""
        ...

    async def object_info(self, server: str) -> ObjectInfo:
        """The definitions of all node types that the server knows. WorkflowError, as of `reach`."""
        ...

    async def reach(self, server: str) -> None:
        """Return if the server answers. WorkflowError with the reason if it does not."""
        ...


class Servers:
    """Servers that are there, by their URLs."""

    async def run(self, server: str, unit: Unit, job: Job) -> Row:
        """See `Places`."""
        return await run_unit(server, unit, job)

    async def object_info(self, server: str) -> ObjectInfo:
        """See `Places`."""
        async with connect(server) as client:
            return await client.object_info()

    async def reach(self, server: str) -> None:
        """See `Places`."""
        async with connect(server) as client:
            await client.queue_state("")
