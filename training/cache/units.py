"""The units of precompute: fixed groups of the clips of the plan, each one shard, the same whoever makes it.

A shard is named by what it belongs to, a hash of all clips of the plan and the size of its groups, and by its
place there. So workers that know nothing of each other make the same shards, and a folder into which theirs
are copied is a whole cache.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ..data import Item

Request = tuple[Item, int]  # a file of the data set and the number of a clip of it
Key = tuple[str, int]  # its id and that number
OLD = ""
"""The plan of shards that were numbered by the processes that wrote them, before there were units."""


class Unit(NamedTuple):
    """A group of clips and the name of its shard, without ending."""

    name: str
    requests: Sequence[Request]

    def path(self, folder: Path) -> Path:
        """The shard in a cache folder."""
        return folder / f"{self.name}.safetensors"


def units_of(plan: Sequence[Request], done: Mapping[str, Collection[Key]], size: int) -> list[Unit]:
    """The units of `size` clips that the clips of a plan make, those aside that shards of other plans have.

    done  name of a plan -> clips of its shards, as `plan_of` gives it

    A plan that has been begun goes on: its units are those that it had then, the finished ones too. When
    files have been added since, what is missing is a plan of its own.
    """
    for own in (*sorted(done.keys() - {OLD}), None):
        others = set().union(*(clips for name, clips in done.items() if name != own))
        rest = [request for request in plan if (request[0].id, request[1]) not in others] if others else plan
        name = _plan_name(rest, size)
        if own in (None, name):
            return [
                Unit(f"shard-{name}-{number:06d}", rest[start : start + size])
                for number, start in enumerate(range(0, len(rest), size))
            ]
    raise AssertionError


def plan_of(path: Path) -> str:
    """The plan that a shard belongs to, by its name."""
    words = path.stem.split("-")
    return words[1] if len(words) == 3 else OLD


def _plan_name(requests: Iterable[Request], size: int) -> str:
    digest = hashlib.sha256(str(size).encode())
    for item, number in requests:
        digest.update(f"\0{item.id}\0{number}".encode(errors="surrogatepass"))
    return digest.hexdigest()[:12]
