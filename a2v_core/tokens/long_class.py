"""The `class` word of a long sound: attentive pooling over windows, blended with that over the whole sound.

Attentive pooling gives one token for a clip. Over a minute it would average unrelated scenes; per window it
would ignore the rest of the sound.

Legend: F frames, D token width, W windows, n frames of a window.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from ..errors import A2VError
from .mapper import AudioMapper
from .timing import CHUNK_FRAMES
from .types import AudioTokens, FrameTokens


@torch.no_grad()
def pool_long(
    mapper: AudioMapper, frame_tokens: FrameTokens, window: int = CHUNK_FRAMES, share: float = 0.5
) -> AudioTokens:
    """`mapper.pool`, with the `class` word of sounds longer than `window` frames made for every frame.

    It is `share` times attentive pooling over all frames, plus 1 - share times that of the windows around
    the frame: half a window apart and interpolated in layout `time_aligned`, the published chunks of 24
    frames in layout `reference`. A sound of one window is pooled exactly as by `mapper.pool`. A window of
    0 pools the whole sound, as published. A2VError as `pool`, and for a window or share out of range.
    """
    if window < 0 or not 0 <= share <= 1:
        raise A2VError(f"class window is {window} frames and share {share}: expected 0 or more, and 0 to 1")
    pooled = mapper.pool(frame_tokens)
    one_window = CHUNK_FRAMES if mapper.config.layout == "reference" else window
    if not window or "class" not in pooled.words or pooled.num_frames <= one_window:
        return pooled
    local = pooled.words["class"]
    tokens = frame_tokens.tokens.to(local)
    if mapper.config.layout == "time_aligned":
        local = _per_frame(mapper, tokens, window)
    overall = mapper.fga(tokens[None])
    return replace(
        pooled, words={**pooled.words, "class": torch.lerp(local, overall.expand_as(local), share)}
    )


def _per_frame(mapper: AudioMapper, tokens: Tensor, window: int) -> Tensor:
    """Attentive pooling [F, D] -> [F, D] of windows half a window apart, linear between their middles."""
    frames = len(tokens)
    count = -(-2 * (frames - window) // window) + 1
    starts = torch.linspace(0, frames - window, count).round().long()
    classes = mapper.fga(tokens[starts[:, None] + torch.arange(window)])  # [W, D]
    middles = starts.double() + (window - 1) / 2
    after = torch.searchsorted(middles, torch.arange(frames, dtype=torch.float64)).clamp(1, count - 1)
    gap = middles[after] - middles[after - 1]
    weight = ((torch.arange(frames) - middles[after - 1]) / gap).clamp(0, 1)
    return torch.lerp(classes[after - 1], classes[after], weight.to(classes)[:, None])
