"""Clips cut in worker processes, so that decoding runs beside encoding and training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch.utils.data import DataLoader, Dataset

from ..config import Config
from ..data import Clip, Item, Unusable, cut, unusable

# A file of the data set, which of its clips, and the clip or why there is none.
Decoded = tuple[Item, int, Clip | Unusable]
Request = tuple[Item, int]


class _Cutter(Dataset[Decoded]):
    """Cuts what it is asked for; the index is the request itself."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def __getitem__(self, request: Request) -> Decoded:
        return cut_or_say_why(self.config, *request)


def cut_or_say_why(config: Config, item: Item, number: int) -> Decoded:
    """Clip `number` of a file, or the row of the report that says why there is none."""
    try:
        return item, number, cut(item, number, config.data, config.seed)
    except Exception as error:  # of one file, which never ends a run over many
        return item, number, unusable(item, error)


def decode_ahead(config: Config, batches: Iterable[list[Request]]) -> Iterator[list[Decoded]]:
    """The clips of every batch, in order, cut by `run.workers` processes ahead of time."""
    loader = DataLoader(
        _Cutter(config),
        batch_sampler=batches,
        num_workers=config.run.workers,
        collate_fn=list,
        multiprocessing_context="spawn" if config.run.workers and torch.cuda.is_available() else None,
        # A generator of its own: the loader would otherwise draw from the global one.
        generator=torch.Generator().manual_seed(0),
    )
    yield from loader
