"""Trains and scores the rows of the tables, seed by seed, and appends a record for every finished run."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import torch

from a2v_core.checkpoints import read_checkpoint, write_safetensors

from .adapter import Adapter, count_parameters, make_adapter
from .caches import Clips, Models, held_out_clips, training_clips
from .measure import ceiling, measure
from .records import Record, append_record, read_records
from .settings import Setup, Test, Variant, run_key, training_key
from .tables import TABLES
from .train import train

RECORDS = "runs.jsonl"
_log = logging.getLogger(__name__)


class Ablation:
    """Trainings and results in a work folder; finished ones are not repeated."""

    def __init__(self, models: Models, setup: Setup, work: Path) -> None:
        self.models, self.setup, self.work = models, setup, work
        caches = work / f"clips-{setup.models}-{setup.sounds}"
        recipe = setup.recipe
        self.training_clips_of = cache(lambda world: training_clips(caches, models, world, recipe.pool))
        self.test_clips_of = cache(lambda world: held_out_clips(caches, models, world, recipe.clips))
        self.ceiling = cache(lambda world: ceiling(self.test_clips_of(world)))

    @property
    def records(self) -> Path:
        """The file of finished runs."""
        return self.work / RECORDS

    def run(self, tables: Sequence[str], seeds: int, minutes: float = 0.0) -> bool:
        """Do the runs that are missing. With `minutes`, stops before a run that would exceed them.

        Returns whether everything is finished.
        """
        began, longest = time.monotonic(), 0.0
        done = {record["key"] for record in read_records(self.records)}
        for variant, test, seed in missing_runs(self.setup, tables, seeds, done):
            start = time.monotonic()
            if minutes and start - began + longest > 60 * minutes:
                return False
            record = self.result(variant, test, seed)
            append_record(self.records, record)
            longest = max(longest, time.monotonic() - start)
            _log.info("%s seed %d: %s", _run_label(variant, test), seed, _result_label(record["numbers"]))
        return True

    def result(self, variant: Variant, test: Test, seed: int) -> Record:
        """The record of one run: an adapter, trained unless it is cached, and its scores."""
        adapter, facts = self._trained(variant, seed)
        clips: Clips = self.test_clips_of(test.world)
        numbers = measure(self.models, clips, self.setup.recipe, variant, test, adapter, seed)
        return {
            "key": run_key(self.setup, variant, test, seed),
            "seed": seed,
            "variant": asdict(variant),
            "test": asdict(test),
            "setup": asdict(self.setup),
            "numbers": numbers | {"ceiling": self.ceiling(test.world)} | facts,
        }

    def _trained(self, variant: Variant, seed: int) -> tuple[Adapter | None, dict[str, Any]]:
        if variant.kind == "none":
            return None, {"parameters": 0, "seconds": 0.0}
        path = self.work / "adapters" / f"{training_key(self.setup, variant, seed)}.safetensors"
        width = self.models.backbone.spec.word_width
        if path.exists():
            stored = read_checkpoint(path)
            adapter = make_adapter(variant, stored.tensors["fc1.weight"].shape[1], width, seed)
            adapter.load_state_dict(stored.tensors)
            adapter.to(self.models.backbone.device).eval()
            return adapter, json.loads(stored.metadata["facts"])
        trained = train(self.models, self.training_clips_of(variant.world), self.setup.recipe, variant, seed)
        facts = {"parameters": count_parameters(trained.adapter), "seconds": round(trained.seconds, 1)}
        path.parent.mkdir(parents=True, exist_ok=True)
        write_safetensors(path, trained.adapter.state_dict(), {"format": "pt", "facts": json.dumps(facts)})
        return trained.adapter, facts


def missing_runs(
    setup: Setup, tables: Sequence[str], seeds: int, done: set[str]
) -> Iterator[tuple[Variant, Test, int]]:
    """Runs that are not done: all rows with the first seed, then all with the next. A row in several tables
    is one run.
    """
    scheduled = set(done)
    for seed in range(seeds):
        for name in tables:
            for row in TABLES[name].rows:
                key = run_key(setup, row.variant, row.test, seed)
                if key not in scheduled:
                    scheduled.add(key)
                    yield row.variant, row.test, seed


def _run_label(variant: Variant, test: Test) -> str:
    defaults = asdict(Variant())
    changed = {name: value for name, value in asdict(variant).items() if value != defaults[name]}
    settings = ", ".join(f"{name} {value}" for name, value in changed.items()) or "as the demo"
    return f"{settings}; {test.prompt} in {test.world}"


def _result_label(numbers: dict[str, Any]) -> str:
    known = [value for value in numbers["av_align"] if value is not None]
    mean = sum(known) / len(known) if known else float("nan")
    return (
        f"AV-Align {mean:.3f}, recall {numbers['event_recall']:.2f}, {numbers['seconds']:.0f} s of training"
    )


def one_thread_on_cpu() -> None:
    """Use one thread on the CPU: small models are no faster with more, and parallel runs get slower."""
    if not torch.cuda.is_available():
        torch.set_num_threads(1)
