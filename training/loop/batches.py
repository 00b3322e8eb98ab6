"""Batches of training clips, from the cache or decoded and encoded on the fly."""

from __future__ import annotations

import itertools
import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

import torch
from torch.utils.data import Dataset

from ..cache import Contents, Encoder, Entry, Sample, read_sample
from ..cache.decoding import batch_loader, decode_ahead, try_cut
from ..config import Config
from ..data import Clip, Item, Unusable, clips_per_file, list_items, summary, write_report
from ..errors import ConfigError, DataError
from .order import ClipOrder

_log = logging.getLogger(__name__)


class Batch(NamedTuple):
    """Clips and their positions in the order; fewer than requested when some could not be decoded."""

    positions: list[int]
    samples: list[Sample]


class Source(Protocol):
    """Source of training clips; `unusable` lists the skipped ones."""

    order: ClipOrder
    encoding_seconds: float
    unusable: list[Unusable]

    @property
    def feature_shape(self) -> tuple[int, int]:
        """Number and width of the BEATs layers of a clip."""

    def batches(self, positions: Iterable[list[int]]) -> Iterator[Batch]:
        """The clips of every list of positions, read ahead where there are workers."""

    def held_out(self, count: int) -> list[Sample]:
        """The first clips of the test split."""


class CachedSource(Dataset[Sample]):
    """Clips from the cache; the index is the position in the order."""

    def __init__(self, config: Config, contents: Contents) -> None:
        self.config = config
        self.encoding_seconds = 0.0
        self.unusable: list[Unusable] = []  # precompute has reported them
        most = clips_per_file(config.data)
        numbers: dict[str, list[int]] = defaultdict(list)
        self._entries: dict[tuple[str, int], Entry] = {}
        self._test: list[Entry] = []
        for entry in contents.entries:
            if entry.split == "test":
                self._test.append(entry)
            elif not most or entry.number < most:
                numbers[entry.id].append(entry.number)
                self._entries[entry.id, entry.number] = entry
        if not numbers:
            raise DataError(f"{config.cache_dir}: the cache holds no clip to train on")
        self.order = ClipOrder(config.seed, list(numbers.items()))

    def __getitem__(self, position: int) -> Sample:
        return read_sample(self._entries[self.order.at(position)])

    @property
    def feature_shape(self) -> tuple[int, int]:
        layers = self[0].layers
        return layers.shape[0], layers.shape[-1]

    @property
    def captions(self) -> set[str]:
        """Those of all clips, held out ones too."""
        return {entry.caption for entry in (*self._entries.values(), *self._test)}

    def batches(self, positions: Iterable[list[int]]) -> Iterator[Batch]:
        order, ahead = _tee(positions)
        loader = batch_loader(self, ahead, self.config.run.workers)
        for batch, samples in zip(order, loader, strict=False):
            yield Batch(batch, samples)

    def held_out(self, count: int) -> list[Sample]:
        return [read_sample(entry) for entry in self._test[:count]]


class DirectSource:
    """Clips decoded and encoded on the fly, as the published trainer does."""

    def __init__(self, config: Config, device: torch.device, report: bool = True) -> None:
        if config.data.min_av_align:
            raise ConfigError(
                "data.min_av_align is measured by training.precompute; run that, or set it to 0"
            )
        self.config = config
        self._reports = report
        self.encoder = Encoder(config, device)
        self.encoding_seconds = 0.0
        items, self.unusable = list_items(config.data)
        self._items = {item.id: item for item in items if item.split == "train"}
        self._test = [item for item in items if item.split == "test"]
        if not self._items:
            raise DataError(f"{config.data.root}: no clip to train on; see data.test_share")
        numbers = list(range(clips_per_file(config.data)))
        self.order = ClipOrder(config.seed, [(name, numbers) for name in self._items])
        self._report()
        if report and self.unusable:
            _log.warning("left out: %s; see %s", summary(self.unusable), self._report_path)

    @property
    def feature_shape(self) -> tuple[int, int]:
        beats = self.encoder.beats.config
        return len(self.config.cache.layers) or beats.encoder_layers, beats.encoder_embed_dim

    def batches(self, positions: Iterable[list[int]]) -> Iterator[Batch]:
        order, ahead = _tee(positions)
        requests = ([self._request(position) for position in batch] for batch in ahead)
        for batch, decoded in zip(order, decode_ahead(self.config, requests), strict=False):
            kept: list[int] = []
            samples: list[Sample] = []
            began = time.perf_counter()
            for position, (item, number, clip) in zip(batch, decoded, strict=True):
                encoded = self._encoded(item, number, clip)
                if encoded is not None:
                    kept.append(position)
                    samples.append(encoded)
            self.encoding_seconds += time.perf_counter() - began
            yield Batch(kept, samples)

    def held_out(self, count: int) -> list[Sample]:
        samples: list[Sample] = []
        for item in self._test:
            if len(samples) == count:
                break
            _, number, clip = try_cut(self.config, item, 0)
            encoded = self._encoded(item, number, clip)
            samples += [] if encoded is None else [encoded]
        return samples

    def _encoded(self, item: Item, number: int, clip: Clip | Unusable) -> Sample | None:
        """Latents and features of a clip; None when it cannot be used, which is reported."""
        encoded = clip if isinstance(clip, Unusable) else self.encoder.try_encode(item, number, clip)
        if isinstance(encoded, Unusable):
            self._add_unusable(encoded)
            return None
        return encoded

    def _request(self, position: int) -> tuple[Item, int]:
        name, number = self.order.at(position)
        return self._items[name], number

    def _add_unusable(self, row: Unusable) -> None:
        if row in self.unusable:
            return
        self.unusable.append(row)
        _log.warning("%s is left out: %s", row.id, row.reason)
        self._report()
        if len({row.id for row in self.unusable} & self._items.keys()) == len(self._items):
            raise DataError(
                f"{self.config.data.root}: no clip can be trained on ({summary(self.unusable)}); "
                f"see {self._report_path}"
            )

    def _report(self) -> None:
        if self._reports:
            write_report(self._report_path, self.unusable)

    @property
    def _report_path(self) -> Path:
        return self.config.output_dir / "unusable.csv"


def _tee(positions: Iterable[list[int]]) -> tuple[Iterator[list[int]], Iterator[list[int]]]:
    """Two iterators over the same batches: one for the loader, which reads ahead, one for what it returns."""
    a, b = itertools.tee(positions)
    return a, b
