"""Trains and scores the rows of the tables of base models; a base is loaded when a run needs it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from torch import Tensor

from ..bench import Bench
from ..caches import ClipStore, Models, checksum
from ..jobs import Job, jobs_of
from ..records import Record
from ..settings import Setup
from ..train import Trained
from ..worlds import world_checksum
from .measure import measure
from .models import BaseFiles, walls_of
from .settings import BaseName, BaseRecipe, BaseTest, BaseVariant
from .tables import BASE_TABLES, BaseRow
from .train import BaseAdapter, new_adapter, train

RECORDS = "bases.jsonl"
HOPS = (BaseVariant.hop_ms,)


class BaseBench(Bench[BaseAdapter, BaseVariant, BaseTest]):
    """Runs on one base."""

    def __init__(self, models: Models, recipe: BaseRecipe, setup: Setup, work: Path) -> None:
        folder = work / f"clips-{setup.models}-{setup.sounds}"
        super().__init__(setup, work, ClipStore(folder, models, recipe.num_frames, HOPS))
        self.recipe = recipe

    @cached_property
    def walls(self) -> dict[str, Tensor]:
        """See `walls_of`."""
        return walls_of(self.models.backbone, self.recipe.num_frames)

    def new_adapter(self, variant: BaseVariant, input_size: int, seed: int) -> BaseAdapter:
        """See `Bench.new_adapter`."""
        return new_adapter(self.models.backbone, self.recipe, variant, input_size, seed)

    def train(self, variant: BaseVariant, seed: int) -> Trained[BaseAdapter]:
        """See `Bench.train`."""
        clips = self.training_clips(variant.world, self.recipe.pool)
        return train(self.models, clips, self.walls, self.recipe, variant, seed)

    def scores(
        self, variant: BaseVariant, test: BaseTest, adapter: BaseAdapter | None, seed: int
    ) -> dict[str, Any]:
        """See `Bench.scores`; there is always an adapter."""
        assert adapter is not None
        clips = self.test_clips(test.world, self.clip_count(test))
        return measure(self.models, clips, self.recipe, variant, test, adapter, seed)

    def clip_count(self, test: BaseTest) -> int:
        """See `Bench.clip_count`."""
        return self.recipe.clips * test.times


class Bases:
    """Runs on all base models in a work folder; finished ones are not repeated."""

    def __init__(self, files: BaseFiles, recipe: BaseRecipe, work: Path) -> None:
        self.files, self.recipe, self.work = files, recipe, work
        self.setup = cache(self._setup)
        self.bench = cache(self._bench)

    def jobs(self, tables: Sequence[str], seeds: int) -> Iterator[Job]:
        """The runs of some tables. ConfigError when files of a base in them were not given."""

        def record(row: BaseRow, seed: int) -> Record:
            return self.bench(row.variant.base).record(row.variant, row.test, seed)

        chosen = [BASE_TABLES[name] for name in tables]
        return jobs_of(chosen, seeds, lambda row: self.setup(row.variant.base), record, self.work / RECORDS)

    def _setup(self, base: BaseName) -> Setup:
        return Setup(self.recipe, checksum(self.files.of(base)), world_checksum(self.recipe.num_frames))

    def _bench(self, base: BaseName) -> BaseBench:
        return BaseBench(self.files.load(base), self.recipe, self.setup(base), self.work)
