"""Precompute: decodes and encodes every clip of a data set once, with any number of workers; resumable."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from accelerate import PartialState
from tqdm import tqdm

from a2v_core.backbones import AudioAdapted, load_t2v, require, to_device
from a2v_core.workers import HERE, Leases, Placement, Worklist

from ..config import Config
from ..data import Item, Unusable, clips_per_file, list_items, summary, write_report
from ..errors import ConfigError, DataError
from ..prompts import text_of
from .folder import STATE, check_facts, facts_of, write_state
from .local_engine import encode_here
from .ray_engine import encode_on_ray
from .shards import Contents, read_contents, waits_for_store
from .texts import Texts, write_texts
from .units import Unit, units_of

REPORT = "unusable.csv"
LEASES = "leases"


class PrecomputeResult(NamedTuple):
    """clips in the cache, of which `new` were added meanwhile; unusable files and clips, and their report;
    whether the cache has all clips of the config, or other shares of it are missing."""

    clips: int
    new: int
    unusable: list[Unusable]
    report: Path
    complete: bool


def precompute(config: Config, progress: bool = True, placement: Placement = HERE) -> PrecomputeResult:
    """Fill the cache of `config`, together with whoever else does at the same time: the processes of
    `accelerate launch`, or the same call on other machines with the same disk. Returns when all of it is
    done, whoever did it, or all of the share of `placement`.

    A clip that cannot be used is reported with the reason, not replaced; one whose store did not answer is
    tried again by the next call. DataError when no clip is left, or
    when the folder holds the cache of another config; CheckpointError when the disk is full: what was written
    stays, and the next call resumes from it; A2VError when the model has no clips of the config's length or
    size, with the nearest.
    """
    spec = load_t2v(config.models.t2v, parts=[]).spec
    # Before any work: no clip could be encoded.
    spec.grid(config.data.num_frames, config.data.width, config.data.height)
    state = PartialState(cpu=config.run.device == "cpu")
    folder, facts = config.cache_dir, facts_of(config)
    items, left_out = list_items(config.data)
    plan = [(item, number) for item in items for number in range(_clips_per_item(config, item))]
    folder.mkdir(parents=True, exist_ok=True)
    before, done = read_contents(folder)
    check_facts(folder, before.facts, facts)
    units = units_of(plan, done, config.cache.clips_per_shard)
    if state.is_main_process and not all(unit.path(folder).exists() for unit in units):
        write_state(folder, False, len(before.entries), len(plan))
    state.wait_for_everyone()
    with Leases(folder / LEASES) as leases:
        own = [unit for unit in units if placement.share.has(unit.name)]
        again = before.waiting
        _encode(config, own, again, placement, leases, state, len(plan), progress and state.is_main_process)
        state.wait_for_everyone()
        after, _ = read_contents(folder)
        if spec.audio == "frame_attention":
            _encode_texts(config, after, leases, state)
    unusable = left_out + after.unusable
    complete = all(unit.path(folder).exists() for unit in units)
    if state.is_main_process:
        write_report(folder / REPORT, unusable)
        if after.entries:
            write_state(folder, complete, len(after.entries), len(plan))
    if complete:
        _check_not_empty(config, after, unusable)
    return PrecomputeResult(
        len(after.entries), len(after.entries) - len(before.entries), unusable, folder / REPORT, complete
    )


def _clips_per_item(config: Config, item: Item) -> int:
    count = clips_per_file(config.data)
    if not count:
        raise ConfigError(
            f"{STATE}: data.clips_per_video 0 has no end; set how many clips of a file to precompute"
        )
    return count if item.split == "train" else 1


def _encode(
    config: Config,
    units: Sequence[Unit],
    again: Collection[str],
    placement: Placement,
    leases: Leases,
    state: PartialState,
    planned: int,
    progress: bool,
) -> None:
    """Write the shards that are not there, and anew those in `again`, whose store had not answered."""

    def is_there(unit: Unit) -> bool:
        path = unit.path(config.cache_dir)
        return path.exists() and not (unit.name in again and waits_for_store(path))

    todo = [unit for unit in units if not is_there(unit)]
    own = sum(len(unit.requests) for unit in todo)
    total = planned if placement.share.count == 1 else sum(len(unit.requests) for unit in units)
    with tqdm(total=total, initial=total - own, unit="clip", desc="precompute", disable=not progress) as bar:

        def is_done(unit: Unit) -> bool:
            if not is_there(unit):
                return False
            bar.update(len(unit.requests))  # another worker's
            return True

        worklist = Worklist({unit.name: unit for unit in todo}, is_done, leases)
        if placement.cluster is None:
            encode_here(config, worklist, leases, state.device, bar.update)
        elif todo:
            encode_on_ray(config, placement.cluster, worklist, leases, bar.update)


def _encode_texts(config: Config, contents: Contents, leases: Leases, state: PartialState) -> None:
    """Add the texts of all clips, and of no text, which guidance leads away from. Processes of one launch
    share them; of several launches, one does them."""
    prompts = ["", *(text_of(config, entry.caption) for entry in contents.entries)]
    missing = Texts(config).missing(prompts)
    state.wait_for_everyone()
    own = missing[state.process_index :: state.num_processes]
    name = f"texts of {state.process_index}"
    worklist = Worklist({name: own}, lambda some: not Texts(config).missing(some), leases)
    while worklist.left:
        for some, lease in worklist.free():
            backbone = load_t2v(config.models.t2v, config.run.precision, parts=["text"])
            to_device(backbone, state.device)
            adapted = require(backbone, AudioAdapted, "texts in the cache")
            write_texts(config, Texts(config).missing(some), adapted.encode_captions)
            leases.release(lease)
        worklist.wait()
    state.wait_for_everyone()


def _check_not_empty(config: Config, contents: Contents, unusable: list[Unusable]) -> None:
    if not any(entry.split == "train" for entry in contents.entries):
        why = summary(unusable) or "none in the train split"
        raise DataError(
            f"{config.data.root}: no clip can be trained on ({why}); see {config.cache_dir / REPORT}"
        )
