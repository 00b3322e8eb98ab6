"""What a run depends on, as one text: a finished run is used again as long as it stays the same.

The workflow without where its nodes lie, the inputs that are set, the seed, and the bytes of every file that
is named. Not in it: the server, its models and the version of its packs.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..server import is_file

_LAYOUT = ("pos", "size", "order", "color", "bgcolor")
_NAME_CHARACTERS = 255


def fingerprint_of(
    workflow: dict[str, Any],
    overrides: Sequence[str],
    seed: int | None,
    sound: Path | None,
    folders: Sequence[Path],
) -> str:
    """The fingerprint of a run; files that the workflow or an override names are looked for in `folders`.
    Raises OSError for a sound that cannot be read."""
    values = [assignment.partition("=")[2] for assignment in overrides]
    facts = {
        "workflow": _without_layout(workflow),
        "overrides": list(overrides),
        "seed": seed,
        "sound": None if sound is None else _digest(sound),
        "files": _digests([*_texts(workflow), *values], folders),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _without_layout(workflow: dict[str, Any]) -> dict[str, Any]:
    """A saved workflow without the places of its nodes; one in API format as it is."""
    if not isinstance(workflow.get("nodes"), list):
        return workflow
    nodes = [
        {name: value for name, value in node.items() if name not in _LAYOUT}
        for node in workflow["nodes"]
        if isinstance(node, dict)
    ]
    extra = {name: value for name, value in (workflow.get("extra") or {}).items() if name != "ds"}
    return {**workflow, "nodes": nodes, "extra": extra}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def _digests(names: Sequence[str], folders: Sequence[Path]) -> dict[str, str]:
    """Name -> digest, of the names that are files."""
    found = {}
    for name in set(names):
        if name and len(name) <= _NAME_CHARACTERS and "\0" not in name and "\n" not in name:
            path = next((folder / name for folder in folders if is_file(folder / name)), None)
            if path is not None:
                found[name] = _digest(path)
    return found


def _digest(path: Path) -> str:
    stat = path.stat()
    return _digest_of(path, stat.st_size, stat.st_mtime_ns)


@functools.lru_cache(maxsize=4096)
def _digest_of(path: Path, size: int, changed: int) -> str:
    """Digest of the content; size and time keep the cache from outliving it."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
