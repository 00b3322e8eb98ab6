"""Frame attention: the tokens of a latent frame look at the audio tokens of its own video frames.

Residual layers between the blocks of a frozen video DiT, zero at the start, as in Wan2.2-S2V (arXiv
2508.18621): no position code inside, the output projection begins at zero.

Legend: B clips, f latent frames, S video tokens of a latent frame, n audio tokens of a latent frame, C width
of the model, D width of audio tokens, E inner width.
"""

from __future__ import annotations

import torch
import torch.nn.functional as nnf
from torch import Tensor, nn

EPSILON = 1e-6  # stated, since by default it depends on the precision


class FrameAttention(nn.Module):
    """One layer: LayerNorm -> cross-attention within every latent frame, plus a bias per latent frame.

    With `attends` False only the bias is left; with `has_bias` False only the attention.
    """

    def __init__(
        self,
        width: int,
        token_width: int,
        inner: int,
        heads: int,
        *,
        attends: bool = True,
        has_bias: bool = True,
    ) -> None:
        super().__init__()
        self.heads, self.attends = heads, attends
        self.bias = nn.Linear(token_width, width) if has_bias else None
        if self.bias is not None:
            _zero(self.bias)
        if attends:
            self.norm = nn.LayerNorm(width, elementwise_affine=False)
            self.q = nn.Linear(width, inner)
            self.k, self.v = nn.Linear(token_width, inner), nn.Linear(token_width, inner)
            self.q_norm, self.k_norm = (nn.RMSNorm(inner // heads, eps=EPSILON) for _ in range(2))
            self.out = nn.Linear(inner, width)
            _zero(self.out)

    def forward(self, x: Tensor, tokens: Tensor) -> Tensor:
        """What is added to video tokens x [B, f * S, C] for audio tokens [B, f, n, D]: [B, f, S, C]."""
        frames = tokens.shape[1]
        x = x.unflatten(1, (frames, -1))
        added = self._attention(x, tokens) if self.attends else torch.zeros_like(x)
        return added if self.bias is None else added + self.bias(tokens.mean(2))[:, :, None]

    def _attention(self, x: Tensor, tokens: Tensor) -> Tensor:
        q = self.q_norm(self._split(self.q(self.norm(x))))
        k, v = self.k_norm(self._split(self.k(tokens))), self._split(self.v(tokens))
        seen = nnf.scaled_dot_product_attention(q, k, v)
        out: Tensor = self.out(seen.transpose(2, 3).flatten(3))
        return out

    def _split(self, x: Tensor) -> Tensor:
        """[B, f, N, E] -> [B, f, heads, N, E / heads]."""
        return x.unflatten(3, (self.heads, -1)).transpose(2, 3)


def _zero(layer: nn.Linear) -> None:
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
