"""Sections of a config: how it is trained, and how the training is watched."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from a2v_core.schedules import SCHEDULERS

from .section import Count, Positive, Section, Share

Precision = Literal["fp32", "fp16", "bf16"]


class Loss(Section):
    """The objective: MSE of what the model predicts + l1_weight * mean |temp tokens|.

    l1_weight          0.01 as published; too much where the first term is small (see the warning in the log)
                       and of no use in an adapter, which normalises its tokens: 0 there
    motion_weight      how much more errors count where a clip moves: the weight of a latent pixel is
                       (1 + w * change / mean change) / (1 + w); 0: all the same
    min_snr_gamma      min-SNR weighting of timesteps (arXiv 2303.09556; 5 is usual); empty: none
    condition_dropout  share of clips without their sound: they get a learned "no sound" token, or in an
                       adapter a gate of 0
    timesteps          uniform (as published), high_noise (density grows with the noise) or logit_normal (with
                       the shift of a flow model)
    timestep_min      lowest timestep of the model's noise schedule
    timestep_max      highest timestep; empty: the schedule's last
    """

    l1_weight: Annotated[float, Field(ge=0)] = 0.01
    motion_weight: Annotated[float, Field(ge=0)] = 0.0
    min_snr_gamma: Annotated[float, Field(gt=0)] | None = None
    condition_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    timesteps: Literal["uniform", "high_noise", "logit_normal"] = "uniform"
    timestep_min: Count = 0
    timestep_max: Count | None = None


class Optimizer(Section):
    """AdamW and its learning rate.

    learning_rate   its highest value
    betas           of AdamW
    weight_decay    of AdamW
    eps             of AdamW
    schedule        constant, or cosine down to the last step
    warm_up_steps   steps of linear warm-up
    final_share     share of the learning rate that is left at the last step of a cosine
    clip_grad_norm  maximum norm of the gradient; empty: no clipping, as in the published code in effect
    ema_decay       decay of an EMA of the weights, which is then validated and saved; empty: none
    """

    learning_rate: Annotated[float, Field(gt=0)] = 1e-5
    betas: Annotated[list[Share], Field(min_length=2, max_length=2)] = [0.9, 0.999]
    weight_decay: Annotated[float, Field(ge=0)] = 1e-2
    eps: Annotated[float, Field(gt=0)] = 1e-8
    schedule: Literal["constant", "cosine"] = "constant"
    warm_up_steps: Count = 0
    final_share: Share = 0.0
    clip_grad_norm: Annotated[float, Field(gt=0)] | None = None
    ema_decay: Annotated[float, Field(gt=0, lt=1)] | None = None


class Run(Section):
    """Steps, batch size, precision and device.

    steps                   optimizer steps
    batch_size              clips per process at once
    accumulate              gradient accumulation: batches of a process per step
    clips_per_step          clips of a step over all processes; accumulate follows from it, so that the same
                            file gives the same numbers with any number of processes. 0: from accumulate
    precision               fp32, bf16 or fp16 for the frozen models; the mapper is always trained in fp32
    gradient_checkpointing  recompute UNet and text encoder in backward, block by block: less memory,
                            about a third more time
    workers                 processes that read or decode clips ahead (0: none)
    device                  auto: a GPU if there is one; cpu
    """

    steps: Positive = 10_000
    batch_size: Positive = 1
    accumulate: Positive = 1
    clips_per_step: Count = 0
    precision: Precision = "fp32"
    gradient_checkpointing: bool = True
    workers: Count = 2
    device: Literal["auto", "cpu"] = "auto"

    @model_validator(mode="after")
    def _check(self) -> Run:
        if self.clips_per_step and self.accumulate != 1:
            raise ValueError("accumulate follows from clips_per_step: leave one of them out")
        return self


class Checkpoints(Section):
    """Checkpoints of a training in progress.

    every      steps between two checkpoints
    keep_last  how many are kept, beside best.safetensors
    """

    every: Positive = 500
    keep_last: Positive = 3


class Validation(Section):
    """Validation on held-out clips.

    every             steps between two validations, and one at the end; 0: none
    loss_clips        clips of the validation loss, always the same noise; the lowest loss is the best mapper
    videos            clips that are generated, with their sound, and scored by AV-Align
    steps             sampling steps of the videos
    guidance_scale    of the videos
    scheduler         of the videos, by its name in the T2V Sampler
    seed              of the videos
    away_from         negative prompt of the guidance: the empty_prompt (as published), or the prompt with the
                      no_sound token (needs loss.condition_dropout)
    """

    every: Count = 500
    loss_clips: Count = 16
    videos: Count = 2
    steps: Positive = 25
    guidance_scale: Annotated[float, Field(ge=0)] = 25.0
    scheduler: str = "dpmpp_2m"
    seed: Count = 0
    away_from: Literal["empty_prompt", "no_sound"] = "empty_prompt"

    @model_validator(mode="after")
    def _check(self) -> Validation:
        if self.scheduler not in SCHEDULERS:
            raise ValueError(f"scheduler {self.scheduler!r} is none of {', '.join(SCHEDULERS)}")
        return self


class Logging(Section):
    """Experiment loggers, beside metrics.jsonl with every step.

    every        steps between two points in TensorBoard and wandb
    tensorboard  write output_dir/tensorboard
    wandb        log to Weights & Biases, if the package is installed
    project      its project name
    """

    every: Positive = 10
    tensorboard: bool = True
    wandb: bool = False
    project: str = "audio-to-video"
