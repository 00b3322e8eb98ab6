"""Downloads the output files of a run into a local folder."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import aiohttp

from ...errors import WorkflowError
from .client import ComfyClient


@dataclass(frozen=True)
class OutputFile:
    """A downloaded output file. `kind` is ComfyUI's word: images, audio, gifs,
    video."""

    node_id: str
    title: str
    kind: str
    path: Path


@dataclass(frozen=True)
class LeftFile:
    """An output file that could not be fetched. `name`: path below the server's folder for its `type`
    ("output" or "temp"); `place`: where to get it, a URL or a path."""

    node_id: str
    title: str
    kind: str
    type: str
    name: str
    place: str
    reason: str


def check_folder(folder: Path) -> None:
    """Raises WorkflowError if no file can be written to `folder`, which need not exist and is not created."""
    existing = next((place for place in (folder, *folder.parents) if os.path.lexists(place)), Path())
    if not existing.is_dir():
        raise WorkflowError(f"--out {folder}: {existing} is no folder. Name a folder, there or new")
    try:
        with tempfile.TemporaryDirectory(dir=existing, prefix=".a2v-") as probe:
            new = folder.relative_to(existing).parts
            (Path(probe) / max(new, key=len, default="new")).mkdir(exist_ok=True)
        free = shutil.disk_usage(existing).free
    except OSError as error:
        raise WorkflowError(
            f"--out {folder}: nothing can be written there ({error.strerror}). Name another folder"
        ) from error
    if not free:
        raise WorkflowError(f"--out {folder}: the disk is full. Make room, or name another folder")


def file_references(outputs: dict[str, Any], kind: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(node id, key, reference) of every file of the type `kind` ("output" or "temp") in a run's outputs."""
    for node_id, ui in outputs.items():
        for key, entries in (ui or {}).items():
            for entry in entries if isinstance(entries, list) else []:
                if isinstance(entry, dict) and entry.get("filename") and entry.get("type") == kind:
                    yield node_id, key, entry


def texts_of(outputs: dict[str, Any]) -> dict[str, list[str]]:
    """Text outputs, by node id."""
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
) -> tuple[list[OutputFile], list[LeftFile]]:
    """Download the saved files (and previews if asked) into `folder`: those that came, those that did not.

    Subfolders are kept. An existing file is never overwritten: the new one gets a number. A failed download
    leaves no partial file and does not stop the others.
    """
    files, left = [], []
    for kind in ("output", "temp") if previews else ("output",):
        for node_id, key, reference in file_references(outputs, kind):
            title = titles.get(node_id, node_id)
            try:
                path = await _download(client, reference, _target_path(folder, reference))
            except (TimeoutError, OSError, aiohttp.ClientError, WorkflowError) as error:
                name = "/".join(filter(None, (reference.get("subfolder"), reference["filename"])))
                place, reason = client.view_url(reference), _reason(error)
                left.append(LeftFile(node_id, title, key, kind, name, place, reason))
            else:
                files.append(OutputFile(node_id, title, key, path))
    return files, left


def _reason(error: Exception) -> str:
    """Why a download failed."""
    text = (
        error.strerror if isinstance(error, OSError) and not isinstance(error, aiohttp.ClientError) else None
    )
    return text or str(error) or type(error).__name__


async def _download(client: ComfyClient, reference: dict[str, Any], target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
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
    for path in _numbered_names(target):
        with contextlib.suppress(FileExistsError):
            # Reserving the name first makes this safe against another run into the same folder.
            os.close(os.open(path, os.O_CREAT | os.O_EXCL))
            try:
                os.replace(part, path)
            except OSError:
                path.unlink()
                raise
            return path
    raise AssertionError("names do not run out")


def _numbered_names(target: Path) -> Iterator[Path]:
    yield target
    number = 1
    while True:
        yield target.with_name(f"{target.stem} ({number}){target.suffix}")
        number += 1


def _target_path(folder: Path, reference: dict[str, Any]) -> Path:
    """Local path of an output file; WorkflowError if the server names one outside `folder`."""
    parts = PurePosixPath(str(reference.get("subfolder") or "").replace("\\", "/")).parts
    name = str(reference["filename"]).replace("\\", "/")
    if ".." in parts or "/" in name or name in (".", "..") or any(":" in part for part in (*parts, name)):
        raise WorkflowError(f"the server names an output file outside its folder: {reference}")
    return folder.joinpath(*(part for part in parts if part != "/"), name)
