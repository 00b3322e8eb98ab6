"""The ways in which audio tokens come into a frozen video DiT: a set of layers each, by block.

Legend: B clips, f latent frames, S video tokens of a latent frame, n audio tokens of a latent frame, L text
positions, C width of the model, D width of audio tokens.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from ...errors import A2VError
from .config import AdapterConfig
from .frame_attention import BiasLayer, FrameAttention

INSIDE_ONLY = (
    "the audio adapter has the route words, which works inside of a model's blocks and is for training and "
    "comparisons: choose an adapter of route frame_attention or bias"
)
# Adam moves all weights by about the learning rate: the one number that has to come near 1 counts tenfold.
SCALE_GAIN = 10.0


class FrozenText(NamedTuple):
    """The text's way through a frozen model.

    embed: text states [.., text width] to what its blocks see, [.., C]. attention: the cross-attention of a
    block, called as (video tokens [B, N, C], embedded states [B, L, C]).
    """

    embed: Callable[[Tensor], Tensor]
    attention: Callable[[nn.Module], nn.Module]


class Route(nn.ModuleDict, ABC):
    """The layers of an adapter by the number of their block, and how they are put into a model."""

    @abstractmethod
    def hooks(
        self, blocks: Sequence[nn.Module], tokens: Tensor, gate: Tensor, text: FrozenText | None
    ) -> list[RemovableHandle]:
        """Bring audio tokens [B, f, n, D] with a gate [B, 1] or [B, f] into these blocks."""

    @abstractmethod
    def inject(self, block: int, x: Tensor, tokens: Tensor, gate: Tensor, offset: int) -> Tensor:
        """See `AudioAdapter.inject`."""

    @abstractmethod
    def layers(self) -> Sequence[nn.Module]:
        """Layers outside of the model's blocks whose activations may be computed again in backward."""


class AfterBlocks(Route):
    """Layers after some blocks, each (video tokens, audio tokens) -> what is added."""

    def hooks(
        self, blocks: Sequence[nn.Module], tokens: Tensor, gate: Tensor, text: FrozenText | None
    ) -> list[RemovableHandle]:
        def hook(number: int) -> Any:
            def add(module: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor:
                x = output.to(_precision(self, output))
                return self.inject(number, x, tokens.to(x), gate.to(x), 0).to(output.dtype)

            return add

        return [blocks[int(number)].register_forward_hook(hook(int(number))) for number in self]

    def layers(self) -> Sequence[nn.Module]:
        return list(self.values())

    def inject(self, block: int, x: Tensor, tokens: Tensor, gate: Tensor, offset: int) -> Tensor:
        if str(block) not in self:
            return x
        frames = tokens.shape[1]
        stop = offset + (x.shape[1] - offset) // frames * frames
        video = x[:, offset:stop]
        residual = self[str(block)](video, tokens) * gate[:, :, None, None].to(x.dtype)
        changed = (video.unflatten(1, (frames, -1)) + residual.to(x.dtype)).flatten(1, 2)
        return changed if stop - offset == x.shape[1] else torch.cat([x[:, :offset], changed, x[:, stop:]], 1)


class PseudoWords(Route):
    """Audio tokens as words of the text, in the way of TempoTokens: in some blocks the frozen cross-attention
    of a latent frame sees its own audio tokens beside the text.

    A block's text attention becomes old + gate * scale * (new - old); its `scale` begins at zero.
    """

    def __init__(self, config: AdapterConfig) -> None:
        super().__init__({str(block): _Scale() for block in config.blocks})
        self.project = nn.Linear(config.token_width, config.text_width)

    def hooks(
        self, blocks: Sequence[nn.Module], tokens: Tensor, gate: Tensor, text: FrozenText | None
    ) -> list[RemovableHandle]:
        if text is None:
            raise A2VError("an audio adapter of route words needs the text's way through the model")
        words = text.embed(self.project(tokens.to(_precision(self, tokens))).to(tokens))

        def hook(number: str) -> Any:
            def add(module: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor:
                heard = _by_frame(module, args[0], args[1], words.to(output)) - output
                amount: Tensor = self[number](gate)  # [B, 1 or f]
                change = heard.unflatten(1, (words.shape[1], -1)) * amount[:, :, None, None].to(output.dtype)
                return output + change.flatten(1, 2)

            return add

        places = [number for number in self if number != "project"]
        return [text.attention(blocks[int(number)]).register_forward_hook(hook(number)) for number in places]

    def layers(self) -> Sequence[nn.Module]:
        return []

    def inject(self, block: int, x: Tensor, tokens: Tensor, gate: Tensor, offset: int) -> Tensor:
        raise A2VError(INSIDE_ONLY)


class _Scale(nn.Module):
    """How much of what pseudo-words change counts in a block."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.zeros(1))

    def forward(self, gate: Tensor) -> Tensor:
        """Of a gate of any shape."""
        return SCALE_GAIN * self.scale * gate


def _by_frame(attention: nn.Module, x: Tensor, states: Tensor, words: Tensor) -> Tensor:
    """Frozen attention of video tokens x [B, f * S, C] to states [B, L, C] and the words [B, f, n, C] of
    their own latent frame."""
    clips, frames = words.shape[:2]
    text = states[:, None].expand(-1, frames, -1, -1)
    seen = torch.cat([text, words], dim=2).flatten(0, 1)
    # `forward` itself, past the hook that asks for it.
    out: Tensor = attention.forward(x.unflatten(1, (frames, -1)).flatten(0, 1), seen)
    return out.unflatten(0, (clips, frames)).flatten(1, 2)


def _precision(layers: nn.Module, like: Tensor) -> torch.dtype:
    """That in which layers compute, whose weights may be float32 in a model in half precision."""
    return torch.promote_types(next(layers.parameters()).dtype, like.dtype)


def _attention(config: AdapterConfig) -> Route:
    sizes = config.width, config.token_width, config.inner, config.heads
    return AfterBlocks(
        {str(block): FrameAttention(*sizes, has_bias=config.has_bias) for block in config.blocks}
    )


def _bias(config: AdapterConfig) -> Route:
    return AfterBlocks({str(block): BiasLayer(config.width, config.token_width) for block in config.blocks})


ROUTES: Mapping[str, Callable[[AdapterConfig], Route]] = {
    "frame_attention": _attention,
    "bias": _bias,
    "words": PseudoWords,
}
