"""Attentive pooling: one token for a whole clip, the `class` word (paper equations 4 to 7).

A frame weighs as much as its unary potential (what it is) and its pairwise potential (how much it is like
the others) say. Module names are those of the published checkpoint: a factor graph attention of one modality.
Legend: B clips, F frames, D token width.
"""

from __future__ import annotations

import torch
import torch.nn.functional as nnf
from torch import Tensor, nn


class _Unary(nn.Module):
    """The local potential theta_l: [B, D, F] -> [B, F]. The published dropout in the middle is left out."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.embed = nn.Conv1d(width, width, 1)
        self.feature_reduce = nn.Conv1d(width, 1, 1)

    def forward(self, tokens: Tensor) -> Tensor:
        potential: Tensor = self.feature_reduce(nnf.relu(self.embed(tokens)))
        return potential.squeeze(1)


class _Pairwise(nn.Module):
    """The pairwise potential theta_c, mean cosine of a frame with all frames: [B, D, F] -> [B, F].

    Equation 6 with the published code's mean in place of the sum. The code averages the rows of the F x F
    matrix X^T Y; averaging Y first gives the same numbers without the matrix, so that long sounds are cheap.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.embed_X = nn.Conv1d(width, width, 1)
        self.embed_Y = nn.Conv1d(width, width, 1)

    def forward(self, tokens: Tensor) -> Tensor:
        x = nnf.normalize(self.embed_X(tokens), dim=1)
        y = nnf.normalize(self.embed_Y(tokens), dim=1)
        return (x * y.mean(dim=2, keepdim=True)).sum(dim=1)


class AttentivePooling(nn.Module):
    """[B, F, D] -> [B, D]: the mean of the frames, weighted by a softmax over their mixed potentials."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.un_models = nn.ModuleList([_Unary(width)])
        self.pp_models = nn.ModuleList([_Pairwise(width)])
        self.reduce_potentials = nn.ModuleList([nn.Conv1d(2, 1, 1, bias=False)])

    def weights(self, tokens: Tensor) -> Tensor:
        """[B, F, D] -> [B, F], each row sums to 1."""
        columns = tokens.transpose(1, 2)
        potentials = torch.stack([self.un_models[0](columns), self.pp_models[0](columns)], dim=1)  # [B, 2, F]
        mixed: Tensor = self.reduce_potentials[0](potentials)
        return mixed.squeeze(1).softmax(dim=1)

    def forward(self, tokens: Tensor) -> Tensor:
        return torch.einsum("bf,bfd->bd", self.weights(tokens), tokens)
