"""Trains and scores the rows of the tables on one text-to-video model, seed by seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from .adapter import Adapter, make_adapter
from .bench import Bench
from .caches import ClipStore, Models
from .jobs import Job, jobs_of
from .measure import measure
from .records import Record
from .settings import Setup, Test, Variant
from .tables import TABLES, Row
from .train import Trained, train

RECORDS = "runs.jsonl"


class Ablation(Bench[Adapter, Variant, Test]):
    """The paper's tables and our own on a model with words in its prompts."""

    def __init__(self, models: Models, setup: Setup, work: Path) -> None:
        super().__init__(setup, work, ClipStore(work / f"clips-{setup.models}-{setup.sounds}", models))

    def new_adapter(self, variant: Variant, input_size: int, seed: int) -> Adapter:
        """See `Bench.new_adapter`."""
        return make_adapter(variant, input_size, self.models.backbone.spec.word_width, seed)

    def train(self, variant: Variant, seed: int) -> Trained[Adapter]:
        """See `Bench.train`."""
        recipe = self.setup.recipe
        return train(self.models, self.training_clips(variant.world, recipe.pool), recipe, variant, seed)

    def scores(self, variant: Variant, test: Test, adapter: Adapter | None, seed: int) -> dict[str, Any]:
        """See `Bench.scores`."""
        clips = self.test_clips(test.world, self.clip_count(test))
        return measure(self.models, clips, self.setup.recipe, variant, test, adapter, seed)

    def jobs(self, tables: Sequence[str], seeds: int) -> Iterator[Job]:
        """The runs of some tables."""

        def record(row: Row, seed: int) -> Record:
            return self.record(row.variant, row.test, seed)

        return jobs_of(
            [TABLES[name] for name in tables], seeds, lambda row: self.setup, record, self.work / RECORDS
        )


def one_thread_on_cpu() -> None:
    """Use one thread on the CPU: small models are no faster with more, and parallel runs get slower."""
    if not torch.cuda.is_available():
        torch.set_num_threads(1)
