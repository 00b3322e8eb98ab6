"""Videos longer than the model's own clips: minutes of sound in one sampling run (the paper stops at 24).

    latents = sample_long(backbone, positive, negative, settings, LongSettings())
    stream_video("video.mp4", backbone, latents, fps, sound)

Legend: F video frames, c latent channels, f latent frames, h w latent size.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ...backbones import Backbone
from ...prompts import FrameContext
from ..guidance import Denoise
from ..sampler import StepCallback, sample
from ..settings import SampleSettings
from .denoise import LongDenoise
from .noise import reschedule
from .resume import Progress, RecordedDenoise
from .settings import LongSettings


def sample_long(
    backbone: Backbone,
    positive: FrameContext,
    negative: FrameContext | None,
    settings: SampleSettings,
    long: LongSettings | None = None,
    callback: StepCallback | None = None,
    *,
    text: FrameContext | None = None,
    progress: Progress | None = None,
) -> Tensor:
    """`sample` for any number of frames: latents [1, c, f, h, w]. `long` None = plain sampling.

    With f at most one window the result is that of `sample`, bit for bit. For longer videos `progress` names
    a folder where every step is written as it is done: called again with the same arguments after a crash,
    the run takes the finished steps from there and gives the same result bit for bit. Its `finish` removes
    them. Reusing features of earlier steps, as some speed modes do, has no effect on long videos. `text` as
    in `sample`.
    A2VError as `sample`, and for a mode that the backbone does not have.
    """
    settings = settings.resolved(backbone.spec)
    own = None if long is None else long.resolved(backbone.spec)
    if own is None or not own.has_windows(settings.grid(backbone.spec).frames):
        return sample(backbone, positive, negative, settings, callback, text=text)
    noise = first_noise(backbone, settings, own)
    denoise: Denoise = LongDenoise(backbone, own)
    if progress is not None:
        contexts = [context for context in (positive, negative, text) if context is not None]
        denoise = RecordedDenoise(denoise, backbone, progress, contexts, settings, own)
    return sample(backbone, positive, negative, settings, callback, noise, text, denoise)


def first_noise(backbone: Backbone, settings: SampleSettings, long: LongSettings) -> Tensor:
    """The rescheduled first noise [1, c, f, h, w]; its first window is that of a short clip of this seed."""
    own, grid = long.resolved(backbone.spec), settings.grid(backbone.spec)
    generator = torch.Generator("cpu").manual_seed(settings.seed)
    fresh = min(own.noise, grid.frames)
    noise = torch.randn(grid.of_frames(fresh).shape, generator=generator)
    return reschedule(noise, grid.frames, min(own.stride, fresh), generator)
