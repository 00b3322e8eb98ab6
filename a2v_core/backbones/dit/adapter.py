"""The audio adapter of a video DiT: AudioMapper, embeddings of its tokens, and frame attention.

Audio words -> tokens of every latent frame -> frame attention after some blocks. The base model is frozen;
with gate 0 it is bit for bit what it was.

Legend: B clips, F video frames, f latent frames, r video frames of a latent frame, K audio words, n = r * K,
S video tokens of a latent frame, C width of the model, D token width.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
import torch.nn.functional as nnf
from torch import Tensor, nn

from ...errors import A2VError
from ...tokens import AudioMapper
from ..contract import BackboneSpec
from .config import AdapterConfig
from .packing import pack_words
from .routes import ROUTES, FrozenText


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
        self.attention = ROUTES[config.route](config)

    def tokens(self, words: Mapping[str, Tensor], spec: BackboneSpec) -> Tensor:
        """Audio tokens [B, f, n, D] of every latent frame, from word -> [B, F, D]. See `pack_words`."""
        packed = pack_words(words, self.config.kinds, spec)
        normalised = nnf.layer_norm(packed, packed.shape[-1:])
        return (normalised + self.sub_frame + self.kind).flatten(2, 3)

    def inject(self, block: int, x: Tensor, tokens: Tensor, gate: Tensor, offset: int = 0) -> Tensor:
        """The output x [B, N, C] of a block with audio in it, of the same shape.

        tokens [B, f, n, D]; gate [B, 1] or [B, f], 0 = none; the f * S video tokens begin at `offset`. Blocks
        without audio, and rows whose gate is 0, come out as they are. A2VError for the route words.
        """
        return self.attention.inject(block, x, tokens, gate, offset)


@contextmanager
def audio_in_blocks(
    blocks: Sequence[nn.Module],
    adapter: AudioAdapter,
    tokens: Tensor,
    gate: Tensor,
    text: FrozenText | None = None,
) -> Iterator[None]:
    """While it lasts, the blocks of a model, whose outputs are video tokens [B, f * S, C], have audio.

    tokens [B, f, n, D], gate [B, 1] or [B, f], for the batch that goes through the model; `text` is needed
    for the route words. Weights in float32 compute so in a model in half precision as well.
    """
    handles = adapter.attention.hooks(blocks, tokens, gate, text)
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
