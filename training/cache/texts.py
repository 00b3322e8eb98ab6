"""Texts in the cache, for models whose text is the same whatever the sound is: the text encoder, the largest
part of some models, need not be in memory while training.

Every distinct prompt is stored once, without the zeros that follow it, in shards of its own. Precompute adds
the prompts that are missing; those that are no longer used stay.

Legend: N prompts, L text positions of the model, l of them before the zeros, C text width.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as nnf
from torch import Tensor

from a2v_core.checkpoints import write_safetensors
from a2v_core.workers import checksum

from ..config import Config
from ..errors import DataError
from .folder import check_facts, fingerprint
from .shards import DTYPES
from .stored import header, opened

FOLDER, PATTERN, KEY = "texts", "texts-*.safetensors", "a2v_texts"
PER_SHARD, AT_ONCE = 256, 8


class _Place(NamedTuple):
    path: Path
    row: int


class Texts:
    """The prompts of a cache folder. DataError for a damaged one, and for one with other facts."""

    def __init__(self, config: Config) -> None:
        self.folder = config.cache_dir / FOLDER
        self._length = 0
        self._places: dict[str, _Place] = {}
        for path in sorted(self.folder.glob(PATTERN)):
            content = header(path, KEY)
            check_facts(self.folder, content["facts"], facts_of(config))
            self._length = content["length"]
            self._places |= {text: _Place(path, row) for row, text in enumerate(content["prompts"])}

    def missing(self, prompts: Iterable[str]) -> list[str]:
        """Those that are not there, each once, in order."""
        return [prompt for prompt in dict.fromkeys(prompts) if prompt not in self._places]

    def check(self, prompts: Iterable[str]) -> None:
        """DataError unless all are there."""
        if missing := self.missing(prompts):
            raise DataError(
                f"{self.folder}: has no states of the text {missing[0]!r}; run training.precompute again, "
                "which encodes new texts alone"
            )

    def states(self, prompts: Sequence[str]) -> Tensor:
        """Their states [N, L, C], float32. DataError for one that is not there."""
        self.check(prompts)
        return torch.stack([self._read(self._places[prompt]) for prompt in prompts])

    def _read(self, place: _Place) -> Tensor:
        with opened(place.path) as file:
            states: Tensor = file.get_tensor(str(place.row)).float()
        return nnf.pad(states, (0, 0, 0, self._length - len(states)))


def write_texts(
    config: Config,
    prompts: Sequence[str],
    encode: Callable[[Sequence[str]], Tensor],
) -> None:
    """Encode prompts to states [N, L, C] and write them as shards that are named by their texts: those of
    several machines can be copied into one folder."""
    folder = config.cache_dir / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for start in range(0, len(prompts), PER_SHARD):
        some = prompts[start : start + PER_SHARD]
        pieces = [encode(some[at : at + AT_ONCE]) for at in range(0, len(some), AT_ONCE)]
        states = torch.cat([piece.float().cpu() for piece in pieces]).to(DTYPES[config.cache.precision])
        if not bool(states.isfinite().all()):
            raise DataError(
                f"{folder}: the text encoder's states are not finite: numbers overflowed. Set "
                "run.precision to bf16 or fp32, and cache.precision to fp32 if that does not help"
            )
        tensors = {str(row): _without_zeros(text) for row, text in enumerate(states)}
        content = {"facts": facts_of(config), "prompts": list(some), "length": states.shape[1]}
        path = folder / f"texts-{checksum(list(some))[:16]}.safetensors"
        write_safetensors(path, tensors, {KEY: json.dumps(content)})


def facts_of(config: Config) -> dict[str, Any]:
    """All settings of the config that the states depend on, prompts apart."""
    model = config.models.t2v
    return {
        "run.precision": config.run.precision,
        "cache.precision": config.cache.precision,
        **{
            f"models.t2v/{part}": fingerprint(
                *sorted(path for path in (model / part).glob("*") if path.is_file())
            )
            for part in ("text_encoder", "tokenizer")
        },
    }


def _without_zeros(states: Tensor) -> Tensor:
    """States [L, C] up to the last row that is not zero, at least one."""
    used = states.ne(0).any(dim=1).nonzero()
    return states[: max(1, int(used[-1]) + 1 if len(used) else 1)].contiguous()
