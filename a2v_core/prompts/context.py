"""The text of a clip as the diffusion model sees it: text-encoder states for every frame.

Legend: F video frames, U distinct texts, L text positions, C text width.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import A2VError


@dataclass(frozen=True)
class FrameContext:
    """Text-encoder states of the distinct frames of a clip, and which frame has which.

    states: [U, L, C], one for every distinct text, in order of first appearance.
    index: int64 [F], the row of `states` for every frame.
    """

    states: Tensor
    index: Tensor

    def __post_init__(self) -> None:
        if self.states.ndim != 3 or self.index.ndim != 1 or self.index.numel() == 0:
            raise A2VError(
                f"A frame context needs states [U, L, C] and an index [F] with F >= 1; got states "
                f"{list(self.states.shape)} and index {list(self.index.shape)}"
            )

    @property
    def num_frames(self) -> int:
        return int(self.index.shape[0])

    @property
    def width(self) -> int:
        return int(self.states.shape[-1])

    @property
    def per_frame(self) -> Tensor:
        """States of every frame, [F, L, C]; without copies (a view) when all frames share one text."""
        if self.states.shape[0] == 1:
            return self.states.expand(self.num_frames, -1, -1)
        return self.states[self.index.to(self.states.device)]

    def frames(self, start: int, stop: int) -> FrameContext:
        """The context of frames start (inclusive) to stop (exclusive): a window of a long clip."""
        rows, index = torch.unique(self.index[start:stop], return_inverse=True)
        return FrameContext(self.states[rows.to(self.states.device)], index)

    def to(self, device: torch.device | str, dtype: torch.dtype | None = None) -> FrameContext:
        """The same context with its states on `device`, in `dtype` if given."""
        return FrameContext(self.states.to(device, dtype), self.index)
