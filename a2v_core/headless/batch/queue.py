"""The units that are left, shared by the workers of several servers."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable

from .plan import Unit


class UnitQueue:
    """Units wait here until a worker takes them; one that is given back waits again.

    claimed_by  the server on which a unit is queued already, if any: its worker gets it before the others
    """

    def __init__(self, units: Iterable[Unit], claimed_by: Callable[[Unit], str | None]) -> None:
        # Those with a claim first, here and when they come back: `_next` need not look further.
        self._left = deque(sorted(units, key=lambda unit: claimed_by(unit) is None))
        self._claimed_by = claimed_by
        self._taken = 0
        self._changed = asyncio.Condition()

    def __len__(self) -> int:
        """Units that wait."""
        return len(self._left)

    @property
    def open(self) -> bool:
        """Whether anything is left or may come back."""
        return bool(self._left) or self._taken > 0

    async def take(self, server: str) -> Unit | None:
        """The next unit for a server; None once every unit is done."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._left or not self._taken)
            if not self._left:
                return None
            unit = self._next(server)
            self._left.remove(unit)
            self._taken += 1
            return unit

    async def hold(self) -> None:
        """Something goes on that may add units, until `done`."""
        async with self._changed:
            self._taken += 1

    async def done(self) -> None:
        """A unit that was taken has its row."""
        async with self._changed:
            self._taken -= 1
            self._changed.notify_all()

    async def give_back(self, unit: Unit) -> None:
        """A unit that was taken has none: it is the next one."""
        async with self._changed:
            self._taken -= 1
            self._left.appendleft(unit)
            self._changed.notify_all()

    async def put_off(self, unit: Unit) -> None:
        """A unit that was taken is another process's: it is the last one."""
        async with self._changed:
            self._taken -= 1
            self._left.append(unit)
            self._changed.notify_all()

    async def add(self, unit: Unit) -> None:
        """One more unit."""
        async with self._changed:
            self._left.append(unit)
            self._changed.notify_all()

    def _next(self, server: str) -> Unit:
        """One that waits on this server, else one that waits nowhere, else any."""
        for unit in self._left:
            if self._claimed_by(unit) in (server, None):
                return unit
        return self._left[0]
