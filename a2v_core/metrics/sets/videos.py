"""The videos of a set: files of this machine, or objects of a store, which are fetched to be scored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

from ...errors import A2VError
from ...media import SOUND_ENDINGS, VIDEO_ENDINGS, has_sound, media_files
from ...stores import Place, StoredFile, at_hand, check_place, make_store
from ..alignment import sound_of

CACHE_GB, FETCH_TRIES, FETCH_SECONDS = 20.0, 6, 120.0


@dataclass(frozen=True)
class StoredVideo:
    """An object of a store, and the sound file of the same name beside it, if there is one."""

    video: StoredFile
    sound: StoredFile | None

    def __str__(self) -> str:
        return str(self.video)


Video: TypeAlias = Path | StoredVideo


def find_videos(paths: Sequence[Path]) -> list[Path]:
    """The video files among `paths`; folders are searched through, by name. A2VError where there is none."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = media_files(path, VIDEO_ENDINGS)
            if not inside:
                raise _no_video(path)
            found.extend(inside)
        else:
            found.append(path)
    return list(dict.fromkeys(found))


def find_everywhere(places: Sequence[Place]) -> list[Video]:
    """`find_videos`, also below addresses, each listed once. StoreError where one cannot be listed."""
    found: list[Video] = []
    for place in places:
        found += _listed(place) if isinstance(place, str) else find_videos([place])
    return list(dict.fromkeys(found))


def is_single(place: Place) -> bool:
    """Whether it names a video, not a folder of them."""
    if isinstance(place, str):
        return PurePosixPath(place).suffix.lower() in VIDEO_ENDINGS
    return not place.is_dir()


def _listed(address: str) -> list[Video]:
    check_place(address)
    store = make_store(None, CACHE_GB, FETCH_TRIES, FETCH_SECONDS, {})
    if is_single(address):
        return [StoredVideo(store.file(address), None)]
    files = store.files(address)
    sounds = {_stem(name): files[name] for name in reversed(_having(files, SOUND_ENDINGS))}
    videos = _having(files, VIDEO_ENDINGS)
    if not videos:
        raise _no_video(address)
    return [StoredVideo(files[name], sounds.get(_stem(name))) for name in videos]


def _having(names: Iterable[str], endings: Sequence[str]) -> list[str]:
    paths = (PurePosixPath(name) for name in names)
    return sorted(str(p) for p in paths if p.suffix.lower() in endings and not p.name.startswith("._"))


def _stem(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(""))


def _no_video(place: Place) -> A2VError:
    return A2VError(f"{place}: the folder holds no video ({', '.join(VIDEO_ENDINGS)}).")


@contextmanager
def to_score(video: Video, audio: Path | None) -> Iterator[tuple[Path, Path | None, str | None]]:
    """Paths of a video and its sound while the block lasts, None where that is found by `sound_of`, and the
    address of what the sound comes from, if it is one. Errors name addresses."""
    if isinstance(video, Path):
        yield video, audio, None
        return
    with ExitStack() as stack:
        path = stack.enter_context(at_hand(video.video))
        if audio is not None:
            yield path, audio, None
        elif video.sound is None or has_sound(path):
            yield path, None, str(video)
        else:
            yield path, stack.enter_context(at_hand(video.sound)), str(video.sound)


def identity(video: Video, audio: Path | None) -> list[list[Any]]:
    """Name, bytes and time or version of all files of a clip. A2VError or OSError when one is unreadable."""
    if isinstance(video, StoredVideo):
        objects = [one.found for one in (video.video, video.sound) if one is not None]
        named = [] if audio is None else _stats(audio)
        return [[found.url, found.size, found.version] for found in objects] + named
    return [*_stats(video), *_stats(audio or sound_of(video))]


def _stats(path: Path) -> list[list[Any]]:
    stat = path.stat()
    return [[str(path.resolve()), stat.st_size, stat.st_mtime_ns]]
