"""A whole batch, from a folder of sounds or a table to files and rows."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ...errors import A2VError
from ...workers import HERE, Leases, Placement, on_ray
from ..server import check_folder, find_comfyui, normal_url, running_server
from ..workflow import load_workflow
from .claims import Claims
from .driver import Driver
from .own_servers import Comfy, own_servers
from .places import Places, Servers
from .plan import plan_units
from .ray_engine import RayServers
from .results import Report, Results
from .rows import Rows
from .unit import Job

STATE = ".batch"
WAIT_SECONDS = 600.0

Keep = Literal["all", "best"]


@dataclass(frozen=True)
class BatchSettings:
    """Settings of a batch. Every sound of `audio` (a folder or a file) runs with every row of `table` and
    seeds 0 to `seeds` - 1; `overrides` are NODE.INPUT=VALUE for all runs.

    keep  "all", or "best": of the seeds of a sound, the video with the highest corrected trusted AV-Align
    wait  seconds for which a server that is away is waited for
    """

    workflow: Path
    audio: Path | None = None
    table: Path | None = None
    seeds: int | None = None
    keep: Keep = "all"
    out: Path = Path("out")
    overrides: Sequence[str] = ()
    wait: float = WAIT_SECONDS


def run_batch(
    settings: BatchSettings,
    *,
    servers: Sequence[str] = (),
    comfyui: str | Path | None = None,
    server_arguments: Sequence[str] = (),
    placement: Placement = HERE,
) -> Results:
    """Run what is not done yet on `servers`, else on a server that is started from the folder `comfyui` (on
    Ray, one on every GPU), together with whoever else does so with the same folder. Returns the runs of the
    share of `placement` once each has its row, whoever made it; all takes of a sound belong to one share.

    A run that fails is a row. Raises A2VError: the workflow, the inputs, the folder; no server that can run
    the workflow. After a KeyboardInterrupt, or after being killed, the same call goes on.
    """
    if settings.keep == "best" and (settings.seeds or 0) < 2:
        raise A2VError("--keep best picks among the seeds of a sound: give --seeds 2 or more")
    workflow = load_workflow(settings.workflow)
    units = plan_units(settings.audio, settings.table, settings.seeds, settings.out)
    check_folder(settings.out)
    state = settings.out / STATE
    state.mkdir(parents=True, exist_ok=True)
    folder = None if servers else find_comfyui(comfyui)
    with Leases(state / "leases") as leases, contextlib.ExitStack() as stack:
        rows = Rows(settings.out, state / "rows")
        job = Job(
            path=settings.workflow,
            workflow=workflow,
            overrides=tuple(settings.overrides),
            folders=_folders(settings, folder),
            rows=rows,
            claims=Claims(state / "claims"),
            work=state / "files",
        )
        report = Report(rows, units, settings.keep == "best", leases)
        own = [unit for unit in units if placement.share.has(unit.group)]
        comfy = None if folder is None else Comfy(folder, tuple(server_arguments))
        places, names = _places(stack, placement, job, servers, comfy)
        driver = Driver(job, own, report, settings.wait if names else 0.0, places)
        try:
            if comfy is None or names:
                asyncio.run(driver.drive(names, driver.pending()))
            else:
                _on_own_servers(driver, comfy)
        finally:
            driver.display.close()
            results = report.write()
            with contextlib.suppress(OSError):  # another process has files there
                (state / "files").rmdir()
        mine = {unit.id for unit in own}
        return replace(results, runs=[run for run in results.runs if run[0].id in mine])


def _folders(settings: BatchSettings, comfyui: Path | None) -> tuple[Path, ...]:
    """Where files are looked for that the table or the workflow names."""
    table = () if settings.table is None else (settings.table.resolve().parent,)
    return (*table, *(() if comfyui is None else (comfyui / "input",)))


def _places(
    stack: contextlib.ExitStack, placement: Placement, job: Job, servers: Sequence[str], comfy: Comfy | None
) -> tuple[Places, list[str]]:
    """Where runs are made, and the names of the servers there: none for one that this process starts."""
    urls = list(dict.fromkeys(map(normal_url, servers)))
    if placement.cluster is None:
        return Servers(), urls
    ray = stack.enter_context(on_ray(placement.cluster))
    if comfy is None:
        return RayServers(ray, job), urls
    own = stack.enter_context(own_servers(ray, job, comfy))
    return own, own.names


def _on_own_servers(driver: Driver, comfy: Comfy) -> None:
    """Run what is pending on a server of ours; one that dies is followed by another.

    That ends: a run during which servers died too often is at fault and has its row.
    """
    asyncio.run(driver.drive((), ()))  # judges what was run before
    while pending := driver.pending():
        with running_server(comfy.folder, arguments=comfy.arguments) as server:
            asyncio.run(driver.drive([server.url], pending))
            if driver.pending():
                driver.display.notice(
                    f"ComfyUI died and is started again. Its log ends:\n{server.log_tail()}"
                )
