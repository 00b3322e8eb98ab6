"""Input files: found on this machine, sent to the server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ...errors import WorkflowError
from ..workflow import ApiPrompt, ObjectInfo, Spec, choices, describe, options, specs_of
from .client import ComfyClient

UPLOAD_KINDS = ("audio_upload", "image_upload", "video_upload", "animated_image_upload")


def upload_inputs(prompt: ApiPrompt, object_info: ObjectInfo) -> Iterator[tuple[str, str, Spec]]:
    """(node id, input, spec) of every input that takes an uploaded file."""
    for node_id in prompt:
        for name, spec in specs_of(prompt, object_info, node_id).items():
            if any(options(spec).get(kind) for kind in UPLOAD_KINDS):
                yield node_id, name, spec


def audio_target(prompt: ApiPrompt, object_info: ObjectInfo) -> tuple[str, str]:
    """The one input of the workflow that takes a sound file. Raises WorkflowError if there is none, or
    several."""
    found = [
        (node_id, name)
        for node_id, name, spec in upload_inputs(prompt, object_info)
        if options(spec).get("audio_upload")
    ]
    if not found:
        raise WorkflowError(
            "--audio: this workflow has no node that loads a sound (A2VLoadAudio or LoadAudio)"
        )
    if len(found) > 1:
        nodes = ", ".join(describe(prompt, node_id) for node_id, _ in found)
        raise WorkflowError(
            f"--audio: several nodes load a sound ({nodes}): name one, as in --set {'.'.join(found[0])}=FILE"
        )
    return found[0]


async def send_inputs(
    client: ComfyClient,
    prompt: ApiPrompt,
    object_info: ObjectInfo,
    folders: Sequence[Path],
    given: set[tuple[str, str]],
) -> dict[Path, str]:
    """Upload the files that the prompt names and the server lacks, and put the server's names for them in
    place; returns those names.

    `given` inputs were named on the command line: any path is taken. Names that stand in the workflow file
    are only looked for inside `folders`, since a workflow may come from a stranger.
    """
    sent: dict[Path, str] = {}
    for node_id, name, spec in upload_inputs(prompt, object_info):
        value = prompt[node_id]["inputs"].get(name)
        if not isinstance(value, str) or value in (choices(spec) or []):
            continue
        path = _find(value, folders, anywhere=(node_id, name) in given)
        if path is not None:
            sent[path] = prompt[node_id]["inputs"][name] = await client.upload(path)
    return sent


def is_file(path: Path) -> bool:
    """Whether there is such a file; no text that stands for one is too long to ask."""
    try:
        return path.is_file()
    except OSError:
        return False


def _find(value: str, folders: Sequence[Path], *, anywhere: bool) -> Path | None:
    if anywhere:
        path = Path(value).expanduser()
        if is_file(path):
            return path
    for folder in folders:
        path = folder / value
        if is_file(path) and path.resolve().is_relative_to(folder.resolve()):
            return path
    return None
