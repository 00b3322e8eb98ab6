"""State of a cache folder: whether it is complete, and whether it matches the config."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from a2v_core.files import atomic_path

from ..config import Config
from ..errors import DataError
from .shards import Contents, read_contents

STATE = "cache.json"


def facts_of(config: Config) -> dict[str, Any]:
    """All settings of the config that the cached values depend on."""
    data, cache = config.data, config.cache
    return {
        "data.ids": "with endings",
        "data.fps": data.fps,
        "data.num_frames": data.num_frames,
        "data.width": data.width,
        "data.height": data.height,
        "data.captions": data.captions,
        "data.min_av_align": data.min_av_align,
        "data.start": data.start,
        "data.start_seconds": data.start_seconds if data.start == "fixed" else 0.0,
        "seed": config.seed if data.start == "random" else 0,
        "audio.hop_ms": config.audio.hop_ms,
        "audio.chunk_seconds": config.audio.chunk_seconds,
        "cache.precision": cache.precision,
        "cache.average_frequency": config.averages_frequency,
        "cache.layers": cache.layers,
        "models.beats": fingerprint(config.models.beats),
        "models.t2v/vae": fingerprint(*sorted((config.models.t2v / "vae").glob("*"))),
    }


def fingerprint(*paths: Path) -> str:
    """Hash of size, start and end of files; empty when one does not exist."""
    digest = hashlib.sha256()
    for path in paths:
        if not path.is_file():
            return ""
        size = path.stat().st_size
        with path.open("rb") as file:
            digest.update(str(size).encode() + file.read(2**16))
            file.seek(max(0, size - 2**16))
            digest.update(file.read())
    return digest.hexdigest()[:16] if paths else ""


def check_facts(folder: Path, found: dict[str, Any], expected: dict[str, Any]) -> None:
    """DataError, with the differences, for a cache whose settings are not those of the config."""
    differing = [
        f"{key} {found.get(key)!r} (now {value!r})"
        for key, value in expected.items()
        # A missing model cannot be compared, and training from the cache does not need it.
        if found.get(key) != value and not (key.startswith("models.") and not value)
    ]
    if found and differing:
        raise DataError(
            f"{folder}: this cache was made with {', '.join(differing)}; "
            "set cache.dir to another folder, or delete this one, and run training.precompute"
        )


def write_state(folder: Path, complete: bool, clips: int, planned: int) -> None:
    """Write the progress of precompute."""
    with atomic_path(folder / STATE) as part:
        part.write_text(json.dumps({"complete": complete, "clips": clips, "planned": planned}))


def open_cache(config: Config) -> Contents | None:
    """The cache that a training with this config uses; None for no cache.

    DataError for a cache that is incomplete, made with other settings, or missing with cache.use always.
    """
    folder = config.cache_dir
    if config.cache.use == "never":
        return None
    state = folder / STATE
    if not state.is_file():
        if config.cache.use == "always":
            raise DataError(f"{folder}: holds no cache; run python -m training.precompute first")
        return None
    progress = json.loads(state.read_text())
    contents, _ = read_contents(folder)
    if not progress["complete"]:
        raise DataError(
            f"{folder}: this cache is not complete, {len(contents.entries)} of {progress['planned']} clips; "
            "run python -m training.precompute to the end, or set cache.use to never"
        )
    check_facts(folder, contents.facts, facts_of(config))
    return contents
