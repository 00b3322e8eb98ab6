"""Videos longer than the model's own clips: minutes of sound in one sampling run (the paper stops at 24).

    latents = sample_long(backbone, positive, negative, settings, LongSettings())
    stream_video("video.mp4", backbone, latents[0].movedim(0, 1), fps, sound)

Legend: F video frames, c latent channels, h w latent size.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ...backbones import Backbone
from ...prompts import FrameContext
from ..sampler import StepCallback, sample
from ..settings import SampleSettings
from .backbone import LongBackbone, WrappedBackbone
from .noise import reschedule
from .resume import Progress, RecordedBackbone
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
    """`sample` for any number of frames: latents [1, c, F, h, w]. `long` None = plain sampling.

    With F at most one window the result is that of `sample`, bit for bit. For longer videos `progress` names
    a folder where every step is written as it is done: called again with the same arguments after a crash,
    the run takes the finished steps from there and gives the same result bit for bit. Its `finish` removes
    them. Reusing features of earlier steps, as some speed modes do, has no
    effect on long videos. `text` as in `sample`.
    A2VError as `sample`, and for a mode that the backbone does not have.
    """
    own = None if long is None else long.resolved(backbone.native_frames)
    if own is None or not own.has_windows(settings.num_frames):
        return sample(backbone, positive, negative, settings, callback, text=text)
    noise = first_noise(backbone, settings, own)
    network: WrappedBackbone = LongBackbone(backbone, own)
    if progress is not None:
        contexts = [context for context in (positive, negative, text) if context is not None]
        network = RecordedBackbone(network, progress, contexts, settings, own)
    return sample(network, positive, negative, settings, callback, noise, text)


def first_noise(backbone: Backbone, settings: SampleSettings, long: LongSettings) -> Tensor:
    """The rescheduled first noise [1, c, F, h, w]; its first window is that of a short clip of this seed."""
    own, factor = long.resolved(backbone.native_frames), backbone.vae_scale_factor
    generator = torch.Generator("cpu").manual_seed(settings.seed)
    fresh = min(own.noise, settings.num_frames)
    shape = (1, backbone.latent_channels, fresh, settings.height // factor, settings.width // factor)
    noise = torch.randn(shape, generator=generator)
    return reschedule(noise, settings.num_frames, min(own.stride, fresh), generator)
