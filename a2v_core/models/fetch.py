"""Download a planned model, check it, convert it, and put it where its loader looks."""

from __future__ import annotations

import json
import os
from pathlib import Path

from ..errors import A2VError
from ..places import SAFETENSORS, T2V_DENOISERS
from ..texts import read_text
from .convert import check, convert
from .errors import DownloadError
from .lock import alone
from .plan import Plan, is_there
from .remote import RemoteFile
from .transfer import Report, download, sha256_of


def quiet(done: int, total: int | None) -> None:
    """A report that goes nowhere."""


def fetch(plan: Plan, report: Report = quiet, keep_original: bool = False) -> Path:
    """Carry out a plan; returns the file or folder that the loader takes.

    `report` gets the bytes that are there and the bytes in all, and may raise to stop; what has come is kept
    for the next call. A BEATs or AudioMapper file becomes safetensors with its config, and the original goes
    unless `keep_original`. Raises DownloadError, and CheckpointError for a file that is no such model:
    nothing then stands under the final name.
    """
    if plan.done:
        return plan.target
    check_room(plan)
    try:
        plan.target.parent.mkdir(parents=True, exist_ok=True)
        with alone(plan.target):
            if is_there(plan.model, plan.target):  # somebody else has brought it since the plan was made
                return plan.target
            return _folder(plan, report) if plan.model.kind == "t2v" else _file(plan, report, keep_original)
    except OSError as error:
        raise DownloadError(
            f"{plan.target}: cannot be written: {error}; check folder and free space"
        ) from error


def check_room(plan: Plan) -> None:
    """DownloadError when the disk has too little room for what is to come."""
    if plan.needed > plan.free:
        raise DownloadError(
            f"{plan.target.parent}: {plan.needed:,} bytes are needed, {plan.free:,} are free; make room, or "
            "choose another disk with --dest"
        )


def _file(plan: Plan, report: Report, keep_original: bool) -> Path:
    (file,) = plan.files
    original = plan.place_of(file)
    ours = not _is_whole(original, file)
    if ours and original.exists():
        raise DownloadError(
            f"{original}: is another file than the one to download; move it away, or choose another folder "
            "with --dest"
        )
    if ours:
        download(file, original, report)
        original = _rightly_named(original)
    try:
        if original.suffix.lower() == SAFETENSORS:
            check(original, plan.model.kind)
            os.replace(original, plan.target)
            return plan.target
        convert(original, plan.target, plan.model.kind)
    except A2VError as error:
        raise type(error)(f"{error}. The download is kept as {original}") from error
    if ours and not keep_original:
        original.unlink()
    return plan.target


def _rightly_named(path: Path) -> Path:
    """Some addresses do not say what ending their file has; its first bytes do."""
    with path.open("rb") as stream:
        is_safetensors = stream.read(9)[8:] == b"{"
    if not is_safetensors or path.suffix.lower() == SAFETENSORS:
        return path
    renamed = path.with_name(f"{path.stem}.unchecked{SAFETENSORS}")
    os.replace(path, renamed)
    return renamed


def _folder(plan: Plan, report: Report) -> Path:
    staging, total = plan.staging, plan.size
    # Small files first: what is wrong with them shows before gigabytes come. Last the one that makes a folder
    # a model, so that the dropdown never shows half of one.
    files = sorted(plan.files, key=lambda file: (file.path == "model_index.json", file.size or 0))
    before = 0
    for file in files:
        place = staging / file.path
        if not _is_whole(place, file):
            done = before
            download(file, place, lambda bytes_there, _: report(done + bytes_there, total))  # noqa: B023
        before += place.stat().st_size
        if file.path == "unet/config.json":
            _check_unet(place)
    if staging != plan.target:
        os.replace(staging, plan.target)
    return plan.target


def _is_whole(path: Path, file: RemoteFile) -> bool:
    if not path.is_file() or (file.size is None and not file.sha256):
        return False
    if file.size is not None and path.stat().st_size != file.size:
        return False
    return not file.sha256 or sha256_of(path) == file.sha256


def _check_unet(config: Path) -> None:
    try:
        found = json.loads(read_text(config)).get("_class_name")
    except (ValueError, AttributeError) as error:
        raise DownloadError(
            f"{config}: is not the config of a model ({error}); is this the right repository?"
        ) from error
    if found not in T2V_DENOISERS:
        raise DownloadError(
            f"{config}: is a {found}, expected a {T2V_DENOISERS[0]}: this repository is no text-to-video "
            "model of the ModelScope or Zeroscope kind"
        )
