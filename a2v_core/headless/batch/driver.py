"""Brings the units of a batch to the servers: one at a time to each, until every unit has its row."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from ...errors import A2VError, WorkflowError
from ..runner import build_prompt
from ..server import LostRun, ServerDied, ServerUnreachable, audio_target
from ..workflow import ObjectInfo
from .best import groups_of, scores_of, settle, video_of
from .display import Display
from .places import Places, Servers
from .plan import Unit
from .queue import UnitQueue
from .results import Report
from .rows import Row
from .shared import Ours
from .unit import Job

ATTEMPTS = 3
"""How often a server may go away during one and the same run before that run is at fault."""
POLL_SECONDS = 1.0


class Driver:
    """Runs what is pending among `units`, and what other processes do not.

    wait    seconds for which a server that is away is waited for
    places  the servers by their names
    """

    def __init__(
        self,
        job: Job,
        units: Sequence[Unit],
        report: Report,
        wait: float,
        places: Places | None = None,
    ) -> None:
        self.job, self.units, self.report, self.best, self.wait = job, units, report, report.best, wait
        self.places, self.ours = places or Servers(), Ours(job, report.leases, report.best)
        self.groups = groups_of(units)
        self.losses = Counter[str]()
        self.failed: set[str] = set()
        self.again: set[str] = set()
        self.display = Display(len(units), len(units) - len(self.pending()))

    def pending(self) -> list[Unit]:
        """The units that have no row to be used again; those that failed in this call do not try again."""
        return [unit for unit in self.units if unit.id not in self.failed and not self._is_finished(unit)]

    def _is_finished(self, unit: Unit) -> bool:
        rows = self.job.rows
        row = rows.get(unit.id)
        if row is None or row.status != "done" or not rows.has_files(row):
            return False
        if unit.id in self.again or (row.dropped and not self.best):
            return False
        try:
            return row.fingerprint == self.job.row(unit).fingerprint
        except WorkflowError:
            return False

    async def drive(self, servers: Sequence[str], pending: Sequence[Unit]) -> None:
        """Run `pending` on the servers, and judge what was run before.

        Units whose servers went away for too long stay without a row. Raises A2VError if none of the servers
        can run the workflow, or nothing could ever be picked; OSError if rows cannot be written.
        """
        self.queue = UnitQueue(pending, self._claimed_by)
        self.open = {unit.id for unit in pending}
        self.lane = asyncio.Lock()
        self.refusals: dict[str, A2VError | None] = {}
        try:
            async with asyncio.TaskGroup() as self.tasks:
                await self._judge_all_earlier()
                for server in servers:
                    self.tasks.create_task(self._serve(server))
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        errors = [error for error in self.refusals.values() if error]
        if errors and len(errors) == len(servers) and self.queue.open:
            raise errors[0]

    def _claimed_by(self, unit: Unit) -> str | None:
        claim = self.job.claims.get(unit.id)
        return claim.server if claim else None

    async def _serve(self, server: str) -> None:
        if not self.queue.open or not await self._is_ready(server):
            return
        others = 0
        while (unit := await self.queue.take(server)) is not None:
            if not await self._is_ours(unit):
                await self.queue.put_off(unit)
                others += 1
                if others >= len(self.queue):
                    await asyncio.sleep(POLL_SECONDS)
                    others = 0
                continue
            others = 0
            if (made := self._made_by_others(unit)) is not None:
                await self._finished(unit, made)
                continue
            try:
                row = await self.places.run(server, unit, self.job)
            except (ServerUnreachable, LostRun) as error:
                if isinstance(error, ServerDied):
                    self.display.notice(f"{server}, during {unit.id}: {error}")
                self.losses[unit.id] += 1
                if self.losses[unit.id] < ATTEMPTS:
                    await self.queue.give_back(unit)
                else:
                    reason = f"the server went away {ATTEMPTS} times during this run: {error}"
                    await self._finished(unit, self._failed(unit, reason, server))
                if not await self._is_back(server):
                    return
            except A2VError as error:
                await self._finished(unit, self._failed(unit, str(error), server))
            else:
                await self._finished(unit, row)

    async def _is_ours(self, unit: Unit) -> bool:
        """Make a unit ours, if no other process works on it, and know what others have made of it."""
        if self.ours.has(unit):
            return True
        if not self.ours.take(unit):
            return False
        for take in self.groups[unit.group] if self.best else [unit]:
            changed = self.ours.catch_up(take)
            row = self.job.rows.get(take.id)
            if changed and row is not None and row.status == "error":
                self.failed.add(take.id)  # just now, by another process: not again
        if self.best:
            await self._judge_earlier(self.groups[unit.group])
        return True

    def _made_by_others(self, unit: Unit) -> Row | None:
        """The row of a unit that another process has run since it was found pending."""
        row = self.job.rows.get(unit.id)
        return row if row and (unit.id in self.failed or self._is_finished(unit)) else None

    async def _is_ready(self, server: str) -> bool:
        """Whether the server can run the workflow; one that is away is waited for."""
        while True:
            try:
                self._check(await self.places.object_info(server))
            except ServerUnreachable as error:
                self.refusals[server] = error
                if not await self._is_back(server):
                    return False
            except A2VError as error:
                self.refusals[server] = error
                self.display.notice(f"{server} is left out: {error}")
                return False
            else:
                self.refusals[server] = None
                return True

    def _check(self, object_info: ObjectInfo) -> None:
        """Raises WorkflowError if not a single unit becomes a prompt on a server with these nodes."""
        first: WorkflowError | None = None
        for unit in self.units:
            try:
                prompt, _ = build_prompt(self.job.workflow, object_info, self.job.settings(unit))
                if unit.sound is not None:
                    audio_target(prompt, object_info)
            except WorkflowError as error:
                first = first or error
            else:
                return
        if first is not None:
            raise first

    async def _is_back(self, server: str) -> bool:
        """Wait until the server answers again; False after `wait` seconds, or once nothing is left to do."""
        deadline = time.monotonic() + self.wait
        told = False
        while self.queue.open:
            try:
                await self.places.reach(server)
            except WorkflowError as error:
                reason = error
            else:
                if told:
                    self.display.notice(f"{server} is back")
                return True
            if time.monotonic() >= deadline:
                if told:
                    self.display.notice(f"{server} is given up: it was away for {self.wait:.0f} s: {reason}")
                return False
            if not told:
                self.display.notice(f"{server} does not answer; it is waited for, {self.wait:.0f} s at most")
                told = True
            await asyncio.sleep(POLL_SECONDS)
        return False

    def _failed(self, unit: Unit, reason: str, server: str) -> Row:
        try:
            row = self.job.row(unit)
        except WorkflowError:
            row = Row(unit.id, "", unit.shown, unit.seed, dict(unit.inputs), "error")
        row = replace(row, status="error", error=reason, server=server)
        self.failed.add(unit.id)
        self.job.rows.fail(row)
        self.job.claims.remove(unit.id)
        return row

    async def _finished(self, unit: Unit, row: Row) -> None:
        self.again.discard(unit.id)
        self.display.finished(row)
        self.report.keep_up()
        if self.best:
            self.tasks.create_task(self._judge(unit, row))
        else:
            self.ours.let_go(unit)
            await self.queue.done()

    async def _judge_all_earlier(self) -> None:
        """Judge the takes that were run before this call, of sounds that no other process works on."""
        for takes in self.groups.values() if self.best else ():
            if not any(take.id in self.open for take in takes):
                await self._is_ours(takes[0])

    async def _judge_earlier(self, takes: Sequence[Unit]) -> None:
        """Judge those takes that were run before this call."""
        for unit in takes:
            row = self.job.rows.get(unit.id)
            if unit.id not in self.open and row is not None:
                self.job.rows.sweep(unit.id)
                await self.queue.hold()
                self.open.add(unit.id)
                self.tasks.create_task(self._judge(unit, row))

    async def _judge(self, unit: Unit, row: Row) -> None:
        """Score a take; with the last one of its group, settle the group."""
        rows = self.job.rows
        async with self.lane:
            if row.status == "done" and row.scores is None:
                video = video_of(rows, row)
                rows.put(replace(row, scores=await asyncio.to_thread(scores_of, rows, video)))
        self.open.discard(unit.id)
        takes = self.groups[unit.group]
        if not any(take.id in self.open for take in takes):
            again = settle(rows, takes)
            if again is None:
                self.ours.let_go(unit)
            else:
                self.open.add(again.id)
                self.again.add(again.id)
                await self.queue.add(again)
        await self.queue.done()
