"""Data set layouts on disk -> items with their split. Only names and lists are read, no video is opened.

folder          any folder of videos; in `train` and `test` if it has these folders
landscape       train|test/<class>/*, or the published csv
audioset_drums  train|test/*, the split of TATS, or the published csv
vggsound        a csv: official (`ytid,start,label,split`) or published (`ytid,start_time,class,set` below a
                header)

With a csv, files are found by name: `ytid`, `ytid_start` (official download) or `ytid_start_end` (published
code), anywhere below the root, with the sound in the video or as a .wav of the same name.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, cast

from a2v_core.errors import A2VError
from a2v_core.media import SOUND_ENDINGS, VIDEO_ENDINGS, beside, media_files
from a2v_core.texts import read_text

from ..config import Data
from ..errors import DataError
from .items import DISAGREE, EXCLUDED, Item, Split, Unusable

CLASS_FOLDERS = ("landscape",)


def list_items(data: Data) -> tuple[list[Item], list[Unusable]]:
    """All files of the data set in order of their id, and those that are left out.

    DataError when there is no usable file, or for a list that cannot be read.
    """
    videos = media_files(data.root, VIDEO_ENDINGS)
    if not videos:
        raise DataError(f"{data.root}: holds no video ({', '.join(VIDEO_ENDINGS)}); check data.root")
    sounds = _sounds(data.root)
    if data.csv is not None:
        items, unusable = _from_csv(data, data.csv, videos, sounds)
    else:
        items, unusable = _from_paths(data, videos, sounds)
    kept, dropped = _filtered(data, sorted(items, key=lambda item: item.id))
    if not kept:
        reasons = f" ({len(unusable) + len(dropped)} are left out)" if unusable or dropped else ""
        raise DataError(f"{data.root}: no usable video{reasons}; check data.layout, data.csv and the filters")
    if data.limit:
        # A hash order, since the first ones may all be of one class or split.
        kept = sorted(
            sorted(kept, key=lambda item: _hash("limit " + item.id))[: data.limit], key=lambda item: item.id
        )
    return kept, unusable + dropped


def _from_paths(data: Data, videos: list[Path], sounds: dict[str, Path]) -> tuple[list[Item], list[Unusable]]:
    items, unusable = [], []
    for path in videos:
        try:
            items.append(_from_path(data, path, sounds))
        except A2VError as error:
            unusable.append(_bad_caption(path.relative_to(data.root).as_posix(), path, error))
    return items, unusable


def _bad_caption(name: str, path: Path, error: A2VError) -> Unusable:
    return Unusable(name, str(path), "unreadable caption", str(error))


def _from_path(data: Data, path: Path, sounds: dict[str, Path]) -> Item:
    """The id of a file is its path below the root, with its ending: a.mp4 and a.mov are two files."""
    parts = path.relative_to(data.root).parts
    split = next((part for part in parts[:-1] if part in ("train", "test")), "")
    label = parts[-2] if data.layout in CLASS_FOLDERS and len(parts) > 1 else ""
    label = "" if label in ("train", "test", "video") else label
    name = "/".join(parts)
    return Item(
        id=name,
        video=path,
        split=cast(Split, split) if split else split_of(name, data.test_share),
        audio=sounds.get(_sound_key(data.root, path)),
        label=label,
        caption=_caption(data, path, label),
    )


def split_of(name: str, test_share: float) -> Split:
    """The split of a file by a hash of its id: independent of run and of other files."""
    return "test" if _hash(name) < test_share * 2**64 else "train"


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.sha256(os.fsencode(name)).digest()[:8], "big")


class _Row(NamedTuple):
    ytid: str
    start: str
    label: str
    split: str

    @property
    def id(self) -> str:
        """As in the names of files."""
        return f"{self.ytid}_{self.start}"


def _from_csv(
    data: Data, path: Path, videos: list[Path], sounds: dict[str, Path]
) -> tuple[list[Item], list[Unusable]]:
    index = _index(videos)
    items: dict[str, Item] = {}
    unusable = []
    taken: dict[Path, str] = {}
    for row in _rows(path):
        found = index.get((row.ytid, _seconds(row.start))) or index.get((row.ytid, None))
        if not found:
            reason = f"no video named {row.ytid}, {row.id} or {row.id}_END below {data.root}"
            unusable.append(Unusable(row.id, "", "missing file", reason))
            continue
        if taken.setdefault(found, row.id) != row.id:
            # The same file in train and test would be a leak.
            unusable.append(Unusable(row.id, str(found), "same file", f"is the file of {taken[found]}"))
            continue
        try:
            caption = _caption(data, found, row.label)
        except A2VError as error:
            unusable.append(_bad_caption(row.id, found, error))
            continue
        items[row.id] = Item(
            id=row.id,
            video=found,
            split="test" if row.split.strip().lower() == "test" else "train",
            audio=sounds.get(_sound_key(data.root, found)),
            label=row.label,
            caption=caption,
        )
    return list(items.values()), unusable


def _rows(path: Path) -> Iterator[_Row]:
    if not path.is_file():
        raise DataError(f"{path}: no such file; check data.csv")
    for number, cells in enumerate(_csv_rows(path), start=1):
        if not cells or (number == 1 and cells[0].strip().lower() in ("ytid", "youtube_id", "id")):
            continue
        if len(cells) != 4 or _seconds(cells[1]) is None:
            raise DataError(
                f"{path}, line {number}: {','.join(cells)[:80]!r} is not `ytid,start,label,split`"
            )
        yield _Row(*(cell.strip() for cell in cells))


def _csv_rows(path: Path) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(read_text(path), newline=""))


def _index(videos: list[Path]) -> dict[tuple[str, float | None], Path]:
    """(ytid, start) -> file, and (ytid, None) -> file where only one file has this ytid."""
    index: dict[tuple[str, float | None], Path] = {}
    by_id: dict[str, list[Path]] = defaultdict(list)
    whole: dict[Path, Path] = {}
    for path in videos:
        whole.setdefault(path.with_suffix(""), path)  # the same clip in two containers
    for path in whole.values():
        # A YouTube id may itself end in _ and digits: every parse of the name is tried.
        readings: list[tuple[str, float | None]] = [(path.stem, None)]
        for pattern in (r"(.+?)_(\d+(?:\.\d+)?)$", r"(.+?)_(\d+(?:\.\d+)?)_\d+(?:\.\d+)?$"):
            if match := re.match(pattern, path.stem):
                readings.append((match[1], float(match[2])))
        for ytid, start in readings:
            if start is not None:
                index.setdefault((ytid, start), path)
            by_id[ytid].append(path)
    for ytid, paths in by_id.items():
        if len(set(paths)) == 1:
            index.setdefault((ytid, None), paths[0])
    return index


def _sounds(root: Path) -> dict[str, Path]:
    return {_sound_key(root, path): path for path in reversed(media_files(root, SOUND_ENDINGS))}


def _sound_key(root: Path, path: Path) -> str:
    """Equal for `video/a.mp4`, `audio/a.wav` and `a.mp4`: folders of these names are ignored."""
    parts = path.relative_to(root).with_suffix("").parts
    return "/".join(part for part in parts if part not in ("video", "videos", "audio", "audios"))


def _seconds(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _caption(data: Data, video: Path, label: str) -> str:
    if data.captions == "labels":
        return label
    text = beside(video, (".txt",)) if data.captions == "files" else None
    return "" if text is None else " ".join(read_text(text).split())


def _filtered(data: Data, items: list[Item]) -> tuple[list[Item], list[Unusable]]:
    """Drop ids in `exclude_ids` and files with a score below `min_score`."""
    excluded: set[str] = set()
    if data.exclude_ids is not None:
        if not data.exclude_ids.is_file():
            raise DataError(f"{data.exclude_ids}: no such file; check data.exclude_ids")
        excluded = set(read_text(data.exclude_ids).split())
    scores = _scores(data.scores) if data.scores is not None else {}
    kept, dropped = [], []
    for item in items:
        whole = item.id.removesuffix(item.video.suffix)
        names = {item.id, whole, item.video.stem, item.video.name, whole.rpartition("_")[0]}
        score = next((scores[name] for name in names if name in scores), None)
        if names & excluded:
            dropped.append(Unusable(item.id, str(item.video), EXCLUDED, f"named in {data.exclude_ids}"))
        elif score is not None and score < data.min_score:
            reason = f"score {score:g} is below data.min_score {data.min_score:g}"
            dropped.append(Unusable(item.id, str(item.video), DISAGREE, reason))
        else:
            kept.append(item)
    return kept, dropped


def _scores(path: Path) -> dict[str, float]:
    if not path.is_file():
        raise DataError(f"{path}: no such file; check data.scores")
    scores = {}
    for number, cells in enumerate(_csv_rows(path), start=1):
        value = _seconds(cells[1]) if len(cells) == 2 else None
        if value is not None:
            scores[cells[0].strip()] = value
        elif cells and number > 1:
            raise DataError(f"{path}, line {number}: expected `id,score`, got {','.join(cells)[:80]!r}")
    return scores
