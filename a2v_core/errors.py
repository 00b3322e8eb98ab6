"""The errors this library raises for bad input. Their messages are written for the person at the keyboard."""

from __future__ import annotations


class A2VError(ValueError):
    """Bad input: the message names the thing, what was expected and what to do about it.

    Bytes of a file name that are not UTF-8 show as escapes: a message that ComfyUI's log cannot encode kills
    its worker thread, and every later prompt waits for ever.
    """

    def __str__(self) -> str:
        return super().__str__().encode("utf-8", "backslashreplace").decode("utf-8")


class MediaError(A2VError):
    """An audio or video file or array that cannot be read or does not suit the job."""


class CheckpointError(A2VError):
    """A model file that is missing, broken, unsafe, or of another kind than the loader expects."""


class WorkflowError(A2VError):
    """A workflow that cannot be read, or that a ComfyUI server cannot run."""
