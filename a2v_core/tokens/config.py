"""Configuration of an AudioMapper; stored as JSON in the metadata of its weights."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any, get_args

from ..errors import A2VError
from .types import Layout, words_of

PUBLISHED_BASE_MODEL = "cerspense/zeroscope_v2_576w"


@dataclass(frozen=True, kw_only=True)
class MapperConfig:
    """The defaults are the published mapper (`TempEmbedder` of TempoTokens).

    input_size   width of one audio token: layers used x width of a BEATs layer
    hidden_size  width inside the MLP
    output_size  D, width of the text encoder's token embeddings
    layout       how audio steps become frames: "reference" (as published, chunks of 24 frames) or
                 "time_aligned"
    windows      reach of each context window in frames
    depth        number of linear layers
    words        pseudo-words it gives; empty = temp, local1 .. localK, class
    layers       BEATs layers used, counted from 0; empty = all of them
    base_model   the text-to-video model it was trained for
    no_sound     holds a learned token that stands for "no sound"; the published mapper has none
    facts        free notes: data set, conditioning dropout, training steps
    """

    input_size: int = 9216
    hidden_size: int = 2304
    output_size: int = 1024
    layout: Layout = "reference"
    windows: tuple[int, ...] = (1, 2, 4, 8)
    depth: int = 4
    words: tuple[str, ...] = ()
    layers: tuple[int, ...] = ()
    base_model: str = ""
    no_sound: bool = False
    facts: dict[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not self.words:
            object.__setattr__(self, "words", words_of(len(self.windows)))
        known = words_of(len(self.windows))
        checks = {
            "input_size, hidden_size and output_size are positive": self._all_positive(
                self.input_size, self.hidden_size, self.output_size
            ),
            f"layout is one of {', '.join(get_args(Layout))}": self.layout in get_args(Layout),
            "windows are positive frame counts": self._all_positive(*self.windows),
            "depth is at least 2": self._all_positive(self.depth) and self.depth >= 2,
            f"words are among {', '.join(known)}": set(self.words) <= set(known),
            "no_sound is true or false": isinstance(self.no_sound, bool),
            "layers are counted from 0": all(self._all_positive(n) or n == 0 for n in self.layers),
        }
        if broken := [rule for rule, holds in checks.items() if not holds]:
            raise A2VError(f"AudioMapper config: expected that {'; that '.join(broken)}; got {asdict(self)}")

    @staticmethod
    def _all_positive(*sizes: object) -> bool:
        return all(isinstance(size, int) and size > 0 for size in sizes)

    @property
    def widths(self) -> tuple[int, ...]:
        """Sizes between the linear layers, both ends included: the last two layers have the output width."""
        return (self.input_size, *[self.hidden_size] * (self.depth - 2), self.output_size, self.output_size)

    def to_json(self) -> str:
        """The config as JSON text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> MapperConfig:
        """Read `to_json` text. Raises A2VError for broken JSON and for values that make no mapper."""
        try:
            values: Any = json.loads(text)
        except json.JSONDecodeError as error:
            raise A2VError(
                f"AudioMapper config: broken JSON ({error}); expected what save_mapper writes"
            ) from error
        if not isinstance(values, dict):
            raise A2VError(f"AudioMapper config: expected a JSON object, got {type(values).__name__}")
        if unknown := sorted(values.keys() - {entry.name for entry in fields(cls)}):
            raise A2VError(f"AudioMapper config: unknown {', '.join(unknown)}; update this pack")
        try:
            lists = {name: tuple(values[name]) for name in ("windows", "words", "layers") if name in values}
            return cls(**(values | lists))
        except TypeError as error:
            raise A2VError(f"AudioMapper config: a value has the wrong type ({error})") from error
