"""How strongly a word changes from frame to frame. Legend: F video frames, D token width."""

from __future__ import annotations

from torch import Tensor

_EPSILON = 1e-9


def token_changes(tokens: Tensor) -> Tensor:
    """Tokens [F, D] of one word -> [F]: distance to the frame before / mean token norm; the first is 0.

    A constant word has 0 everywhere, and so has `class` where frames were pooled together.
    """
    tokens = tokens.detach().cpu().double()
    steps = tokens.diff(dim=0, prepend=tokens[:1]).norm(dim=1)
    return (steps / tokens.norm(dim=1).mean().clamp(min=_EPSILON)).float()
