"""One run of a batch as a function: a unit and a server's address in, one row out.

What it leaves is the files under their final names and the row. It may be broken off anywhere and called
again, by this process or a later one, here or on another server: the result is the same.
"""

from __future__ import annotations

import re
import shutil
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...errors import WorkflowError
from ..runner import RunSettings, prepare
from ..server import (
    ComfyClient,
    Execution,
    OutputFile,
    Silent,
    connect,
    execute,
    fetch_outputs,
    is_file,
    rejoin,
)
from ..workflow import is_api, titles_of
from .claims import Claim, Claims
from .fingerprint import fingerprint_of
from .plan import Unit
from .rows import Row, Rows


@dataclass(frozen=True)
class Job:
    """What all runs of a batch have in common. `workflow`: the content of the file at `path`; `overrides`
    stand before those of the table; `work`: for files on their way."""

    path: Path
    workflow: dict[str, Any]
    overrides: tuple[str, ...]
    folders: tuple[Path, ...]
    rows: Rows
    claims: Claims
    work: Path

    def settings(self, unit: Unit) -> RunSettings:
        """The settings of a run, as of a single one."""
        return RunSettings(
            workflow=self.path,
            audio=unit.sound,
            overrides=[*self.overrides, *(f"{key}={value}" for key, value in unit.inputs)],
            out=self.work / unit.id,
            input_folders=self.folders,
            seed=unit.seed,
        )

    def row(self, unit: Unit) -> Row:
        """The row of a run that has still to be made. Raises WorkflowError for a sound that is not there."""
        if unit.sound is not None and not is_file(unit.sound):
            raise WorkflowError(f"there is no file {unit.sound}")
        overrides = self.settings(unit).overrides
        folders = (Path.cwd(), self.path.resolve().parent, *self.folders)
        try:
            fingerprint = fingerprint_of(self.workflow, overrides, unit.seed, unit.sound, folders)
        except OSError as error:
            raise WorkflowError(f"{unit.sound} cannot be read: {error.strerror}") from error
        return Row(unit.id, fingerprint, unit.shown, unit.seed, dict(unit.inputs), "done")


async def run_unit(url: str, unit: Unit, job: Job) -> Row:
    """Run a unit on the server at `url`, or wait there for a prompt of it that is queued already.

    Raises WorkflowError, NodeError, InterruptedRun for what ends in a row with an error, ServerUnreachable
    and LostRun for what another try may mend.
    """
    row = job.row(unit)
    async with connect(url) as client:
        start = time.monotonic()
        execution = await _outputs(client, unit, job, row.fingerprint)
        parts = await _fetch(client, unit, job, execution)
        row = replace(row, server=client.url, seconds=round(time.monotonic() - start, 3))
    row = job.rows.publish(row, parts)
    job.claims.remove(unit.id)
    shutil.rmtree(job.work / unit.id, ignore_errors=True)
    return row


async def _outputs(client: ComfyClient, unit: Unit, job: Job, fingerprint: str) -> Execution:
    claim = job.claims.get(unit.id)
    if claim is not None and (claim.fingerprint, claim.server) == (fingerprint, client.url):
        earlier = await rejoin(client, claim.prompt_id)
        if earlier is not None:
            return earlier
    prompt, _ = await prepare(client, job.workflow, job.settings(unit))
    execution = Execution(str(uuid.uuid4()), titles_of(prompt), Silent())
    job.claims.put(unit.id, Claim(fingerprint, client.url, execution.prompt_id))
    await execute(client, prompt, None if is_api(job.workflow) else job.workflow, execution)
    return execution


async def _fetch(client: ComfyClient, unit: Unit, job: Job, execution: Execution) -> dict[str, Path]:
    """Final name -> place of every file that the run has saved. WorkflowError where one could not be had."""
    folder = job.work / unit.id
    shutil.rmtree(folder, ignore_errors=True)
    files, left = await fetch_outputs(client, execution.outputs, execution.titles, folder)
    if left:
        await client.queue_state(execution.prompt_id)  # raises if the server is gone
        raise WorkflowError(f"not fetched: {left[0].name} ({left[0].reason})")
    return dict(_named(unit.id, files))


def _named(unit_id: str, files: Sequence[OutputFile]) -> Iterator[tuple[str, Path]]:
    """The one file is named like the run; of several, node and number stand behind a dot. The order in which
    a server lists its nodes differs with what it had cached."""
    if len(files) == 1:
        yield f"{unit_id}{files[0].path.suffix}", files[0].path
        return
    numbers = Counter[str]()
    for file in sorted(files, key=lambda file: file.node_id):
        node = re.sub(r"[^\w-]", "-", file.node_id)
        numbers[node] += 1
        yield f"{unit_id}.{node}-{numbers[node]}{file.path.suffix}", file.path
