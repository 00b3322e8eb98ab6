"""One headless run, from the workflow file to its output files."""

from __future__ import annotations

import asyncio
import copy
import random
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..errors import WorkflowError
from .server import (
    ComfyClient,
    ComfyServer,
    Execution,
    LeftFile,
    OutputFile,
    Progress,
    ServerUnreachable,
    Silent,
    audio_target,
    check_folder,
    connect,
    execute,
    fetch_outputs,
    find_comfyui,
    is_file,
    running_server,
    send_inputs,
    texts_of,
)
from .workflow import (
    ApiPrompt,
    ObjectInfo,
    apply_overrides,
    apply_seed,
    is_api,
    load_workflow,
    titles_of,
    to_api,
)


@dataclass(frozen=True)
class RunSettings:
    """Settings of a run. `overrides` are NODE.INPUT=VALUE; `audio` goes into the workflow's one sound loader;
    output files go to `out`, with `previews` those of preview nodes too. Input files that the workflow names
    are searched for in `input_folders`, the current folder and the workflow's own. `seed` goes into every
    seed that no override sets, and chooses among {a|b} in prompts."""

    workflow: Path
    audio: Path | None = None
    overrides: Sequence[str] = ()
    out: Path = Path("out")
    previews: bool = False
    input_folders: Sequence[Path] = ()
    seed: int | None = None


@dataclass(frozen=True)
class RunResult:
    """A successful run. `left`: output files that could not be fetched; `uploads`: local path -> name on the
    server; `ran`, `cached`: node ids; `texts`: text outputs by node id; `seconds`: without the start of a
    server."""

    prompt_id: str
    server: str
    seconds: float
    files: list[OutputFile]
    texts: dict[str, list[str]]
    ran: list[str]
    cached: list[str]
    titles: dict[str, str] = field(default_factory=dict)
    left: list[LeftFile] = field(default_factory=list)
    uploads: dict[Path, str] = field(default_factory=dict)


def run(
    settings: RunSettings,
    *,
    server: str | None = None,
    comfyui: str | Path | None = None,
    progress: Progress | None = None,
    server_arguments: Sequence[str] = (),
) -> RunResult:
    """Run a workflow on the server at `server`, else on one that is started for it from the folder `comfyui`.

    Raises WorkflowError (the workflow, its inputs, the server), NodeError (a node failed), InterruptedRun.
    A KeyboardInterrupt cancels the prompt on the server first. A server that was started for the run is
    stopped and its folder deleted, except for output files that could not be fetched.
    """
    _load(settings)
    if server is not None:
        return asyncio.run(run_on(server, settings, progress))
    folder = find_comfyui(comfyui)
    with running_server(folder, arguments=server_arguments) as started:
        inputs = [*settings.input_folders, folder / "input"]
        settings = replace(settings, input_folders=inputs)
        try:
            result = asyncio.run(run_on(started.url, settings, progress))
            return replace(result, left=[_keep_file(file, started) for file in result.left])
        except ServerUnreachable as error:
            if not started.died():
                raise
            raise WorkflowError(
                f"ComfyUI died during the run. Its log ends:\n{started.log_tail()}"
            ) from error


def _keep_file(file: LeftFile, server: ComfyServer) -> LeftFile:
    """The file, kept in the server's folder after the server stops."""
    return replace(file, place=str(server.keep(file.type) / file.name))


async def run_on(url: str, settings: RunSettings, progress: Progress | None = None) -> RunResult:
    """`run` on a running server, for callers with an event loop. Cancelling the task cancels the prompt."""
    data = _load(settings)
    progress = progress or Silent()
    async with connect(url) as client:
        prompt, uploads = await prepare(client, data, settings)
        for path, name in uploads.items():
            progress.uploaded(path, name)
        titles = titles_of(prompt)
        start = time.monotonic()
        execution = Execution(str(uuid.uuid4()), titles, progress)
        await execute(client, prompt, None if is_api(data) else data, execution)
        files, left = await fetch_outputs(client, execution.outputs, titles, settings.out, settings.previews)
        return RunResult(
            prompt_id=execution.prompt_id,
            server=client.url,
            seconds=time.monotonic() - start,
            files=files,
            texts=texts_of(execution.outputs),
            ran=execution.ran,
            cached=execution.cached,
            titles=titles,
            left=left,
            uploads=uploads,
        )


def _load(settings: RunSettings) -> dict[str, Any]:
    if settings.audio is not None and not is_file(settings.audio):
        raise WorkflowError(f"--audio: there is no file {settings.audio}")
    check_folder(settings.out)
    return load_workflow(settings.workflow)


async def prepare(
    client: ComfyClient, data: dict[str, Any], settings: RunSettings
) -> tuple[ApiPrompt, dict[Path, str]]:
    """The prompt to queue, and the uploaded files: local path -> name on the server."""
    object_info = await client.object_info()
    prompt, overridden = build_prompt(data, object_info, settings)
    uploads = {}
    if settings.audio is not None:
        node_id, name = audio_target(prompt, object_info)
        uploads[settings.audio] = prompt[node_id]["inputs"][name] = await client.upload(settings.audio)
    folders = [Path.cwd(), settings.workflow.resolve().parent, *settings.input_folders]
    uploads |= await send_inputs(client, prompt, object_info, folders, overridden)
    return prompt, uploads


def build_prompt(
    data: dict[str, Any], object_info: ObjectInfo, settings: RunSettings
) -> tuple[ApiPrompt, set[tuple[str, str]]]:
    """The prompt with overrides and seed, nothing uploaded, and the (node id, input) pairs of the overrides.
    Raises WorkflowError."""
    prompt = (
        _checked(copy.deepcopy(data), object_info)
        if is_api(data)
        else to_api(data, object_info, rng=random.Random(settings.seed))
    )
    overridden = apply_overrides(prompt, object_info, settings.overrides)
    if settings.seed is not None:
        apply_seed(prompt, object_info, settings.seed, overridden)
    return prompt, overridden


def _checked(prompt: ApiPrompt, object_info: ObjectInfo) -> ApiPrompt:
    unknown = sorted({node["class_type"] for node in prompt.values()} - set(object_info))
    if unknown:
        raise WorkflowError(
            f"the server does not know these node types: {', '.join(unknown)}. Install the packs that "
            "bring them, restart the server, and look in its log for packs that failed to import."
        )
    return prompt
