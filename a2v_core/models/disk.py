"""What can be known of a folder before anything is downloaded into it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from .errors import DownloadError


def check_folder(folder: Path) -> None:
    """DownloadError unless files can be written into `folder`, which need not be there yet."""
    place = _nearest(folder)
    if not place.is_dir():
        inside = "" if place == folder else f", so {folder} cannot be made"
        raise DownloadError(f"{place}: is a file{inside}; name a folder with --dest")
    try:
        # Permissions do not tell it: they say little of root, of network drives and of read-only disks.
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
    return shutil.disk_usage(_nearest(folder)).free


def _nearest(folder: Path) -> Path:
    """`folder`, or what is there of the way to it."""
    try:
        while not folder.exists():
            folder = folder.parent
    except OSError as error:
        raise DownloadError(
            f"{folder}: cannot be looked at: {error.strerror}; check its permissions"
        ) from error
    return folder
