"""The units of a job, of which this worker does those that nobody has done and nobody else does now."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Generic, NamedTuple, TypeVar

from .leases import Lease, Leases

T = TypeVar("T")
POLL_SECONDS = 0.5


class Claimed(NamedTuple, Generic[T]):
    """A unit that is this worker's until its lease is released."""

    unit: T
    lease: Lease


class Worklist(Generic[T]):
    """Units by their ids, `is_done` says of one whether its result is there, whoever made it.

    while worklist.left:
        for unit, lease in worklist.free():
            ...                                # write the result, then leases.release(lease)
        worklist.wait()
    """

    def __init__(self, units: Mapping[str, T], is_done: Callable[[T], bool], leases: Leases) -> None:
        self._left, self._is_done, self._leases = dict(units), is_done, leases

    @property
    def left(self) -> bool:
        """Whether any unit was neither done when it was last looked at nor taken here."""
        return bool(self._left)

    def free(self) -> Iterator[Claimed[T]]:
        """One pass over the units that are left: takes each that is free, when it is asked for the next.

        Never waits: a worker that reads ahead would wait for others with units of its own unfinished.
        """
        for unit_id, unit in list(self._left.items()):
            if self._is_done(unit):
                del self._left[unit_id]
                continue
            lease = self._leases.take(unit_id)
            if lease is None:
                continue
            del self._left[unit_id]
            if self._is_done(unit):  # just before it was taken
                self._leases.release(lease)
            else:
                yield Claimed(unit, lease)

    def wait(self) -> None:
        """Give those who have what is left some time."""
        if self._left:
            time.sleep(min(POLL_SECONDS, self._leases.seconds / 4))
