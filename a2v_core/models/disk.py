"""Checks of a folder before a download into it: can it be written, how much space is free."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from .errors import DownloadError


def check_folder(folder: Path) -> None:
    """DownloadError unless files can be written into `folder`, which need not exist yet."""
    place = _existing(folder)
    if not place.is_dir():
        inside = "" if place == folder else f", so {folder} cannot be made"
        raise DownloadError(f"{place}: is a file{inside}; name a folder with --dest")
    try:
        # Permission bits are not enough: root, network drives and read-only disks do not follow them.
        with tempfile.TemporaryFile(dir=place, prefix=".a2v-"):
            pass
    except OSError as error:
        reason = error.strerror or str(error)
        raise DownloadError(
            f"{place}: nothing can be written there ({reason}); check its permissions and the disk, or name "
            "another folder with --dest"
        ) from error


def free_bytes(folder: Path) -> int:
    """Free space on the disk where `folder` is or will be."""
    return shutil.disk_usage(_existing(folder)).free


def _existing(folder: Path) -> Path:
    """`folder`, or its nearest parent that exists."""
    try:
        while not folder.exists():
            folder = folder.parent
    except OSError as error:
        raise DownloadError(
            f"{folder}: cannot be looked at: {error.strerror}; check its permissions"
        ) from error
    return folder
