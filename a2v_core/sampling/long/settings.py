"""How a video longer than the model's own clips is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from ...backbones import BackboneSpec
from ...errors import A2VError

LongMode = Literal["attention", "model"]
ATTENTION: LongMode = "attention"


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
    in_latents   window, stride and noise count latent frames, not frames of the video
    A2VError when a value cannot work for any video; the message names it.
    """

    mode: LongMode = "attention"
    window: int = 0
    stride: int = 0
    closed_loop: bool = False
    noise: int = 0
    on_cpu: bool | None = None
    in_latents: bool = False

    def __post_init__(self) -> None:
        if self.mode not in get_args(LongMode):
            raise A2VError(f"long mode is {self.mode!r}: choose one of {', '.join(get_args(LongMode))}")
        for name in ("window", "stride", "noise"):
            if getattr(self, name) < 0:
                raise A2VError(
                    f"{name} is {getattr(self, name)} frames: expected 1 or more, or 0 for its default"
                )

    def resolved(self, spec: BackboneSpec) -> LongSettings:
        """The same with every 0 replaced by its value for a model, all in latent frames.

        Resolving it again changes nothing.
        """
        if self.in_latents:
            return self
        window = spec.latent_frames(self.window or spec.native_frames)
        # A distance, not a clip: the first latent frame of a video does not count.
        stride = max(1, -(-self.stride // spec.time)) if self.stride else 0
        return LongSettings(
            self.mode,
            window,
            stride or max(1, window // (3 if self.mode == ATTENTION else 2)),
            self.closed_loop,
            spec.latent_frames(self.noise) if self.noise else window,
            self.on_cpu,
            in_latents=True,
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
