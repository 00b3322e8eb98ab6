"""A data set as shards: .tar files of bounded size, the same bytes every time (the WebDataset format).

A shard is planned before anything is read, written beside its place and renamed, or uploaded as a whole, and
then its index. So a shard whose index fits the plan is done, and an interrupted export goes on with the next.
"""

from __future__ import annotations

import io
import json
import os
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from a2v_core.errors import A2VError
from a2v_core.files import atomic_path
from a2v_core.stores import File, Place, at_hand, below, name_of, size_of

from ..config import Data
from ..errors import DataError
from .found import files_of
from .items import Item, Unusable
from .source import unusable
from .tar_index import TarIndex, scan
from .webdataset import INDEX_ENDING

_PATTERN = "shard-{:06d}.tar"
_END = 2 * tarfile.BLOCKSIZE + tarfile.RECORDSIZE  # of every tar, at most


class Exported(NamedTuple):
    """shards and clips there, of which `new` shards were written now; what is left out."""

    shards: int
    clips: int
    new: int
    unusable: list[Unusable]


class _Entry(NamedTuple):
    """A member to be: a file, or bytes that are known."""

    path: str
    size: int
    content: File | bytes


class _Clip(NamedTuple):
    """An item, and the name of its members without their endings."""

    key: str
    item: Item

    def entries(self) -> Iterator[_Entry]:
        """Its files, its caption for other readers, and all that is known of it."""
        item = self.item
        yield _Entry(self.key + name_of(item.video).suffix, size_of(item.video), item.video)
        if item.audio is not None:
            yield _Entry(self.key + name_of(item.audio).suffix, size_of(item.audio), item.audio)
        known = {"caption": item.caption, "id": item.id, "label": item.label, "split": item.split}
        facts = (json.dumps(known) + "\n").encode()
        yield _Entry(self.key + ".json", len(facts), facts)
        if item.caption:
            text = item.caption.encode()
            yield _Entry(self.key + ".txt", len(text), text)


def export(data: Data, items: Sequence[Item], target: Place, shard_bytes: int) -> Exported:
    """Write items, in order, to shards of at most `shard_bytes`, or of one clip that is larger.

    Files that cannot be fetched are left out and reported; the next export tries them again. DataError when
    the target holds shards of another plan.
    """
    plan = list(_plan(_named(items), shard_bytes))
    names = [_PATTERN.format(number) for number in range(len(plan))]
    there = files_of(data, target, (".tar", ".json")) if _is_there(target) else {}
    shards = {name for name in there if name.endswith((".tar", INDEX_ENDING))}
    if others := sorted(shards - {*names, *(name + INDEX_ENDING for name in names)}):
        raise DataError(f"{target}: holds {others[0]}, which is none of these shards; choose an empty place")
    bad: list[Unusable] = []
    new = clips = 0
    for name, group in zip(names, plan, strict=True):
        if _is_done(there.get(name), there.get(name + INDEX_ENDING), group):
            clips += len(group)
            continue
        missing = _write(data, below(target, name), group)
        bad += missing
        new += 1
        clips += len(group) - len(missing)
    return Exported(len(plan), clips, new, bad)


def _named(items: Sequence[Item]) -> Iterator[_Clip]:
    """The items with names that no other has. A dot in them would be the ending to readers of the format."""
    taken: set[str] = set()
    for item in items:
        key = whole = item.id.removesuffix(name_of(item.video).suffix).replace(".", "_").strip("/")
        number = 1
        while key in taken:
            number += 1
            key = f"{whole}_{number}"
        taken.add(key)
        yield _Clip(key, item)


def _plan(clips: Iterable[_Clip], shard_bytes: int) -> Iterator[list[_Clip]]:
    """The clips of every shard."""
    group: list[_Clip] = []
    used = 0
    for clip in clips:
        size = sum(_in_tar(entry) for entry in clip.entries())
        if group and used + size > shard_bytes - _END:
            yield group
            group, used = [], 0
        group.append(clip)
        used += size
    if group:
        yield group


def _in_tar(entry: _Entry) -> int:
    """Bytes with header; long and unusual names have one more, with a block of text."""
    blocks = 1 + -(-entry.size // tarfile.BLOCKSIZE)
    plain = entry.path.isascii() and len(entry.path) <= tarfile.LENGTH_NAME
    return (blocks if plain else blocks + 2) * tarfile.BLOCKSIZE


def _is_there(target: Place) -> bool:
    return isinstance(target, str) or target.is_dir()


def _is_done(shard: File | None, index: File | None, group: Sequence[_Clip]) -> bool:
    if shard is None or index is None:
        return False
    with at_hand(index) as path:
        found = TarIndex.read(path.read_bytes(), index)
    planned = [entry for clip in group for entry in clip.entries()]
    texts = {entry.path: entry.content.decode() for entry in planned if isinstance(entry.content, bytes)}
    members = [(path, size) for path, _, size in found.members]
    return (
        found.size == size_of(shard)
        and members == [(entry.path, entry.size) for entry in planned]
        and found.texts == texts
    )


def _write(data: Data, place: Place, group: Sequence[_Clip]) -> list[Unusable]:
    """One shard and its index; what could not be read."""
    bad = []
    with _written(data, place) as part, tarfile.open(part, "w") as tar:
        for clip in group:
            try:
                _add(tar, clip)
            except (A2VError, OSError) as error:
                bad.append(unusable(clip.item, error))
        tar.close()
        index = scan(part).written()
    with _written(data, _beside(place)) as part:
        part.write_bytes(index)
    return bad


def _add(tar: tarfile.TarFile, clip: _Clip) -> None:
    with ExitStack() as stack:
        # All of it first: a member that fails in its middle cannot be taken back.
        sources = [(entry, stack.enter_context(_opened(entry))) for entry in clip.entries()]
        for entry, source in sources:
            info = tarfile.TarInfo(entry.path)  # no time, no owner
            info.size = entry.size
            tar.addfile(info, source)


@contextmanager
def _opened(entry: _Entry) -> Iterator[IO[bytes]]:
    """The bytes of a member. DataError when they are not as many as planned."""
    if isinstance(entry.content, bytes):
        yield io.BytesIO(entry.content)
        return
    with at_hand(entry.content) as path, path.open("rb") as file:
        if os.fstat(file.fileno()).st_size != entry.size:
            raise DataError(f"{entry.content}: has changed since it was listed; run the same again")
        yield file


def _beside(place: Place) -> Place:
    if isinstance(place, Path):
        return place.with_name(place.name + INDEX_ENDING)
    return place + INDEX_ENDING


@contextmanager
def _written(data: Data, place: Place) -> Iterator[Path]:
    """A path to write to: it gets its name, or is uploaded, at the end."""
    if isinstance(place, Path):
        place.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(place) as part:
            yield part
        return
    with tempfile.TemporaryDirectory(prefix="a2v-", dir=_folder_for_large_files(data)) as folder:
        part = Path(folder) / "part"
        yield part
        data.store.access.upload(part, place)


def _folder_for_large_files(data: Data) -> Path:
    """The temporary folder may be small, or in memory: that of the cache is on a disk."""
    folder = data.store.cache.folder
    folder.mkdir(parents=True, exist_ok=True)
    return folder
