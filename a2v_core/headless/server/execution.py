"""Queue a prompt and follow it to its end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from ...errors import WorkflowError
from ..workflow import ApiPrompt, describe, titles_of
from .client import ComfyClient
from .errors import InterruptedRun, NodeError
from .progress import Progress, Silent


@dataclass
class Execution:
    """State of a queued prompt: ids of nodes that have started, ids of cached nodes, outputs by node id."""

    prompt_id: str
    titles: dict[str, str]
    progress: Progress
    ran: list[str] = field(default_factory=list)
    cached: list[str] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    blocked: NodeError | None = None

    def handle_message(self, message: dict[str, Any]) -> bool:
        """Handle a websocket message; True when it ends this prompt."""
        kind, data = message.get("type"), message.get("data") or {}
        if data.get("prompt_id") != self.prompt_id:
            return False
        if kind == "execution_cached":
            self.cached = [str(node) for node in data.get("nodes") or []]
            self.progress.cached(self.cached)
        elif kind == "executing":
            node = data.get("node")
            if node is None:
                return True
            if node not in self.ran:
                self.ran.append(node)
                self.progress.node(node)
        elif kind == "progress" and data.get("max"):
            self.progress.step(str(data.get("node")), data["value"], data["max"])
        elif kind == "execution_error":
            if data.get("exception_type") != "ExecutionBlocked":
                return True
            self.blocked = self._error(data)
        return kind in ("execution_success", "execution_interrupted")

    def finish(self, entry: dict[str, Any]) -> None:
        """Read outputs from the history entry. Raises NodeError or InterruptedRun if the prompt failed."""
        for kind, data in (entry.get("status") or {}).get("messages") or []:
            if kind == "execution_error":
                raise self._error(data)
            if kind == "execution_interrupted":
                node_id = str(data.get("node_id"))
                name = self.titles.get(node_id, node_id)
                raise InterruptedRun(f"the run was interrupted in node {name!r} ({node_id})")
        if self.blocked is not None:
            raise self.blocked
        self.outputs = entry.get("outputs") or {}

    def _error(self, data: dict[str, Any]) -> NodeError:
        node_id, kind = str(data.get("node_id")), str(data.get("node_type"))
        return NodeError(
            node_id=node_id,
            node_type=kind,
            title=self.titles.get(node_id, kind),
            exception=str(data.get("exception_type")).rpartition(".")[2],
            message=str(data.get("exception_message")),
            traceback=[str(line) for line in data.get("traceback") or []],
        )


async def execute(
    client: ComfyClient, prompt: ApiPrompt, workflow: dict[str, Any] | None, execution: Execution
) -> None:
    """Queue `prompt` and wait until it ends; `workflow` is the saved workflow to embed in output files.

    Raises WorkflowError when the server rejects it, NodeError, InterruptedRun. When this task is cancelled,
    the prompt is cancelled on the server first.
    """
    success = False
    try:
        async with client.messages() as socket:
            response = await client.submit(prompt, execution.prompt_id, workflow)
            if response.get("error") or response.get("node_errors"):
                await client.cancel(execution.prompt_id)
                raise WorkflowError(_validation_errors(response, prompt))
            execution.progress.begin(execution.titles)
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT and execution.handle_message(message.json()):
                    break
            else:
                await _wait_for_end(client, execution.prompt_id)
        execution.finish(await client.wait_for_history(execution.prompt_id))
        success = True
    except asyncio.CancelledError:
        await client.cancel(execution.prompt_id)
        raise
    finally:
        execution.progress.end(success)


async def rejoin(client: ComfyClient, prompt_id: str) -> Execution | None:
    """Wait for a prompt that was queued before, by a process that is gone or over a connection that broke.

    Returns it ended, with its outputs; None if the server does not know it (any more), or if it was
    interrupted there. Raises NodeError. When this task is cancelled, the prompt is cancelled on the server.
    """
    try:
        await _wait_for_end(client, prompt_id)
    except asyncio.CancelledError:
        await client.cancel(prompt_id)
        raise
    entry = await client.history(prompt_id)
    if entry is None:
        return None
    prompt = entry["prompt"][2]
    execution = Execution(prompt_id, titles_of(prompt), Silent())
    try:
        execution.finish(entry)
    except InterruptedRun:
        return None
    return execution


async def _wait_for_end(client: ComfyClient, prompt_id: str) -> None:
    """Poll until the prompt has left the queue, for want of a websocket."""
    while await client.queue_state(prompt_id) is not None:
        await asyncio.sleep(1.0)


def _validation_errors(response: dict[str, Any], prompt: ApiPrompt) -> str:
    """The server's validation errors, one line each."""
    lines = []
    for node_id, invalid in (response.get("node_errors") or {}).items():
        name = describe(prompt, node_id) if node_id in prompt else f"node {node_id}"
        for fault in invalid.get("errors") or []:
            lines.append(f"  {name}: {fault.get('message')}: {fault.get('details')}")
    error = response.get("error")
    if isinstance(error, dict) and not lines:
        lines = [f"  {error.get('message')}: {error.get('details')}"]
    return "\n".join(["the server refused the workflow:", *(lines or [f"  {error}"])])
