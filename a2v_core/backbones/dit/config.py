"""Configuration of an audio adapter; stored as JSON in the metadata of its file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args

from ...errors import A2VError
from ...tokens import words_of
from ..contract import BackboneSpec, BlockStack

RouteName = Literal["frame_attention", "bias", "words"]
Placement = Literal["every_third", "all", "early"]


@dataclass(frozen=True, kw_only=True)
class AdapterConfig:
    """What an audio adapter is made for.

    family       of the base model, as in messages
    base_model   name of the base model that it was trained on
    width        C, width of the base model's tokens
    layers       how many blocks the base model has
    blocks       after which of them, counted from 0, audio comes in
    time         video frames of a latent frame
    first_alone  the first latent frame stands for one video frame
    token_width  D, width of an audio token: the mapper's output
    kinds        audio words that a frame has, in order
    inner        width inside the attention
    heads        of the attention
    route        how audio comes in: frame_attention; bias, one per latent frame and nothing else; or words,
                 tokens beside the text in the frozen cross-attention
    has_bias     frame attention has a bias per latent frame too
    text_width   width of the model's text, which words are brought to; 0 for the other routes
    facts        free notes: data set, dropout, training steps
    """

    family: str
    base_model: str
    width: int
    layers: int
    blocks: tuple[int, ...]
    time: int
    first_alone: bool
    token_width: int
    inner: int
    heads: int
    kinds: tuple[str, ...] = words_of(4)
    route: RouteName = "frame_attention"
    has_bias: bool = True
    text_width: int = 0
    facts: dict[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        sizes: tuple[Any, ...] = (
            self.width,
            self.layers,
            self.time,
            self.token_width,
            self.inner,
            self.heads,
        )
        checks = {
            "sizes are positive": all(isinstance(size, int) and size > 0 for size in sizes),
            "heads divide inner": self.inner % max(1, self.heads) == 0,
            f"blocks are some of 0 to {self.layers - 1}, ascending": self.blocks
            == tuple(sorted(set(self.blocks) & set(range(self.layers)))),
            "it has blocks": len(self.blocks) > 0,
            f"route is one of {', '.join(get_args(RouteName))}": self.route in get_args(RouteName),
            "route words, and no other, has a text_width": (self.route == "words") == (self.text_width > 0),
            "it has a kind of word": bool(self.kinds),
        }
        if broken := [rule for rule, holds in checks.items() if not holds]:
            raise A2VError(
                f"audio adapter config: expected that {'; that '.join(broken)}; got {asdict(self)}"
            )

    @classmethod
    def for_model(
        cls, spec: BackboneSpec, stack: BlockStack, blocks: Placement | Sequence[int], **options: Any
    ) -> AdapterConfig:
        """That of an adapter for a model, with blocks as in `place_blocks`; options are the other values.

        A2VError as for any config.
        """
        words = options.get("route") == "words"
        return cls(
            family=spec.family,
            width=stack.width,
            layers=stack.number,
            blocks=place_blocks(blocks, stack.number),
            time=spec.time,
            first_alone=spec.first_alone,
            text_width=stack.text_width if words else 0,
            **options,
        )

    def check_fits(self, width: int, layers: int, spec: BackboneSpec) -> None:
        """A2VError unless the adapter is for a model of this family and these sizes; names both."""
        for name, own, found in (
            ("family", self.family, spec.family),
            ("width", self.width, width),
            ("number of blocks", self.layers, layers),
            ("video frames of a latent frame", self.time, spec.time),
        ):
            if own != found:
                raise A2VError(
                    f"this audio adapter was trained for {self.base_model} ({self.family}): its {name} is "
                    f"{own}, that of the connected model {found}. Load {self.base_model}, or an adapter "
                    "trained for your model"
                )

    def to_json(self) -> str:
        """The config as JSON text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> AdapterConfig:
        """Read `to_json` text. A2VError for broken JSON and for values that make no adapter."""
        try:
            values: Any = json.loads(text)
        except json.JSONDecodeError as error:
            raise A2VError(f"audio adapter config: broken JSON ({error})") from error
        if not isinstance(values, dict):
            raise A2VError(f"audio adapter config: expected a JSON object, got {type(values).__name__}")
        if unknown := sorted(values.keys() - {entry.name for entry in fields(cls)}):
            raise A2VError(f"audio adapter config: unknown {', '.join(unknown)}; update this pack")
        try:
            lists = {name: tuple(values[name]) for name in ("blocks", "kinds") if name in values}
            return cls(**(values | lists))
        except TypeError as error:
            raise A2VError(
                f"audio adapter config: a value is missing or has the wrong type ({error})"
            ) from error


def every_third(layers: int) -> tuple[int, ...]:
    """Every third block from the first on: 10 of 30."""
    return tuple(range(0, layers, 3))


def _all(layers: int) -> tuple[int, ...]:
    return tuple(range(layers))


def _early(layers: int) -> tuple[int, ...]:
    return tuple(range(len(every_third(layers))))


PLACEMENTS: Mapping[Placement, Callable[[int], tuple[int, ...]]] = {
    "every_third": every_third,
    "all": _all,
    "early": _early,
}


def place_blocks(blocks: Placement | Sequence[int], layers: int) -> tuple[int, ...]:
    """The blocks of a model of `layers` that audio comes in after, by name or by number.

    every_third: from the first on. all. early: as many as every third, from the first on without a gap.
    """
    return PLACEMENTS[blocks](layers) if isinstance(blocks, str) else tuple(blocks)
