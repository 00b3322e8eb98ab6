"""Overlapping windows over the frames of a long video, and how their results are put together again.

Legend: F video frames, W windows, n frames of a window, K the most windows that one frame lies in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from ..errors import A2VError

LongMode = Literal["attention", "model"]


@dataclass(frozen=True)
class LongSettings:
    """How a video longer than the model's own clips is made.

    mode         "attention": windowed temporal attention, all other layers once per frame (FreeNoise, arXiv
                 2310.15169). "model": the whole model in overlapping windows, predictions fused at every step
                 (Gen-L-Video, arXiv 2305.18264); for any backbone, about twice the work at its default stride
    window       frames of a window; 0 = the backbone's native number. A video of one window is plain sampling
    stride       frames from a window to the next; 0 = a third of a window in mode "attention",
                 where windows cost little and seams vanish, and half a window in mode "model"
    closed_loop  the last frame meets the first: windows and temporal convolutions go round
    noise        frames of new noise before it repeats, shuffled; 0 = a window; the video's number = never
    on_cpu       mode "attention" keeps what waits for its layer in CPU memory; None = if the GPU is too small
    A2VError when a value cannot work for any video; the message names it.
    """

    mode: LongMode = "attention"
    window: int = 0
    stride: int = 0
    closed_loop: bool = False
    noise: int = 0
    on_cpu: bool | None = None

    def __post_init__(self) -> None:
        if self.mode not in get_args(LongMode):
            raise A2VError(f"long mode is {self.mode!r}: choose one of {', '.join(get_args(LongMode))}")
        for name in ("window", "stride", "noise"):
            if getattr(self, name) < 0:
                raise A2VError(
                    f"{name} is {getattr(self, name)} frames: expected 1 or more, or 0 for its default"
                )

    def resolved(self, native_frames: int) -> LongSettings:
        """The same with every 0 replaced by its value for a model of `native_frames`."""
        window = self.window or native_frames
        return LongSettings(
            self.mode,
            window,
            self.stride or max(1, window // (3 if self.mode == "attention" else 2)),
            self.closed_loop,
            self.noise or window,
            self.on_cpu,
        )

    def has_windows(self, num_frames: int) -> bool:
        """Whether a video is longer than a window (both not 0 here): only then the other settings count.

        A2VError when a stride above the window would leave frames of it out.
        """
        if num_frames <= self.window:
            return False
        if self.stride > self.window:
            raise A2VError(
                f"stride is {self.stride} frames and window {self.window}: a stride above the window leaves "
                "frames out; half the window is a good start"
            )
        return True


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
