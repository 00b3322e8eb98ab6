"""The audio adapter of a video DiT: AudioMapper, embeddings of its tokens, and frame attention.

Audio words -> tokens of every latent frame -> frame attention after some blocks. The base model is frozen;
with gate 0 it is bit for bit what it was.

Legend: B clips, F video frames, f latent frames, r video frames of a latent frame, K audio words, n = r * K,
S video tokens of a latent frame, C width of the model, D token width.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as nnf
from torch import Tensor, nn

from ...errors import A2VError
from ...tokens import AudioMapper
from ..contract import BackboneSpec
from .config import AdapterConfig
from .frame_attention import FrameAttention
from .packing import pack_words


class AudioAdapter(nn.Module):
    """The trained part. `mapper` makes audio words of BEATs features; its width is that of the tokens."""

    def __init__(self, config: AdapterConfig, mapper: AudioMapper) -> None:
        super().__init__()
        if mapper.config.output_size != config.token_width:
            raise A2VError(
                f"the AudioMapper gives tokens {mapper.config.output_size} wide, the audio adapter takes "
                f"{config.token_width}"
            )
        self.config, self.mapper = config, mapper
        self.sub_frame = nn.Parameter(0.02 * torch.randn(config.time, 1, config.token_width))
        self.kind = nn.Parameter(0.02 * torch.randn(len(config.kinds), config.token_width))
        self.attention = nn.ModuleDict(
            {
                str(block): FrameAttention(
                    config.width,
                    config.token_width,
                    config.inner,
                    config.heads,
                    attends=config.attends,
                    has_bias=config.has_bias,
                )
                for block in config.blocks
            }
        )

    def tokens(self, words: Mapping[str, Tensor], spec: BackboneSpec) -> Tensor:
        """Audio tokens [B, f, n, D] of every latent frame, from word -> [B, F, D]. See `pack_words`."""
        packed = pack_words(words, self.config.kinds, spec)
        normalised = nnf.layer_norm(packed, packed.shape[-1:])
        return (normalised + self.sub_frame + self.kind).flatten(2, 3)

    def inject(self, block: int, x: Tensor, tokens: Tensor, gate: Tensor, offset: int = 0) -> Tensor:
        """The output x [B, N, C] of a block with audio in it, of the same shape.

        tokens [B, f, n, D]; gate [B, 1] or [B, f], 0 = none; the f * S video tokens begin at `offset`. Blocks
        without audio, and rows whose gate is 0, come out as they are.
        """
        if str(block) not in self.attention:
            return x
        frames = tokens.shape[1]
        stop = offset + (x.shape[1] - offset) // frames * frames
        video = x[:, offset:stop]
        residual = self.attention[str(block)](video, tokens) * gate[:, :, None, None].to(x.dtype)
        changed = video + residual.to(x.dtype).flatten(1, 2)
        return changed if stop - offset == x.shape[1] else torch.cat([x[:, :offset], changed, x[:, stop:]], 1)


@contextmanager
def audio_in_blocks(
    blocks: Sequence[nn.Module], adapter: AudioAdapter, tokens: Tensor, gate: Tensor
) -> Iterator[None]:
    """While it lasts, the blocks of a model, whose outputs are video tokens [B, f * S, C], have audio.

    tokens [B, f, n, D], gate [B, 1] or [B, f], for the batch that goes through the model.
    """

    def hook(number: int) -> Any:
        def add(module: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor:
            return adapter.inject(number, output, tokens.to(output), gate.to(output))

        return add

    handles = [blocks[number].register_forward_hook(hook(number)) for number in adapter.config.blocks]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
