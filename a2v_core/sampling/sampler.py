"""From noise to latents: one plain loop over a diffusers scheduler, with classifier-free guidance.

Legend: F video frames, L text positions, C text width, c latent channels, h w latent size.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ..backbones import Backbone, check_size
from ..errors import A2VError
from ..prompts import FrameContext
from ..schedules import make_scheduler, predict_original, step_options
from .guidance import Guide
from .guidance_scales import NEGATIVE, PROMPT, TEXT
from .precision import in_precision_of
from .settings import SampleSettings
from .speed import Speed, find_speed

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
    text: FrameContext | None = None,
) -> Tensor:
    """Latents [1, c, F, h, w], float32, of a clip that shows what `positive` says for every frame.

    `negative` is what guidance leads away from (the text encoder's states of "" or of a negative prompt); it
    is not looked at when guidance_scale is 1 or the speed mode never guides. Noise is drawn on the CPU from
    the seed, so that a seed means the same on every device. `latents` [1, c, F, h, w] of unit variance
    replaces the first noise. Whatever `callback` raises ends the run. `text` is the prompt without its sound,
    looked at only when sound_guidance differs from guidance_scale. The settings' speed says what may be left
    out.
    A2VError when contexts, latents and settings do not fit together, or when the result is not finite.
    """
    check_size(settings.width, settings.height, backbone.vae_scale_factor)
    device = backbone.device
    contexts = {
        name: context.to(device) for name, context in _contexts(positive, negative, text, settings).items()
    }
    speed = find_speed(settings.speed)
    scheduler = make_scheduler(settings.scheduler, backbone.scheduler_config)
    scheduler.set_timesteps(_checked_steps(settings, speed, scheduler), device=device)
    generator = torch.Generator("cpu").manual_seed(settings.seed)
    x = _first_noise(backbone, settings, generator, latents).to(device) * scheduler.init_noise_sigma
    options = step_options(scheduler, generator, settings.seed, x)
    total = len(scheduler.timesteps)
    with in_precision_of(speed, backbone, "unet"):
        guide = Guide(backbone, contexts, settings.scales, speed, total, settings.batch_guidance)
        for step, t in enumerate(scheduler.timesteps):
            model_input = scheduler.scale_model_input(x, t)
            prediction = guide.predict(step, model_input, t)
            x = scheduler.step(prediction, t, x, **options).prev_sample
            if callback is not None:
                callback(step, total, predict_original(scheduler, prediction, model_input, t), x)
    if not bool(x.isfinite().all()):
        raise A2VError(
            "The sampled latents are not finite: numbers overflowed. Load the model in bf16 or fp32 instead "
            f"of fp16, or lower the guidance scale ({settings.guidance_scale:g})"
        )
    return x


def _contexts(
    positive: FrameContext,
    negative: FrameContext | None,
    text: FrameContext | None,
    settings: SampleSettings,
) -> dict[str, Tensor]:
    """States [F, L, C] of every branch that guidance needs."""
    given = {NEGATIVE: negative, TEXT: text, PROMPT: positive}
    titles = {NEGATIVE: "negative prompt", TEXT: "prompt without its sound", PROMPT: "prompt"}
    contexts = {}
    for name in settings.branches:
        context = given[name]
        if context is None and name == NEGATIVE:
            raise A2VError(
                f"guidance_scale is {settings.guidance_scale:g} but there is no negative prompt to lead away "
                'from: encode one ("" will do), or set guidance_scale to 1'
            )
        if context is None:
            raise A2VError(
                f"sound_guidance is {settings.sound_guidance:g} but the prompt without its sound is missing: "
                "encode it without audio tokens, or set sound_guidance to None"
            )
        if context.num_frames != settings.num_frames:
            raise A2VError(
                f"The {titles[name]} is encoded for {context.num_frames} frames, but {settings.num_frames} "
                "are to be sampled: use one number for both"
            )
        contexts[name] = context.per_frame.to(positive.states.device, positive.states.dtype)
    return contexts


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


def _checked_steps(settings: SampleSettings, speed: Speed, scheduler: object) -> int:
    most = int(scheduler.config.num_train_timesteps)  # type: ignore[attr-defined]
    if settings.steps > most:
        raise A2VError(f"steps is {settings.steps}: this model's noise schedule has {most} steps")
    return max(1, round(settings.steps * speed.steps))
