"""Download a planned model, check it, convert it, and move it into its loader's folder."""

from __future__ import annotations

import json
import os
from pathlib import Path

from ..errors import A2VError
from ..places import (
    ADAPTER_FOLDER,
    MODEL_INDEX,
    PART_CONFIG,
    PICTURE_DENOISER,
    SAFETENSORS,
    T2V_DENOISER_FOLDERS,
    T2V_DENOISERS,
)
from ..texts import read_text
from .convert import check, convert
from .errors import DownloadError
from .lock import exclusive
from .plan import Plan, is_installed
from .remote import RemoteFile
from .transfer import Report, download, sha256_of


def no_progress(done: int, total: int | None) -> None:
    """A progress callback that does nothing."""


def fetch(plan: Plan, report: Report = no_progress, keep_original: bool = False) -> Path:
    """Carry out a plan; returns the file or folder that the loader takes.

    `report` gets the bytes received and the bytes in total, and may raise to stop; what has been received is
    kept for the next call. A BEATs or AudioMapper file becomes safetensors with its config; the original is
    deleted unless `keep_original`. Raises DownloadError, and CheckpointError for a file that is no such
    model: nothing then stands under the final name.
    """
    if plan.done:
        return plan.target
    check_free_space(plan)
    try:
        plan.target.parent.mkdir(parents=True, exist_ok=True)
        with exclusive(plan.target):
            if is_installed(plan.model, plan.target):  # by another process since the plan was made
                return plan.target
            return _folder(plan, report) if plan.model.kind == "t2v" else _file(plan, report, keep_original)
    except OSError as error:
        raise DownloadError(
            f"{plan.target}: cannot be written: {error}; check folder and free space"
        ) from error


def check_free_space(plan: Plan) -> None:
    """DownloadError when the disk has too little free space for the rest of the download."""
    if plan.needed > plan.free:
        raise DownloadError(
            f"{plan.target.parent}: {plan.needed:,} bytes are needed, {plan.free:,} are free; make room, or "
            "choose another disk with --dest"
        )


def _file(plan: Plan, report: Report, keep_original: bool) -> Path:
    (file,) = plan.files
    original = plan.path_of(file)
    missing = not _is_complete(original, file)
    if missing and original.exists():
        raise DownloadError(
            f"{original}: is another file than the one to download; move it away, or choose another folder "
            "with --dest"
        )
    if missing:
        download(file, original, report)
        original = _with_true_ending(original)
    try:
        if original.suffix.lower() == SAFETENSORS:
            check(original, plan.model.kind)
            os.replace(original, plan.target)
            return plan.target
        convert(original, plan.target, plan.model.kind)
    except A2VError as error:
        raise type(error)(f"{error}. The download is kept as {original}") from error
    if missing and not keep_original:
        original.unlink()
    return plan.target


def _with_true_ending(path: Path) -> Path:
    """Rename a safetensors file of another ending: some addresses do not show the ending of their file."""
    with path.open("rb") as stream:
        is_safetensors = stream.read(9)[8:] == b"{"
    if not is_safetensors or path.suffix.lower() == SAFETENSORS:
        return path
    renamed = path.with_name(f"{path.stem}.unchecked{SAFETENSORS}")
    os.replace(path, renamed)
    return renamed


def _folder(plan: Plan, report: Report) -> Path:
    staging, total = plan.staging, plan.size
    # Small files first, so that a wrong config shows before gigabytes are loaded; model_index.json last, so
    # that the dropdown never shows half a model.
    files = sorted(plan.files, key=lambda file: (file.path == MODEL_INDEX, file.size or 0))
    before = 0
    for file in files:
        path = staging / file.path
        if not _is_complete(path, file):
            done = before
            download(file, path, lambda received, _: report(done + received, total))  # noqa: B023
        before += path.stat().st_size
        if file.path.removesuffix(f"/{PART_CONFIG}") in T2V_DENOISER_FOLDERS:
            _check_denoiser(path, plan)
    if staging != plan.target:
        os.replace(staging, plan.target)
    return plan.target


def _is_complete(path: Path, file: RemoteFile) -> bool:
    if not path.is_file() or (file.size is None and not file.sha256):
        return False
    if file.size is not None and path.stat().st_size != file.size:
        return False
    return not file.sha256 or sha256_of(path) == file.sha256


def _check_denoiser(config: Path, plan: Plan) -> None:
    try:
        found = json.loads(read_text(config)).get("_class_name")
    except (ValueError, AttributeError) as error:
        raise DownloadError(
            f"{config}: is not the config of a model ({error}); is this the right repository?"
        ) from error
    has_adapter = any(file.path.startswith(f"{ADAPTER_FOLDER}/") for file in plan.files)
    if found not in T2V_DENOISERS and not (has_adapter and found == PICTURE_DENOISER):
        raise DownloadError(
            f"{config}: is a {found}, expected one of {', '.join(T2V_DENOISERS)}: this repository is no "
            "text-to-video model of the ModelScope, Zeroscope, AnimateDiff or Wan kind"
        )
