"""From noise to latents: one plain loop over a schedule, with classifier-free guidance.

Legend: F video frames, c latent channels, f latent frames, h w latent size.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ..backbones import Backbone, Grid
from ..errors import A2VError
from ..prompts import ContextBatch, FrameContext
from .guidance import Denoise, Guide
from .guidance_scales import NEGATIVE, PROMPT, TEXT
from .precision import in_precision_of
from .settings import SampleSettings
from .speed import find_speed

# step (from 0), number of steps, estimate of the clean latents [1, c, f, h, w], latents after the step
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
    denoise: Denoise | None = None,
) -> Tensor:
    """Latents [1, c, f, h, w], float32, of a clip that shows what `positive` says for every frame.

    `negative` is what guidance leads away from (the text encoder's states of "" or of a negative prompt); it
    is not looked at when guidance_scale is 1 or the speed mode never guides. Noise is drawn on the CPU from
    the seed, so that a seed means the same on every device. `latents` [1, c, f, h, w] of unit variance
    replaces the first noise. Whatever `callback` raises ends the run. `text` is the prompt without its sound,
    looked at only when sound_guidance differs from guidance_scale. The settings' speed says what may be left
    out. `denoise` takes the place of the backbone's own.
    A2VError when contexts, latents and settings do not fit together, or when the result is not finite.
    """
    settings = settings.resolved(backbone.spec)
    grid, device = settings.grid(backbone.spec), backbone.device
    names = settings.branches
    contexts = _contexts(positive, negative, text, settings, grid)
    batch = ContextBatch.of([contexts[name] for name in names]).to(device)
    speed = find_speed(settings.speed)
    schedule = backbone.schedule(
        settings.scheduler, max(1, round(settings.steps * speed.steps)), settings.seed
    )
    noise = schedule.noise(grid.shape) if latents is None else _checked(latents, grid, settings)
    x = schedule.start(noise.to(device))
    total = len(schedule.timesteps)
    with in_precision_of(speed, backbone, "denoiser"):
        guide = Guide(backbone, names, batch, settings, total, denoise)
        for step, t in enumerate(schedule.timesteps):
            model_input = schedule.model_input(x, t)
            prediction = guide.predict(step, model_input, t)
            x = schedule.step(prediction, t, x)
            if callback is not None:
                callback(step, total, schedule.clean(prediction, model_input, t), x)
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
    grid: Grid,
) -> dict[str, FrameContext]:
    """The context of every branch that guidance needs."""
    given = {NEGATIVE: negative, TEXT: text, PROMPT: positive}
    titles = {NEGATIVE: "negative prompt", TEXT: "prompt without its sound", PROMPT: "prompt"}
    kind = "frames" if grid.frames == settings.num_frames else "latent frames"
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
        if context.num_frames != grid.frames:
            raise A2VError(
                f"The {titles[name]} is encoded for {context.num_frames} {kind}, but {grid.frames} "
                "are to be sampled: use one number for both"
            )
        contexts[name] = context
    return contexts


def _checked(given: Tensor, grid: Grid, settings: SampleSettings) -> Tensor:
    if tuple(given.shape) != grid.shape:
        raise A2VError(
            f"The first latents have shape {list(given.shape)}; {settings.num_frames} frames of "
            f"{settings.width} x {settings.height} pixels need {list(grid.shape)}"
        )
    return given.float()
