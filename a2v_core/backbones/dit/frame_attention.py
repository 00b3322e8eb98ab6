"""Frame attention: the tokens of a latent frame look at the audio tokens of its own video frames.

Residual layers between the blocks of a frozen video DiT, zero at the start, as in Wan2.2-S2V (arXiv
2508.18621): no position code inside, the output projection begins at zero.

Legend: B clips, f latent frames, S video tokens of a latent frame, n audio tokens of a latent frame, C width
of the model, D width of audio tokens, E inner width.
"""

from __future__ import annotations

import torch.nn.functional as nnf
from torch import Tensor, nn


class BiasLayer(nn.Module):
    """A layer that is a bias per latent frame alone: it can say when, not where."""

    def __init__(self, width: int, token_width: int) -> None:
        super().__init__()
        self.bias = _zero(nn.Linear(token_width, width))

    def forward(self, x: Tensor, tokens: Tensor) -> Tensor:
        """What is added to video tokens x [B, f * S, C] for audio tokens [B, f, n, D]: [B, f, 1, C]."""
        return _bias(self.bias, tokens)


class FrameAttention(nn.Module):
    """One layer: LayerNorm -> cross-attention within every latent frame, plus, where asked for, a bias."""

    def __init__(
        self, width: int, token_width: int, inner: int, heads: int, *, has_bias: bool = True
    ) -> None:
        super().__init__()
        self.heads = heads
        self.bias = _zero(nn.Linear(token_width, width)) if has_bias else None
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.q = nn.Linear(width, inner)
        self.k, self.v = nn.Linear(token_width, inner), nn.Linear(token_width, inner)
        self.q_norm, self.k_norm = nn.RMSNorm(inner // heads), nn.RMSNorm(inner // heads)
        self.out = _zero(nn.Linear(inner, width))

    def forward(self, x: Tensor, tokens: Tensor) -> Tensor:
        """What is added to video tokens x [B, f * S, C] for audio tokens [B, f, n, D]: [B, f, S, C]."""
        x = x.unflatten(1, (tokens.shape[1], -1))
        q = self.q_norm(self._split(self.q(self.norm(x))))
        k, v = self.k_norm(self._split(self.k(tokens))), self._split(self.v(tokens))
        seen = nnf.scaled_dot_product_attention(q, k, v)
        added: Tensor = self.out(seen.transpose(2, 3).flatten(3))
        return added if self.bias is None else added + _bias(self.bias, tokens)

    def _split(self, x: Tensor) -> Tensor:
        """[B, f, N, E] -> [B, f, heads, N, E / heads]."""
        return x.unflatten(3, (self.heads, -1)).transpose(2, 3)


def _bias(layer: nn.Linear, tokens: Tensor) -> Tensor:
    """What all video tokens of a latent frame get of the mean of its audio tokens, [B, f, 1, C]."""
    bias: Tensor = layer(tokens.mean(2))
    return bias[:, :, None]


def _zero(layer: nn.Linear) -> nn.Linear:
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
