"""How strongly a word changes from frame to frame. Legend: F video frames, D token width."""

from __future__ import annotations

from torch import Tensor

_SMALL = 1e-9


def token_changes(tokens: Tensor) -> Tensor:
    """Tokens [F, D] of one word -> [F]: distance to the frame before, in mean token lengths; the first is 0.

    0.5 means that the token moved by half of what it measures: a word that stays the same draws nothing, so
    does `class` within its piece of sound.
    """
    tokens = tokens.detach().cpu().double()
    steps = tokens.diff(dim=0, prepend=tokens[:1]).norm(dim=1)
    return (steps / tokens.norm(dim=1).mean().clamp(min=_SMALL)).float()
