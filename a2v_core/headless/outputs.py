"""Output files of a run, from the server into a folder of the user's."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ..errors import WorkflowError
from .client import ComfyClient


@dataclass(frozen=True)
class OutputFile:
    """A file that a node made, and where it lies now. `kind` is ComfyUI's word: images, audio, gifs,
    video."""

    node_id: str
    title: str
    kind: str
    path: Path


def file_references(outputs: dict[str, Any], kind: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(node id, key, reference) of every file of the type `kind` ("output" or "temp") in a run's outputs."""
    for node_id, ui in outputs.items():
        for key, entries in (ui or {}).items():
            for entry in entries if isinstance(entries, list) else []:
                if isinstance(entry, dict) and entry.get("filename") and entry.get("type") == kind:
                    yield node_id, key, entry


def texts_of(outputs: dict[str, Any]) -> dict[str, list[str]]:
    """The texts that nodes show, by node id."""
    found: dict[str, list[str]] = {}
    for node_id, ui in outputs.items():
        entries = (ui or {}).get("text")
        if entries:
            found[node_id] = [
                str(entry) for entry in (entries if isinstance(entries, (list, tuple)) else [entries])
            ]
    return found


async def fetch_outputs(
    client: ComfyClient,
    outputs: dict[str, Any],
    titles: dict[str, str],
    folder: Path,
    previews: bool = False,
) -> list[OutputFile]:
    """Download what the run saved (and its previews if asked) into `folder`.

    Subfolders are kept. A file that is there already is never replaced: the new one gets a number. A
    broken-off download leaves nothing behind.
    """
    files = []
    for kind in ("output", "temp") if previews else ("output",):
        for node_id, key, reference in file_references(outputs, kind):
            target = _inside(folder, reference)
            target.parent.mkdir(parents=True, exist_ok=True)
            path = await _download(client, reference, target)
            files.append(OutputFile(node_id, titles.get(node_id, node_id), key, path))
    return files


async def _download(client: ComfyClient, reference: dict[str, Any], target: Path) -> Path:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".a2v-", suffix=".part")
    os.close(handle)
    part = Path(name)
    try:
        await client.download(reference, part)
        part.chmod(0o644)
        return _move_to_free_name(part, target)
    finally:
        part.unlink(missing_ok=True)


def _move_to_free_name(part: Path, target: Path) -> Path:
    for path in _names(target):
        with contextlib.suppress(FileExistsError):
            # Taking the name first makes this safe against another run into the same folder.
            os.close(os.open(path, os.O_CREAT | os.O_EXCL))
            os.replace(part, path)
            return path
    raise AssertionError("names do not run out")


def _names(target: Path) -> Iterator[Path]:
    yield target
    number = 1
    while True:
        yield target.with_name(f"{target.stem} ({number}){target.suffix}")
        number += 1


def _inside(folder: Path, reference: dict[str, Any]) -> Path:
    """Where the file goes; a server must not be able to name a place outside `folder`."""
    parts = PurePosixPath(str(reference.get("subfolder") or "").replace("\\", "/")).parts
    name = str(reference["filename"]).replace("\\", "/")
    if ".." in parts or "/" in name or name in (".", "..") or any(":" in part for part in (*parts, name)):
        raise WorkflowError(f"the server names an output file outside its folder: {reference}")
    return folder.joinpath(*(part for part in parts if part != "/"), name)
