"""The cache on disk: safetensors shards of several clips each, readable one clip at a time.

Shards are written atomically: an interrupted precompute resumes with the clips that no shard has.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

from a2v_core.checkpoints import write_safetensors

from ..data import Unusable
from .encode import Sample
from .stored import header, opened

PATTERN = "shard-*.safetensors"
KEY = "a2v_cache"
DTYPES = {"fp32": torch.float32, "fp16": torch.float16}


class Entry(NamedTuple):
    """Index entry of a clip: its shard, its `row` there, and its metadata."""

    id: str
    number: int
    split: str
    caption: str
    path: Path
    row: int


class Contents(NamedTuple):
    """Index of the shards of a folder."""

    entries: list[Entry]
    unusable: list[Unusable]
    facts: dict[str, Any]


def write_shard(
    path: Path,
    samples: Sequence[Sample],
    splits: Sequence[str],
    unusable: Sequence[Unusable],
    missing: Sequence[tuple[str, int]],
    facts: Mapping[str, Any],
    precision: str,
) -> None:
    """Write a shard. `missing`: (id, number) of clips that could not be encoded, `unusable` their reasons."""
    dtype = DTYPES[precision]
    tensors = {"times": samples[0].times} if samples else {"times": torch.empty(0)}
    clips = []
    for row, (sample, split) in enumerate(zip(samples, splits, strict=True)):
        tensors[f"{row}.latents"] = sample.latents.to(dtype)
        tensors[f"{row}.layers"] = sample.layers.to(dtype)
        tensors[f"{row}.sound"] = sample.sound
        clips.append({"id": sample.id, "number": sample.number, "split": split, "caption": sample.caption})
    content = {
        "facts": dict(facts),
        "clips": clips,
        "unusable": [row._asdict() for row in unusable],
        "missing": list(missing),
    }
    write_safetensors(path, tensors, {KEY: json.dumps(content)})


def read_contents(folder: Path) -> tuple[Contents, set[tuple[str, int]]]:
    """Index of the shards of a folder, and the clips that are done. DataError if damaged."""
    entries, unusable, facts = [], [], {}
    done: set[tuple[str, int]] = set()
    for path in sorted(folder.glob(PATTERN)):
        content = header(path, KEY)
        facts = content["facts"]
        unusable += [Unusable(**row) for row in content["unusable"]]
        done |= {(name, number) for name, number in content["missing"]}
        for row, clip in enumerate(content["clips"]):
            entries.append(Entry(path=path, row=row, **clip))
            done.add((clip["id"], clip["number"]))
    entries.sort(key=lambda entry: (entry.id, entry.number))
    return Contents(entries, unusable, facts), done


def read_sample(entry: Entry) -> Sample:
    """One clip. DataError for a damaged shard."""
    with opened(entry.path) as file:
        return Sample(
            id=entry.id,
            number=entry.number,
            latents=file.get_tensor(f"{entry.row}.latents").float(),
            layers=file.get_tensor(f"{entry.row}.layers").float(),
            times=file.get_tensor("times"),
            caption=entry.caption,
            sound=file.get_tensor(f"{entry.row}.sound"),
        )
