"""What lies below the root of a data set, by name: in a folder, in a store, or in the shards of either."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from a2v_core.media import SOUND_ENDINGS, VIDEO_ENDINGS, media_files
from a2v_core.stores import File, Place, at_hand
from a2v_core.texts import read_text

from ..config import Data

TEXT_ENDINGS = (".txt", ".json")


@dataclass(frozen=True)
class Files:
    """Files by their names below the root, parts joined by /; texts that are known without reading a file."""

    files: dict[str, File]
    texts: dict[str, str] = field(default_factory=dict)

    def having(self, endings: Sequence[str]) -> list[str]:
        """Names with one of the endings in any case, in order; without the `._clip.mp4` that macOS writes."""
        names = (PurePosixPath(name) for name in self.files)
        found = (n for n in names if n.suffix.lower() in endings and not n.name.startswith("._"))
        return [str(name) for name in sorted(found, key=lambda name: name.parts)]

    def beside(self, ending: str) -> dict[str, str]:
        """Names without ending -> the file of that name with the ending, in any case if not as it stands."""
        beside: dict[str, str] = {}
        for name in sorted(self.having((ending,)), key=lambda name: not name.endswith(ending)):
            beside.setdefault(str(PurePosixPath(name).with_suffix("")), name)
        return beside

    def sounds(self) -> dict[str, str]:
        """`sound_key` of a video -> the sound file that belongs to it."""
        return {sound_key(name): name for name in reversed(self.having(SOUND_ENDINGS))}

    def text(self, name: str) -> str:
        """The text in a file. A2VError as `read_text`, StoreError when it cannot be fetched."""
        return text_in(self.files[name]) if name not in self.texts else self.texts[name]


def sound_key(name: str) -> str:
    """Equal for `video/a.mp4`, `audio/a.wav` and `a.mp4`: folders of these names are ignored."""
    parts = PurePosixPath(name).with_suffix("").parts
    return "/".join(part for part in parts if part not in ("video", "videos", "audio", "audios"))


def text_in(file: File) -> str:
    """The text in a file, wherever it lies."""
    with at_hand(file) as path:
        return read_text(path)


def files_of(data: Data, root: Place, endings: Sequence[str]) -> dict[str, File]:
    """Files with these endings below a folder or an address: only names are read, with a request a page."""
    if isinstance(root, str):
        found = data.store.files(root)
        return {name: found[name] for name in Files(dict(found)).having(endings)}
    return {path.relative_to(root).as_posix(): path for path in media_files(root, endings)}


def open_folder(data: Data) -> Files:
    """The files of a data set that is no webdataset."""
    return Files(files_of(data, data.root, (*VIDEO_ENDINGS, *SOUND_ENDINGS, *TEXT_ENDINGS)))


def text_at(data: Data, place: Place) -> str | None:
    """The text of a list that the config names; None when there is no such file on this machine."""
    if isinstance(place, Path):
        return read_text(place) if place.is_file() else None
    return text_in(data.store.file(place))
