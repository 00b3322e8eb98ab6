"""Shards of a data set: .tar files of `id.mp4`, `id.wav`, `id.txt` and `id.json` (the WebDataset format).

A shard is read once for the places of its members, or never where its index lies beside it, as
training.export_webdataset writes it. Members are then read by their place, never the rest of the shard. A
member is called by its path in the tar below the folder of its shard.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from a2v_core.errors import A2VError
from a2v_core.stores import File, Member, Place, StoredFile, at_hand, place_of, size_of

from ..config import Data
from ..errors import DataError
from .drafts import READERS
from .found import Files, files_of
from .items import Unusable
from .tar_index import TarIndex, scan

INDEX_ENDING = ".index.json"
_BRACES = re.compile(r"\{([^{}]*)\}")


class _Shards(NamedTuple):
    base: Place
    names: list[str]  # empty: all below


def open_shards(data: Data) -> tuple[Files, list[Unusable]]:
    """The members of all shards of `data.root`, and the shards that cannot be read.

    `data.root` is a folder or an address with shards below it, one shard, or a pattern of names such as
    s3://bucket/train-{000000..000099}.tar. DataError for a pattern that is none, StoreError when a store
    cannot be listed.
    """
    base, names = _shards(data.root)
    found = files_of(data, base, (".tar", ".json"))
    names = names or [name for name in found if name.endswith(".tar")]
    bad = [
        Unusable(name, f"{base}/{name}", "missing file", "no such file beside the other shards")
        for name in names
        if name not in found
    ]
    present = [name for name in names if name in found]

    def read(name: str) -> TarIndex | Unusable:
        try:
            return _index(data, found[name], found.get(name + INDEX_ENDING))
        except (A2VError, OSError) as error:
            return Unusable(name, str(found[name]), "broken shard", str(error))

    with ThreadPoolExecutor(READERS) as pool:
        indexes = list(pool.map(read, present))
    files, texts = dict[str, File](), dict[str, str]()
    for name, index in zip(present, indexes, strict=True):
        if isinstance(index, Unusable):
            bad.append(index)
        else:
            bad += _add(name, found[name], index, files, texts)
    return Files(files, texts), bad


def expand(pattern: str) -> list[str]:
    """`a-{08..11}.tar` and `{a,b}.tar` as lists of names. DataError for other braces."""
    if (match := _BRACES.search(pattern)) is None:
        return [pattern]
    before, after = pattern[: match.start()], pattern[match.end() :]
    span = re.fullmatch(r"(\d+)\.\.(\d+)", match[1])
    if span is None and "," not in match[1]:
        raise DataError(f"{pattern}: {match[0]} is neither a span {{000..099}} nor a list {{a,b}}")
    parts = (
        match[1].split(",")
        if span is None
        else [f"{number:0{len(span[1])}d}" for number in range(int(span[1]), int(span[2]) + 1)]
    )
    return [name for part in parts for name in expand(f"{before}{part}{after}")]


def _shards(root: Place) -> _Shards:
    text = str(root)
    if "{" not in text and not text.endswith(".tar"):
        return _Shards(root, [])
    fixed = text.partition("{")[0].rpartition("/")[0]
    return _Shards(place_of(fixed or "."), expand(text[len(fixed) :].lstrip("/")))


def _index(data: Data, shard: File, beside: File | None) -> TarIndex:
    if beside is not None:
        with at_hand(beside) as path:
            index = TarIndex.read(path.read_bytes(), beside)
        if index.size == size_of(shard):
            return index

    def make() -> bytes:
        with at_hand(shard) as path:
            return scan(path).written()

    return TarIndex.read(data.store.cache.kept(f"index {_version(shard)}", make), shard)


def _version(shard: File) -> str:
    if isinstance(shard, StoredFile):
        return shard.key
    assert isinstance(shard, Path)
    stat = shard.stat()
    return f"{stat.st_mtime_ns} {stat.st_size} {shard.absolute()}"


def _add(
    name: str, shard: File, index: TarIndex, files: dict[str, File], texts: dict[str, str]
) -> Iterator[Unusable]:
    assert not isinstance(shard, Member)
    folder = PurePosixPath(name).parent
    for path, offset, size in index.members:
        member, called = Member(shard, path, offset, size), str(folder / path)
        if called in files:
            yield Unusable(called, str(member), "same file", f"is also in {files[called]}")
            continue
        files[called] = member
        if path in index.texts:
            texts[called] = index.texts[path]
