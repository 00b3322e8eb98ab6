"""Data set layouts -> items with their split. Only names and lists are read, no video is opened.

folder          any folder of videos; in `train` and `test` if it has these folders
landscape       train|test/<class>/*, or the published csv
audioset_drums  train|test/*, the split of TATS, or the published csv
vggsound        a csv: official (`ytid,start,label,split`) or published (`ytid,start_time,class,set` below a
                header)
webdataset      .tar shards of any of them, `id.json` beside a video with its id, split, label and caption

With a csv, files are found by name: `ytid`, `ytid_start` (official download) or `ytid_start_end` (published
code), anywhere below the root, with the sound in the video or as a .wav of the same name.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import cast

from a2v_core.errors import A2VError
from a2v_core.media import VIDEO_ENDINGS
from a2v_core.stores import name_of

from ..config import Data
from ..errors import DataError
from .by_csv import from_csv
from .drafts import Draft, facts_in, with_captions
from .found import Files, open_folder, sound_key
from .items import DISAGREE, EXCLUDED, Item, Split, Unusable
from .lists import excluded, scores
from .webdataset import open_shards

CLASS_FOLDERS = ("landscape",)
_NO_LABELS = ("train", "test", "video")


def list_items(data: Data) -> tuple[list[Item], list[Unusable]]:
    """All files of the data set in order of their id, and those that are left out.

    DataError when there is no usable file, or for a list that cannot be read; StoreError when a store
    cannot be listed.
    """
    files, broken = open_shards(data) if data.layout == "webdataset" else (open_folder(data), [])
    videos = files.having(VIDEO_ENDINGS)
    if not videos:
        reasons = f"; {broken[0].reason}" if broken else ""
        raise DataError(f"{data.root}: holds no video ({', '.join(VIDEO_ENDINGS)}); check data.root{reasons}")
    drafts, unusable = (
        from_csv(data, data.csv, files, videos) if data.csv is not None else _from_names(data, files, videos)
    )
    kept, dropped = _filtered(data, sorted(drafts, key=lambda draft: draft.item.id))
    if data.limit:
        # A hash order, since the first ones may all be of one class or split.
        some = sorted(kept, key=lambda draft: _hash("limit " + draft.item.id))[: data.limit]
        kept = sorted(some, key=lambda draft: draft.item.id)
    items, unread = with_captions(files, kept)
    left_out = [*broken, *unusable, *dropped, *unread]
    if not items:
        reasons = f" ({len(left_out)} are left out)" if left_out else ""
        raise DataError(f"{data.root}: no usable video{reasons}; check data.layout, data.csv and the filters")
    return items, left_out


def _from_names(data: Data, files: Files, videos: list[str]) -> tuple[list[Draft], list[Unusable]]:
    sounds, texts, facts = files.sounds(), files.beside(".txt"), files.beside(".json")
    drafts: dict[str, Draft] = {}
    unusable = []
    for name in videos:
        whole = str(PurePosixPath(name).with_suffix(""))
        try:
            known = facts_in(files, facts[whole]) if data.layout == "webdataset" and whole in facts else {}
        except A2VError as error:
            unusable.append(Unusable(name, str(files.files[name]), "unreadable caption", str(error)))
            continue
        item = _from_name(data, files, name, sounds, known)
        if item.id in drafts:
            reason = f"has the id of {drafts[item.id].item.video}"
            unusable.append(Unusable(item.id, str(item.video), "same id", reason))
            continue
        text = texts.get(whole, "") if data.captions == "files" else ""
        drafts[item.id] = Draft(item, text)
    return list(drafts.values()), unusable


def _from_name(data: Data, files: Files, name: str, sounds: dict[str, str], known: dict[str, str]) -> Item:
    """The id of a file is its path below the root, with its ending: a.mp4 and a.mov are two files."""
    parts = PurePosixPath(name).parts
    split = known.get("split") or next((part for part in parts[:-1] if part in ("train", "test")), "")
    label = parts[-2] if data.layout in CLASS_FOLDERS and len(parts) > 1 else known.get("label", "")
    label = "" if label in _NO_LABELS and not known else label
    sound = sounds.get(sound_key(name))
    id_ = known.get("id") or name
    caption = {"labels": label, "files": known.get("caption", ""), "none": ""}[data.captions]
    return Item(
        id=id_,
        video=files.files[name],
        split=cast(Split, split) if split in ("train", "test") else split_of(id_, data.test_share),
        audio=None if sound is None else files.files[sound],
        label=label,
        caption=" ".join(caption.split()),
    )


def split_of(name: str, test_share: float) -> Split:
    """The split of a file by a hash of its id: independent of run and of other files."""
    return "test" if _hash(name) < test_share * 2**64 else "train"


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.sha256(os.fsencode(name)).digest()[:8], "big")


def _filtered(data: Data, drafts: list[Draft]) -> tuple[list[Draft], list[Unusable]]:
    """Drop ids in `exclude_ids` and files with a score below `min_score`."""
    bad, scored = excluded(data), scores(data)
    kept, dropped = [], []
    for draft in drafts:
        item = draft.item
        names = set(_names(item))
        score = next((scored[name] for name in names if name in scored), None)
        if names & bad:
            dropped.append(Unusable(item.id, str(item.video), EXCLUDED, f"named in {data.exclude_ids}"))
        elif score is not None and score < data.min_score:
            reason = f"score {score:g} is below data.min_score {data.min_score:g}"
            dropped.append(Unusable(item.id, str(item.video), DISAGREE, reason))
        else:
            kept.append(draft)
    return kept, dropped


def _names(item: Item) -> Iterator[str]:
    """What a list may call it."""
    file = name_of(item.video)
    whole = item.id.removesuffix(file.suffix)
    yield from (item.id, whole, file.stem, file.name, whole.rpartition("_")[0])
