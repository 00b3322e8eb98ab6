"""Precompute in this process: worker processes decode ahead, BEATs and the VAE are here."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator

import torch

from a2v_core.errors import CheckpointError
from a2v_core.files import remove_parts
from a2v_core.workers import Claimed, Lease, Leases, Worklist

from ..config import Config
from .decoding import decode_ahead
from .encode import Encoder
from .filling import Shard, judge
from .units import Request, Unit

DECODED_AT_ONCE = 4  # small batches, because decoded frames are large


def encode_here(
    config: Config,
    worklist: Worklist[Unit],
    leases: Leases,
    device: torch.device,
    tell: Callable[[int], None],
) -> None:
    """Write the shards of all units that are free until none is left. `tell` hears the number of new clips.

    CheckpointError when a shard cannot be written.
    """
    encoder: Encoder | None = None
    while worklist.left:
        free = worklist.free()
        for first in free:
            encoder = encoder or Encoder(config, device)
            _encode(config, encoder, itertools.chain([first], free), leases, tell)
        worklist.wait()


def _encode(
    config: Config,
    encoder: Encoder,
    claimed: Iterable[Claimed[Unit]],
    leases: Leases,
    tell: Callable[[int], None],
) -> None:
    ahead: deque[Claimed[Unit]] = deque()

    def batches() -> Iterator[list[Request]]:
        for one in claimed:
            ahead.append(one)
            sweep(config, one)
            yield from batches_of(one.unit, DECODED_AT_ONCE)

    shard = Shard()
    for decoded in decode_ahead(config, batches()):
        shard.encode(encoder, (judge(config, clip) for clip in decoded))
        tell(len(decoded))
        unit, lease = ahead[0]
        if shard.size == len(unit.requests):
            publish(config, unit, shard, leases, lease)
            leases.release(lease)
            ahead.popleft()
            shard = Shard()


def sweep(config: Config, claimed: Claimed[Unit]) -> None:
    """Delete what a worker left half-written that had the unit before and died."""
    if claimed.lease.number > 1:
        remove_parts(claimed.unit.path(config.cache_dir))


def batches_of(unit: Unit, size: int) -> Iterator[list[Request]]:
    """The clips of a unit in batches."""
    for start in range(0, len(unit.requests), size):
        yield list(unit.requests[start : start + size])


def publish(config: Config, unit: Unit, shard: Shard, leases: Leases, lease: Lease) -> None:
    """Write the shard of a unit. A worker that was taken for dead may fail: another has it, or will."""
    path = unit.path(config.cache_dir)
    try:
        shard.write(config, path)
    except CheckpointError:
        if leases.holds(lease):
            raise
