"""Precompute: decodes and encodes every clip of a data set once and writes shards; resumable."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import torch
from accelerate import PartialState
from accelerate.utils import gather_object
from tqdm import tqdm

from a2v_core.backbones import AudioAdapted, load_t2v, require, to_device
from a2v_core.metrics import av_align

from ..config import Config
from ..data import (
    DISAGREE,
    UNREACHABLE,
    Clip,
    Item,
    Unusable,
    clips_per_file,
    list_items,
    summary,
    write_report,
)
from ..errors import ConfigError, DataError
from ..prompts import text_of
from .decoding import Decoded, decode_ahead
from .encode import Encoder, Sample
from .folder import STATE, check_facts, facts_of, write_state
from .shards import PATTERN, Contents, read_contents, write_shard
from .texts import Texts, next_number, write_texts

REPORT = "unusable.csv"
DECODED_AT_ONCE = 4


class PrecomputeResult(NamedTuple):
    """clips in the cache, of which `new` were added now; unusable files and clips, and their report."""

    clips: int
    new: int
    unusable: list[Unusable]
    report: Path


def precompute(config: Config, progress: bool = True) -> PrecomputeResult:
    """Fill the cache of `config`. Under `accelerate launch` every process does a part.

    A clip that cannot be used is reported with the reason, not replaced. DataError when no clip is left, or
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
    todo = [(item, number) for item, number in plan if (item.id, number) not in done]
    first_shard = _next_number(folder)
    if state.is_main_process:
        write_state(folder, False, len(before.entries), len(plan))
    state.wait_for_everyone()
    own = todo[state.process_index :: state.num_processes]
    unreachable: list[Unusable] = []
    if own:
        shards = range(first_shard + state.process_index, 10**9, state.num_processes)
        unreachable = _encode(
            config, own, iter(shards), len(plan) - len(todo), progress and state.is_main_process, state.device
        )
    unreachable = gather_object(unreachable)
    state.wait_for_everyone()
    after, _ = read_contents(folder)
    if spec.audio == "frame_attention":
        _encode_texts(config, after, state)
    unusable = left_out + after.unusable + unreachable
    if state.is_main_process:
        write_report(folder / REPORT, unusable)
        if after.entries:
            write_state(folder, True, len(after.entries), len(plan))
    _check_not_empty(config, after, unusable)
    return PrecomputeResult(
        len(after.entries), len(after.entries) - len(before.entries), unusable, folder / REPORT
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
    todo: list[tuple[Item, int]],
    shards: Iterator[int],
    done: int,
    progress: bool,
    device: torch.device,
) -> list[Unusable]:
    """Write shards; the clips that no shard says to be done, because their store did not answer."""
    unreachable = []
    encoder = Encoder(config, device)
    size = config.cache.clips_per_shard
    # Small batches, because decoded frames are large; a shard is written when it is full.
    batches = [todo[start : start + DECODED_AT_ONCE] for start in range(0, len(todo), DECODED_AT_ONCE)]
    shard = _Shard()
    bar = tqdm(total=done + len(todo), initial=done, unit="clip", desc="precompute", disable=not progress)
    with bar:
        for decoded in decode_ahead(config, batches):
            for item, number, clip in _filter_by_av_align(config, decoded):
                encoded = clip if isinstance(clip, Unusable) else encoder.try_encode(item, number, clip)
                if isinstance(encoded, Unusable) and encoded.kind == UNREACHABLE:
                    unreachable.append(encoded)
                else:
                    shard.add(item, number, encoded)
                bar.update()
                if shard.size == size:
                    shard.write(config, next(shards))
                    shard = _Shard()
    if shard.size:
        shard.write(config, next(shards))
    return unreachable


def _encode_texts(config: Config, contents: Contents, state: PartialState) -> None:
    """Add the texts of all clips, and of no text, which guidance leads away from."""
    prompts = ["", *(text_of(config, entry.caption) for entry in contents.entries)]
    missing = Texts(config).missing(prompts)
    first = next_number(config.cache_dir)
    state.wait_for_everyone()
    own = missing[state.process_index :: state.num_processes]
    if own:
        backbone = load_t2v(config.models.t2v, config.run.precision, parts=["text"])
        to_device(backbone, state.device)
        adapted = require(backbone, AudioAdapted, "texts in the cache")
        numbers = itertools.count(first + state.process_index, state.num_processes)
        write_texts(config, own, adapted.encode_captions, numbers)
    state.wait_for_everyone()


class _Shard:
    """A shard that is being filled."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self.splits: list[str] = []
        self.unusable: list[Unusable] = []
        self.missing: list[tuple[str, int]] = []

    @property
    def size(self) -> int:
        return len(self.samples) + len(self.missing)

    def add(self, item: Item, number: int, encoded: Sample | Unusable) -> None:
        if isinstance(encoded, Unusable):
            self.unusable.append(encoded)
            self.missing.append((item.id, number))
        else:
            self.samples.append(encoded)
            self.splits.append(item.split)

    def write(self, config: Config, number: int) -> None:
        write_shard(
            config.cache_dir / f"shard-{number:06d}.safetensors",
            self.samples,
            self.splits,
            self.unusable,
            self.missing,
            facts_of(config),
            config.cache.precision,
        )


def _filter_by_av_align(config: Config, decoded: list[Decoded]) -> Iterator[Decoded]:
    """The clips, those below `data.min_av_align` replaced by `Unusable`."""
    minimum = config.data.min_av_align
    for item, number, clip in decoded:
        if minimum and isinstance(clip, Clip):
            score = av_align(clip.frames.float() / 255, config.data.fps, clip.sound).score
            if score is None or score < minimum:
                reason = f"AV-Align is {score}, below data.min_av_align {minimum:g}"
                yield item, number, Unusable(item.id, str(item.video), DISAGREE, reason)
                continue
        yield item, number, clip


def _next_number(folder: Path) -> int:
    numbers = [int(path.stem.removeprefix("shard-")) for path in folder.glob(PATTERN)]
    return max(numbers, default=-1) + 1


def _check_not_empty(config: Config, contents: Contents, unusable: list[Unusable]) -> None:
    if not any(entry.split == "train" for entry in contents.entries):
        why = summary(unusable) or "none in the train split"
        raise DataError(
            f"{config.data.root}: no clip can be trained on ({why}); see {config.cache_dir / REPORT}"
        )
