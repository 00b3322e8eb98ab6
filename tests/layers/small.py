"""A network with every kind of layer that `a2v_core.layers` changes, small enough to be tried in all ways."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Inner(nn.Module):
    """A feed-forward network."""

    def __init__(self) -> None:
        super().__init__()
        self.wide = nn.Linear(16, 32)
        self.narrow = nn.Linear(32, 16)

    def forward(self, x: Tensor) -> Tensor:
        """[..., 16] to [..., 16]."""
        widened: Tensor = self.narrow(nn.functional.silu(self.wide(x)))
        return widened


class Small(nn.Module):
    """A convolution, a feed-forward network inside, a norm and a temporal convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 16, 3, padding=1)
        self.norm = nn.GroupNorm(4, 16)
        self.inner = Inner()
        self.temporal = nn.Conv3d(16, 4, (3, 1, 1), padding=(1, 0, 0))

    def forward(self, x: Tensor) -> Tensor:
        """Frames [F, 4, h, w] to [F, 4, h, w]."""
        x = self.norm(self.conv(x))
        x = x + self.inner(x.movedim(1, -1)).movedim(-1, 1)
        moved: Tensor = self.temporal(x.transpose(0, 1)[None])[0].transpose(0, 1)
        return moved


def small_network() -> Small:
    """Always the same one, frozen."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Small().eval().requires_grad_(False)


def small_input(seed: int = 1) -> Tensor:
    """Three frames [3, 4, 4, 6]."""
    return torch.randn(3, 4, 4, 6, generator=torch.Generator().manual_seed(seed))
