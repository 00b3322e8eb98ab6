"""Uploads the local input files that a prompt names."""

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
    overridden: set[tuple[str, str]],
) -> dict[Path, str]:
    """Upload the files that the prompt names and the server lacks, and set the inputs to their names on the
    server; returns those names.

    `overridden` inputs come from the command line and may be any path. File names in the workflow are
    searched for inside `folders` only, since a workflow may come from a stranger.
    """
    uploaded: dict[Path, str] = {}
    for node_id, name, spec in upload_inputs(prompt, object_info):
        value = prompt[node_id]["inputs"].get(name)
        if not isinstance(value, str) or value in (choices(spec) or []):
            continue
        path = _find(value, folders, any_path=(node_id, name) in overridden)
        if path is not None:
            uploaded[path] = prompt[node_id]["inputs"][name] = await client.upload(path)
    return uploaded


def is_file(path: Path) -> bool:
    """Whether the file exists; False for a path that the system rejects, such as one that is too long."""
    try:
        return path.is_file()
    except OSError:
        return False


def _find(value: str, folders: Sequence[Path], *, any_path: bool) -> Path | None:
    if any_path:
        path = Path(value).expanduser()
        if is_file(path):
            return path
    for folder in folders:
        path = folder / value
        if is_file(path) and path.resolve().is_relative_to(folder.resolve()):
            return path
    return None
