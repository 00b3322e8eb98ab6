"""From noise to latents: one plain loop over a diffusers scheduler, with classifier-free guidance.

Legend: F video frames, L text positions, C text width, c latent channels, h w latent size.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ..errors import A2VError
from .backbone import Backbone
from .context import FrameContext
from .schedulers import make_scheduler, predict_original, step_options
from .settings import SampleSettings, check_size

# step (from 0), number of steps, estimate of the clean latents [1, c, F, h, w], latents after the step
StepCallback = Callable[[int, int, Tensor, Tensor], None]


@torch.no_grad()
def sample(
    backbone: Backbone,
    positive: FrameContext,
    negative: FrameContext | None,
    settings: SampleSettings,
    callback: StepCallback | None = None,
    latents: Tensor | None = None,
) -> Tensor:
    """Latents [1, c, F, h, w], float32, of a clip that shows what `positive` says for every frame.

    `negative` is what guidance leads away from (the text encoder's states of "" or of a negative prompt); it
    is not looked at when guidance_scale is 1. Noise is drawn on the CPU from the seed, so that a seed means
    the same on every device. `latents` [1, c, F, h, w] of unit variance replaces the first noise. Whatever
    `callback` raises ends the run.
    A2VError when contexts, latents and settings do not fit together, or when the result is not finite.
    """
    check_size(settings.width, settings.height, backbone.vae_scale_factor)
    device = backbone.device
    context = _guidance_context(positive, negative, settings).to(device)
    scheduler = make_scheduler(settings.scheduler, backbone.scheduler_config)
    scheduler.set_timesteps(_checked_steps(settings, scheduler), device=device)
    generator = torch.Generator("cpu").manual_seed(settings.seed)
    x = _first_noise(backbone, settings, generator, latents).to(device) * scheduler.init_noise_sigma
    options = step_options(scheduler, generator, settings.seed, x)
    total = len(scheduler.timesteps)
    for step, t in enumerate(scheduler.timesteps):
        model_input = scheduler.scale_model_input(x, t)
        prediction = guided(backbone, model_input, t, context, settings.guidance_scale)
        x = scheduler.step(prediction, t, x, **options).prev_sample
        if callback is not None:
            callback(step, total, predict_original(scheduler, prediction, model_input, t), x)
    if not bool(x.isfinite().all()):
        raise A2VError(
            "The sampled latents are not finite: numbers overflowed. Load the model in bf16 or fp32 instead "
            f"of fp16, or lower the guidance scale ({settings.guidance_scale:g})"
        )
    return x


def guided(backbone: Backbone, latents: Tensor, t: Tensor, context: Tensor, scale: float) -> Tensor:
    """Classifier-free guidance (arXiv 2207.12598): uncond + scale (cond - uncond), in float32.

    latents [1, c, F, h, w]; context [2, F, L, C] (uncond, cond), or [1, F, L, C] for cond alone.
    """
    prediction = backbone.denoise(latents.expand(len(context), -1, -1, -1, -1), t, context)
    prediction = prediction.to(latents.device, torch.float32)
    if len(context) == 1:
        return prediction
    uncond, cond = prediction.chunk(2)
    return uncond + scale * (cond - uncond)


def _guidance_context(
    positive: FrameContext, negative: FrameContext | None, settings: SampleSettings
) -> Tensor:
    needed = {"prompt": positive}
    if settings.guidance_scale != 1:
        if negative is None:
            raise A2VError(
                f"guidance_scale is {settings.guidance_scale:g} but there is no negative prompt to lead away "
                'from: encode one ("" will do), or set guidance_scale to 1'
            )
        needed = {"negative prompt": negative, **needed}
    for name, context in needed.items():
        if context.num_frames != settings.num_frames:
            raise A2VError(
                f"The {name} is encoded for {context.num_frames} frames, but {settings.num_frames} are to be "
                "sampled: use one number for both"
            )
    like = positive.states
    return torch.stack([context.per_frame.to(like.device, like.dtype) for context in needed.values()])


def _first_noise(
    backbone: Backbone, settings: SampleSettings, generator: torch.Generator, given: Tensor | None
) -> Tensor:
    factor = backbone.vae_scale_factor
    shape = (
        1,
        backbone.latent_channels,
        settings.num_frames,
        settings.height // factor,
        settings.width // factor,
    )
    if given is None:
        return torch.randn(shape, generator=generator)
    if tuple(given.shape) != shape:
        raise A2VError(
            f"The first latents have shape {list(given.shape)}; {settings.num_frames} frames of "
            f"{settings.width} x {settings.height} pixels need {list(shape)}"
        )
    return given.float()


def _checked_steps(settings: SampleSettings, scheduler: object) -> int:
    most = int(scheduler.config.num_train_timesteps)  # type: ignore[attr-defined]
    if settings.steps > most:
        raise A2VError(f"steps is {settings.steps}: this model's noise schedule has {most} steps")
    return settings.steps
