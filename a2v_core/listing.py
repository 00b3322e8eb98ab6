"""Media files of a folder, and pairs of them by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

VIDEO_ENDINGS = (".mp4", ".mov", ".webm", ".mkv", ".avi", ".m4v")
SOUND_ENDINGS = (".wav", ".flac", ".m4a", ".mp3", ".ogg")


def media_files(root: Path, endings: Sequence[str]) -> list[Path]:
    """The files below a folder with one of the endings in any case, by name.

    Left out are folders with such a name and the metadata files that macOS writes (`._clip.mp4`).
    """
    return sorted(
        path
        for path in root.rglob("*")
        if path.suffix.lower() in endings and not path.name.startswith("._") and path.is_file()
    )


def beside(path: Path, endings: Sequence[str]) -> Path | None:
    """The file of the same name in the same folder with one of the endings, in any case; the first of
    `endings` that there is.
    """
    for ending in endings:
        if (exact := path.with_suffix(ending)).is_file():
            return exact
    return _preferred(path.parent.glob("*") if path.parent.is_dir() else (), path, endings)


def _preferred(files: Iterable[Path], path: Path, endings: Sequence[str]) -> Path | None:
    found = [
        file for file in files if file.stem == path.stem and file.suffix.lower() in endings and file.is_file()
    ]
    return min(found, key=lambda file: (endings.index(file.suffix.lower()), file.name), default=None)
