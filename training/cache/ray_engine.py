"""Precompute on Ray: tasks decode on CPUs, actors hold BEATs and the VAE, on GPUs where there are some.

Data set and cache lie on a disk that all machines see under the same path. What is decoded travels through
Ray's object store, of no more units than `at_once`; a worker that dies is followed by another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from a2v_core.workers import (
    ATTEMPTS,
    Actors,
    Claimed,
    Cluster,
    Leases,
    WorkerDied,
    Worklist,
    flow,
    on_ray,
    survive,
)

from ..config import Config
from ..data import Item, Unusable
from .decoding import Decoded, try_cut
from .encode import Encoder
from .filling import DIED, Shard, judge
from .local_engine import DECODED_AT_ONCE, batches_of, sweep
from .units import Request, Unit

Decode = Callable[[Config, list[Request]], tuple[bool, list[Decoded]]]


class Sizes(NamedTuple):
    """How a cluster is used: encoding actors, GPUs and CPUs of each; units at once, decoded or encoded."""

    actors: int
    gpus: int
    cpus: int

    @property
    def at_once(self) -> int:
        """As many units are decoded ahead as are encoded."""
        return 2 * self.actors


def sizes_of(resources: dict[str, float], on_cpu: bool) -> Sizes:
    """One actor a GPU; without GPUs, one for every two CPUs: the others decode."""
    gpus, cpus = int(resources.get("GPU", 0)), int(resources.get("CPU", 1))
    if gpus and not on_cpu:
        return Sizes(gpus, 1, 0)
    # With one CPU alone an actor that asked for it would leave none to decode with.
    return Sizes(max(1, cpus // 2), 0, 1 if cpus > 1 else 0)


def encode_on_ray(
    config: Config, cluster: Cluster, worklist: Worklist[Unit], leases: Leases, tell: Callable[[int], None]
) -> None:
    """Write the shards of all units that are free until none is left, as `encode_here`."""
    with on_ray(cluster) as ray:
        engine = Engine(ray, config, leases, decode)
        while worklist.left:
            asyncio.run(engine.drive(worklist, tell))
            worklist.wait()


class Engine:
    """What drives the tasks and actors of a precompute. `decode` is what a task does."""

    def __init__(self, ray: Any, config: Config, leases: Leases, decode: Decode) -> None:
        self.config, self.leases = config, leases
        self.sizes = sizes_of(ray.cluster_resources(), config.run.device == "cpu")
        self._ray = ray
        self._config = ray.put(config)
        self._decode = ray.remote(num_cpus=1, num_returns=2, max_retries=0)(decode)

    async def drive(self, worklist: Worklist[Unit], tell: Callable[[int], None]) -> None:
        """One pass over the units that are free."""
        self.actors = Actors(self._actor, self.sizes.actors)
        async for count in flow(worklist.free(), self._do, self.sizes.at_once):
            tell(count)

    def _actor(self) -> Any:
        kind = self._ray.remote(num_cpus=self.sizes.cpus, num_gpus=self.sizes.gpus)(Encoding)
        return kind.remote(self._config, torch.get_num_threads())

    async def _do(self, claimed: Claimed[Unit]) -> int:
        unit = claimed.unit
        sweep(self.config, claimed)
        batches = await asyncio.gather(*(self._decoded(batch) for batch in batches_of(unit, DECODED_AT_ONCE)))
        parts = [part for batch in batches for part in batch]
        try:
            await self.actors.call(lambda actor: actor.write.remote(unit, *parts))
        except WorkerDied as error:
            self._give_up(unit, error)
        self.leases.release(claimed.lease)
        return len(unit.requests)

    async def _decoded(self, batch: list[Request]) -> list[Any]:
        """References to the decoded clips of a batch, in order. A batch whose worker dies is done again clip
        by clip, so that one file that kills its worker costs no other."""
        parts: list[Any] = []

        def call() -> Any:
            done, part = self._decode.remote(self._config, batch)
            parts[:] = [part]
            return done

        try:
            await survive(call, attempts=ATTEMPTS if len(batch) == 1 else 1)
        except WorkerDied as error:
            if len(batch) > 1:
                found = await asyncio.gather(*(self._decoded([request]) for request in batch))
                return [part for one in found for part in one]
            return [self._ray.put([(*request, _died(request[0], error)) for request in batch])]
        return parts

    def _give_up(self, unit: Unit, error: WorkerDied) -> None:
        shard = Shard()
        for item, number in unit.requests:
            shard.add(item, number, _died(item, error))
        shard.write(self.config, unit.path(self.config.cache_dir))


def _died(item: Item, error: WorkerDied) -> Unusable:
    return Unusable(item.id, str(item.video), DIED, f"{item.video}: {error}")


def decode(config: Config, batch: list[Request]) -> tuple[bool, list[Decoded]]:
    """True, which the driver waits for, and the clips, which only the actor reads."""
    return True, [judge(config, try_cut(config, *request)) for request in batch]


class Encoding:
    """An actor: BEATs and the VAE, loaded once."""

    def __init__(self, config: Config, threads: int) -> None:
        # As many as the driver has: results are those of one machine without Ray.
        torch.set_num_threads(threads)
        self.config = config
        device = "cuda" if config.run.device == "auto" and torch.cuda.is_available() else "cpu"
        self.encoder = Encoder(config, torch.device(device))

    def write(self, unit: Unit, *parts: list[Decoded]) -> None:
        """Encode the clips of a unit and write its shard."""
        shard = Shard()
        for part in parts:
            shard.encode(self.encoder, part)
        shard.write(self.config, unit.path(self.config.cache_dir))
