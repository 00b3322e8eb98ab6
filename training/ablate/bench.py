"""Trains and scores adapters on one frozen model; trainings are kept in a work folder and not repeated."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar

from a2v_core.checkpoints import read_checkpoint, write_safetensors

from .adapter import count_parameters
from .caches import ClipStore
from .measure import ceiling
from .records import Record
from .settings import Setup, Test, Variant, run_key, training_key
from .train import Module, Trained

V = TypeVar("V", bound=Variant)
T = TypeVar("T", bound=Test)


class Bench(ABC, Generic[Module, V, T]):
    """Runs of one set-up."""

    def __init__(self, setup: Setup, work: Path, store: ClipStore) -> None:
        self.models, self.setup, self.work = store.models, setup, work
        self.training_clips = cache(store.training)
        self.test_clips = cache(store.held_out)
        self.ceiling = cache(lambda world, count: ceiling(self.test_clips(world, count)))

    @abstractmethod
    def new_adapter(self, variant: V, input_size: int, seed: int) -> Module:
        """An untrained adapter for features of a width."""

    @abstractmethod
    def train(self, variant: V, seed: int) -> Trained[Module]:
        """A training."""

    @abstractmethod
    def scores(self, variant: V, test: T, adapter: Module | None, seed: int) -> dict[str, Any]:
        """The numbers of a run."""

    def clip_count(self, test: T) -> int:
        """How many sounds a test takes."""
        return self.setup.recipe.clips

    def record(self, variant: V, test: T, seed: int) -> Record:
        """A run: an adapter, trained unless it is kept, and its scores."""
        adapter, facts = self._trained(variant, seed)
        numbers = self.scores(variant, test, adapter, seed)
        numbers |= {"ceiling": self.ceiling(test.world, self.clip_count(test))} | facts
        return {
            "key": run_key(self.setup, variant, test, seed),
            "seed": seed,
            "variant": asdict(variant),
            "test": asdict(test),
            "setup": asdict(self.setup),
            "numbers": numbers,
        }

    def _trained(self, variant: V, seed: int) -> tuple[Module | None, dict[str, Any]]:
        """The adapter of a variant, and facts of its training."""
        if variant.kind == "none":
            return None, {"parameters": 0, "seconds": 0.0}
        path = self.work / "adapters" / f"{training_key(self.setup, variant, seed)}.safetensors"
        if path.exists():
            stored = read_checkpoint(path)
            first = next(value for name, value in stored.tensors.items() if name.endswith("fc1.weight"))
            adapter = self.new_adapter(variant, first.shape[1], seed)
            adapter.load_state_dict(stored.tensors)
            adapter.to(self.models.backbone.device).eval()
            return adapter, json.loads(stored.metadata["facts"])
        trained = self.train(variant, seed)
        facts = {
            "parameters": count_parameters(trained.adapter),
            "seconds": round(trained.seconds, 1),
            "step_seconds": round(trained.step_seconds, 4),
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        write_safetensors(path, trained.adapter.state_dict(), {"format": "pt", "facts": json.dumps(facts)})
        return trained.adapter, facts
