"""Overlapping windows over the frames of a long video, and how their results are put together again.

Legend: F frames of the latents, W windows, n frames of a window, K the most windows that one frame lies in.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Windows:
    """Windows of one length that cover a video.

    index    int64 [W, n], the frames of every window; in a closed loop they go round the end
    places   int64 [F, K], where every frame stands among the W * n frames of all windows
    weights  float32 [F, K], how much each of these places counts; a row sums to 1
    """

    index: Tensor
    places: Tensor
    weights: Tensor

    @property
    def num_frames(self) -> int:
        return int(self.places.shape[0])

    def to(self, device: torch.device) -> Windows:
        """The same on `device`."""
        return Windows(self.index.to(device), self.places.to(device), self.weights.to(device))

    def fuse(self, parts: Tensor) -> Tensor:
        """[N, W * n, C] -> [N, F, C]: the weighted mean of what the windows say about every frame.

        Gathers instead of scattering, so that the result is the same bit for bit on every run of a GPU too.
        """
        fused = parts[:, self.places[:, 0]] * self.weights[:, :1].to(parts.dtype)
        for k in range(1, self.places.shape[1]):
            fused = fused + parts[:, self.places[:, k]] * self.weights[:, k : k + 1].to(parts.dtype)
        return fused


def window_starts(num_frames: int, window: int, stride: int, closed_loop: bool = False) -> list[int]:
    """First frames of the windows; the last window ends with the video, in a closed loop every `stride`."""
    if num_frames <= window:
        return [0]
    if closed_loop:
        return list(range(0, num_frames, stride))
    starts = list(range(0, num_frames - window, stride))
    return [*starts, num_frames - window]


def make_windows(num_frames: int, window: int, stride: int, closed_loop: bool = False) -> Windows:
    """Windows over `num_frames`, weighted by a triangle: the middle of a window knows most (FreeNoise)."""
    length = min(window, num_frames)
    starts = torch.tensor(window_starts(num_frames, window, stride, closed_loop))
    index = (starts[:, None] + torch.arange(length)) % num_frames
    near = torch.arange(1, length + 1, dtype=torch.float32)
    triangle = torch.minimum(near, near.flip(0)).repeat(len(starts))
    found: list[list[int]] = [[] for _ in range(num_frames)]
    for place, frame in enumerate(index.flatten().tolist()):
        found[frame].append(place)
    most = max(map(len, found))
    # A frame in fewer windows than others repeats its first place with weight 0.
    places = torch.tensor([row + row[:1] * (most - len(row)) for row in found])
    counts = torch.tensor([[1.0] * len(row) + [0.0] * (most - len(row)) for row in found])
    weights = triangle[places] * counts
    return Windows(index, places, weights / weights.sum(dim=1, keepdim=True))
