"""Decodes clips in worker processes, ahead of encoding and training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import torch
from torch.utils.data import DataLoader, Dataset

from ..config import Config
from ..data import Clip, Item, Unusable, cut, unusable

# A file of the data set, the number of a clip of it, and the clip or the reason why there is none.
Decoded = tuple[Item, int, Clip | Unusable]
Request = tuple[Item, int]
T = TypeVar("T")


class _ClipDataset(Dataset[Decoded]):
    """Clips as a map-style data set whose index is the request."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def __getitem__(self, request: Request) -> Decoded:
        return try_cut(self.config, *request)


def try_cut(config: Config, item: Item, number: int) -> Decoded:
    """Clip `number` of a file, or `Unusable` with the reason."""
    try:
        return item, number, cut(item, number, config.data, config.seed)
    except Exception as error:  # one bad file never ends a run over many
        return item, number, unusable(item, error)


def decode_ahead(config: Config, batches: Iterable[list[Request]]) -> Iterator[list[Decoded]]:
    """The clips of every batch, in order, cut by `run.workers` processes ahead of time."""
    yield from batch_loader(_ClipDataset(config), batches, config.run.workers)


def batch_loader(dataset: Dataset[T], batches: Iterable[list[Any]], workers: int) -> DataLoader[T]:
    """A DataLoader of lists of samples, read ahead by `workers` processes."""
    return DataLoader(
        dataset,
        batch_sampler=batches,
        num_workers=workers,
        collate_fn=list,
        multiprocessing_context="spawn" if workers and torch.cuda.is_available() else None,
        # A generator of its own: the loader would otherwise draw from the global one.
        generator=torch.Generator().manual_seed(0),
    )
