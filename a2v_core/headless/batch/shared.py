"""What this process does of a batch that others may work on at the same time, here or on other machines."""

from __future__ import annotations

import shutil

from ...files import remove_parts
from ...workers import Lease, Leases
from .plan import Unit
from .unit import Job


class Ours:
    """The units that are this process's, by leases; with `best`, all takes of a sound together."""

    def __init__(self, job: Job, leases: Leases, best: bool) -> None:
        self.job, self.leases, self.best = job, leases, best
        self._held: dict[str, Lease] = {}

    def has(self, unit: Unit) -> bool:
        """Whether a unit is this process's already."""
        return self._name(unit) in self._held

    def take(self, unit: Unit) -> bool:
        """Make a unit this process's; False while another works on it. Then `catch_up`."""
        lease = self.leases.take(self._name(unit))
        if lease is None:
            return False
        self._held[self._name(unit)] = lease
        return True

    def catch_up(self, unit: Unit) -> bool:
        """Read what others have made of a unit that was taken; whether it has got another row. What a process
        has left half-written that was killed is deleted."""
        if self._held[self._name(unit)].number > 1:
            remove_parts(self.job.rows.path(unit.id))
            remove_parts(self.job.claims.path(unit.id))
            shutil.rmtree(self.job.work / unit.id, ignore_errors=True)
        self.job.claims.refresh(unit.id)
        return self.job.rows.refresh(unit.id)

    def let_go(self, unit: Unit) -> None:
        """A unit, or all takes of its sound, is done."""
        lease = self._held.pop(self._name(unit), None)
        if lease is not None:
            self.leases.release(lease)

    def _name(self, unit: Unit) -> str:
        return f"all of {unit.group}" if self.best else unit.id
