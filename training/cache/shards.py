"""The cache on disk: safetensors shards of several clips each, readable one clip at a time.

Shards are written atomically: an interrupted precompute resumes with the clips that no shard has.
"""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from a2v_core.checkpoints import write_safetensors

from ..data import Unusable
from .encode import Sample
from .stored import header, opened
from .units import Key, plan_of

PATTERN = "shard-*.safetensors"
KEY = "a2v_cache"
DTYPES = {"fp32": torch.float32, "fp16": torch.float16}


class Entry(NamedTuple):
    """Index entry of a clip: its shard, its `row` there, its metadata, and the checksum of its tensors."""

    id: str
    number: int
    split: str
    caption: str
    path: Path
    row: int
    sum: str = ""


class Contents(NamedTuple):
    """Index of the shards of a folder; `waiting`: stems of those that `waits_for_store`."""

    entries: list[Entry]
    unusable: list[Unusable]
    facts: dict[str, Any]
    waiting: frozenset[str] = frozenset()


def write_shard(
    path: Path,
    samples: Sequence[Sample],
    splits: Sequence[str],
    unusable: Sequence[Unusable],
    missing: Sequence[tuple[str, int]],
    unreachable: Sequence[tuple[str, int]],
    facts: Mapping[str, Any],
    precision: str,
) -> None:
    """Write a shard. `missing`: (id, number) of clips that cannot be encoded, `unreachable` of those whose
    store did not answer, `unusable` the reasons of both.
    """
    dtype = DTYPES[precision]
    tensors = {"times": samples[0].times} if samples else {"times": torch.empty(0)}
    clips = []
    for row, (sample, split) in enumerate(zip(samples, splits, strict=True)):
        own = {
            f"{row}.latents": sample.latents.to(dtype),
            f"{row}.layers": sample.layers.to(dtype),
            f"{row}.sound": sample.sound,
        }
        tensors |= own
        about = {"id": sample.id, "number": sample.number, "split": split, "caption": sample.caption}
        clips.append({**about, "sum": _sum(own.values())})
    content = {
        "facts": dict(facts),
        "clips": clips,
        "unusable": [row._asdict() for row in unusable],
        "missing": list(missing),
        "unreachable": list(unreachable),
    }
    write_safetensors(path, tensors, {KEY: json.dumps(content)})


def read_contents(folder: Path) -> tuple[Contents, dict[str, set[Key]]]:
    """Index of the shards of a folder, and the clips that are done by the plan of their shards. DataError if
    damaged.

    Of a clip that is in two shards, because two machines had different lists of files, one counts.
    """
    unusable, facts, waiting = [], {}, set()
    entries: dict[Key, Entry] = {}
    done: defaultdict[str, set[Key]] = defaultdict(set)
    for path in sorted(folder.glob(PATTERN)):
        content = header(path, KEY)
        facts = content["facts"]
        unusable += [Unusable(**row) for row in content["unusable"]]
        if content.get("unreachable"):
            waiting.add(path.stem)
        own = done[plan_of(path)]
        own |= {(name, number) for name, number in content["missing"]}
        for row, clip in enumerate(content["clips"]):
            key = clip["id"], clip["number"]
            entries.setdefault(key, Entry(path=path, row=row, **clip))
            own.add(key)
    return Contents([entries[key] for key in sorted(entries)], unusable, facts, frozenset(waiting)), dict(
        done
    )


def waits_for_store(path: Path) -> bool:
    """Whether clips are missing in a shard because their store did not answer."""
    return bool(header(path, KEY).get("unreachable"))


def read_sample(entry: Entry) -> Sample:
    """One clip. DataError for a damaged shard."""
    with opened(entry.path) as file:
        names = (f"{entry.row}.latents", f"{entry.row}.layers", f"{entry.row}.sound")
        latents, layers, sound = map(file.get_tensor, names)
        if entry.sum and entry.sum != _sum((latents, layers, sound)):
            raise ValueError(f"the checksum of clip {entry.number} of {entry.id} is wrong")
        return Sample(
            id=entry.id,
            number=entry.number,
            latents=latents.float(),
            layers=layers.float(),
            times=file.get_tensor("times"),
            caption=entry.caption,
            sound=sound,
        )


def _sum(tensors: Iterable[Tensor]) -> str:
    """CRC-32 of the bytes of tensors: against bad disks and copies, and fast enough for every reading."""
    crc = 0
    for tensor in tensors:
        crc = zlib.crc32(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data, crc)
    return f"{crc:08x}"
