"""Errors of a run, beside the WorkflowError of an invalid workflow."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...errors import WorkflowError


@dataclass(eq=False)
class NodeError(WorkflowError):
    """A node raised an exception: which node, and the exception with its traceback."""

    node_id: str
    node_type: str
    title: str
    exception: str
    message: str
    traceback: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        name = f"{self.title!r} ({self.node_type}, node {self.node_id})"
        return f"node {name} failed with {self.exception}: {self.message.strip()}"


class ServerUnreachable(WorkflowError):
    """Nothing answers at the server's address, or no longer."""


class LostRun(WorkflowError):
    """The server no longer knows the run: it was restarted."""


class ServerDied(LostRun):
    """A server that was started for the run has exited during it; with the end of its log."""


class InterruptedRun(WorkflowError):
    """The run was cancelled, here or on the server."""
