"""Items of a list of ids: each row finds its file by name."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import PurePosixPath

from a2v_core.stores import Place

from ..config import Data
from .drafts import Draft
from .found import Files, sound_key
from .items import Item, Unusable
from .lists import rows, seconds_in


def from_csv(data: Data, place: Place, files: Files, videos: list[str]) -> tuple[list[Draft], list[Unusable]]:
    """The items of the rows of a csv whose file is there, and the other rows."""
    index, sounds, texts = _index(videos), files.sounds(), files.beside(".txt")
    drafts: dict[str, Draft] = {}
    taken: dict[str, str] = {}
    unusable = []
    for row in rows(data, place):
        found = index.get((row.ytid, seconds_in(row.start))) or index.get((row.ytid, None))
        if not found:
            reason = f"no video named {row.ytid}, {row.id} or {row.id}_END below {data.root}"
            unusable.append(Unusable(row.id, "", "missing file", reason))
            continue
        if taken.setdefault(found, row.id) != row.id:
            # The same file in train and test would be a leak.
            reason = f"is the file of {taken[found]}"
            unusable.append(Unusable(row.id, str(files.files[found]), "same file", reason))
            continue
        sound = sounds.get(sound_key(found))
        text = texts.get(str(PurePosixPath(found).with_suffix("")), "")
        item = Item(
            id=row.id,
            video=files.files[found],
            split="test" if row.split.strip().lower() == "test" else "train",
            audio=None if sound is None else files.files[sound],
            label=row.label,
            caption=row.label if data.captions == "labels" else "",
        )
        drafts[row.id] = Draft(item, text if data.captions == "files" else "")
    return list(drafts.values()), unusable


def _index(videos: list[str]) -> dict[tuple[str, float | None], str]:
    """(ytid, start) -> file, and (ytid, None) -> file where only one file has this ytid."""
    index: dict[tuple[str, float | None], str] = {}
    by_id: dict[str, list[str]] = defaultdict(list)
    whole: dict[PurePosixPath, str] = {}
    for name in videos:
        whole.setdefault(PurePosixPath(name).with_suffix(""), name)  # the same clip in two containers
    for name in whole.values():
        stem = PurePosixPath(name).stem
        # A YouTube id may itself end in _ and digits: every parse of the name is tried.
        readings: list[tuple[str, float | None]] = [(stem, None)]
        for pattern in (r"(.+?)_(\d+(?:\.\d+)?)$", r"(.+?)_(\d+(?:\.\d+)?)_\d+(?:\.\d+)?$"):
            if match := re.match(pattern, stem):
                readings.append((match[1], float(match[2])))
        for ytid, start in readings:
            if start is not None:
                index.setdefault((ytid, start), name)
            by_id[ytid].append(name)
    for ytid, names in by_id.items():
        if len(set(names)) == 1:
            index.setdefault((ytid, None), names[0])
    return index
