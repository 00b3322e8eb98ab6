"""Settings of an ablation: a recipe that all runs share, and the variant of each.

Everything that changes a result is in these values (and in the models and the world): their hash is the key
of a finished run.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Literal

from a2v_core.tokens import Layout, words_of

Kind = Literal["mapper", "linear", "none"]
Prompt = Literal["audio", "text", "text_audio"]


@dataclass(frozen=True)
class Recipe:
    """Hyperparameters of all rows.

    steps           optimizer steps on the published loss
    start_steps     steps of the warm start before, which fits the tokens to words (`train.fit_to_words`)
    pool            sounds and videos to train on
    clips           held-out sounds that a row is scored on
    sampling_steps, guidance_scale  of the scored videos (DPM-Solver++ 2M)
    batch, frames   clips in a step, and frames of each: a random crop; the sound is encoded whole
    learning_rate   peak; a cosine after a short warm-up
    lowest_timestep of the noise schedule: motion is decided above
    """

    steps: int = 200
    start_steps: int = 400
    pool: int = 400
    clips: int = 32
    sampling_steps: int = 6
    guidance_scale: float = 2.0
    batch: int = 4
    frames: int = 12
    learning_rate: float = 5e-4
    start_learning_rate: float = 1e-3
    lowest_timestep: int = 300


@dataclass(frozen=True)
class Variant:
    """An adapter and how it is trained. The defaults are the bundled demo's.

    kind           mapper (AudioMapper), linear (one matrix, no windows), or none: text alone
    windows        reach of the context windows; K of them are the paper's K + 1 resolutions
    single_vector  one token for the whole clip: the paper's "vec."
    start          the adapter begins with tokens fitted to words, or with random weights
    share          of the recipe's steps; 0: the warm start alone
    l1_weight      of mean |temp tokens| in the loss; the published 0.01 outweighs the rest in an easy world
    world          what it is trained on, see `worlds.WORLDS`
    """

    kind: Kind = "mapper"
    layout: Layout = "time_aligned"
    hop_ms: int = 80
    hidden_size: int = 256
    depth: int = 4
    windows: tuple[int, ...] = (1, 2, 4, 8)
    single_vector: bool = False
    start: Literal["words", "random"] = "words"
    share: float = 1.0
    l1_weight: float = 1e-5
    world: str = "all"

    @property
    def words(self) -> tuple[str, ...]:
        """The audio words it gives."""
        if self.kind == "none":
            return ()
        if self.kind == "linear":
            return ("temp",)
        return ("class",) if self.single_vector else words_of(len(self.windows))


@dataclass(frozen=True)
class Test:
    """Evaluation of a trained adapter: a kind of prompt, and a world whose held-out sounds are used."""

    __test__ = False  # not a test class of pytest

    prompt: Prompt = "audio"
    world: str = "all"


@dataclass(frozen=True)
class Setup:
    """Recipe and frozen inputs of all runs of a call.

    models  checksum of BEATs and of the text-to-video model
    sounds  checksum of some sounds and pictures of the world
    """

    recipe: Recipe
    models: str
    sounds: str


def training_key(setup: Setup, variant: Variant, seed: int) -> str:
    """Key of a training: hash of everything that its weights depend on."""
    recipe = asdict(setup.recipe)
    for name in ("clips", "sampling_steps", "guidance_scale"):
        del recipe[name]
    return _digest([recipe, setup.models, setup.sounds, asdict(variant), seed])


def run_key(setup: Setup, variant: Variant, test: Test, seed: int) -> str:
    """Key of a run: hash of a training and of its evaluation."""
    return _digest([asdict(setup), asdict(variant), asdict(test), seed])


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
