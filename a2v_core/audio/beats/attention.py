"""Self-attention of BEATs: scaled dot-product attention with a gated relative position bias.

Source: the published BEATs code (`backbone.py`); the gate is WavLM's gated relative position bias. The
published code divides and multiplies the scores by 32 around a subtraction of the row maximum, which
changes nothing but the rounding; it is left out.

Shapes: B sounds, N tokens, E width, H heads, d = E / H.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import BEATsConfig

_BIAS_ELEMENTS_AT_ONCE = 2**25
_GATE_WIDTH = 8


def distance_buckets(distances: Tensor, num_buckets: int, max_distance: int) -> Tensor:
    """Row of the bias table for each distance key - query, int64 in and out (T5, both directions).

    Half of the rows is for keys after the query. In each half the first half has a row per distance; the rest
    widens with the logarithm, and everything beyond `max_distance` shares the last row.
    """
    half = num_buckets // 2
    exact = half // 2
    far = distances.abs()
    wide = torch.log(far.clamp_min(1).float() / exact) / math.log(max_distance / exact) * (half - exact)
    wide = (exact + wide.long()).clamp_max(half - 1)
    return (distances > 0).long() * half + torch.where(far < exact, far, wide)


class GatedSelfAttention(nn.Module):
    """Multi-head self-attention with a gated relative position bias. Names of parameters as published."""

    def __init__(self, config: BEATsConfig, relative_attention_bias: nn.Embedding) -> None:
        super().__init__()
        width = config.encoder_embed_dim
        self.config = config
        self.heads = config.encoder_attention_heads
        self.k_proj = nn.Linear(width, width)
        self.v_proj = nn.Linear(width, width)
        self.q_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)
        self.relative_attention_bias = relative_attention_bias
        self.grep_linear = nn.Linear(width // self.heads, _GATE_WIDTH)
        self.grep_a = nn.Parameter(torch.ones(1, self.heads, 1, 1))

    def bias_by_distance(self, tokens: int) -> Tensor:
        """Bias of every distance 1 - tokens .. tokens - 1: [H, 2 * tokens - 1]. The same for all layers."""
        table = self.relative_attention_bias
        distances = torch.arange(1 - tokens, tokens, device=table.weight.device)
        rows = distance_buckets(distances, self.config.num_buckets, self.config.max_distance)
        bias: Tensor = table(rows)
        return bias.T

    def forward(self, x: Tensor, bias_by_distance: Tensor) -> Tensor:
        """[B, N, E] -> [B, N, E]. Time grows with N^2; memory does not, since queries go block by block."""
        batch, tokens, width = x.shape
        query, key, value = (
            proj(x).view(batch, tokens, self.heads, -1).transpose(1, 2)
            for proj in (self.q_proj, self.k_proj, self.v_proj)
        )
        gate = self._gate(query)
        # windows[:, tokens - 1 - q] is the bias of query q to all keys: a view, no N x N table is stored.
        windows = bias_by_distance.unfold(-1, tokens, 1)
        block = max(1, _BIAS_ELEMENTS_AT_ONCE // (batch * self.heads * tokens))
        parts = []
        for start in range(0, tokens, block):
            stop = min(start + block, tokens)
            bias = gate[:, :, start:stop] * windows[:, tokens - stop : tokens - start].flip(1)
            parts.append(F.scaled_dot_product_attention(query[:, :, start:stop], key, value, attn_mask=bias))
        mixed = torch.cat(parts, dim=2).transpose(1, 2).reshape(batch, tokens, width)
        out: Tensor = self.out_proj(mixed)
        return out

    def _gate(self, query: Tensor) -> Tensor:
        """How much of the position bias each query takes: [B, H, N, d] -> [B, H, N, 1]."""
        gates = self.grep_linear(query).unflatten(-1, (2, _GATE_WIDTH // 2)).sum(dim=-1)
        reset, update = torch.sigmoid(gates).chunk(2, dim=-1)
        gate: Tensor = reset * (update * self.grep_a - 1.0) + 2.0
        return gate
