"""Set-up of a training: processes, clips, the frozen model, the optimizer."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any

import torch
from accelerate import Accelerator
from torch import nn

from a2v_core.backbones import (
    AudioAdapted,
    Backbone,
    BackboneSpec,
    Part,
    Recompute,
    load_t2v,
    require,
    to_device,
)

from ..cache import Texts, open_cache
from ..config import Config, Optimizer, check_paths
from ..errors import ConfigError
from ..parts import LearningRate, make_optimizer
from ..prompts import text_of
from .batches import CachedSource, DirectSource, Source
from .order import BatchSampler
from .trained_adapter import AdapterTrainee
from .trained_mapper import MapperTrainee
from .trainee import Trainee

_log = logging.getLogger(__name__)


def make_accelerator(config: Config) -> Accelerator:
    """The Accelerator with its processes and device. ConfigError for fp16 without a GPU."""
    fp16 = config.run.precision == "fp16"
    if fp16 and (config.run.device == "cpu" or not torch.cuda.is_available()):
        raise ConfigError("run.precision fp16 needs a GPU; use bf16 or fp32 on the CPU")
    # The frozen models are loaded in their precision: autocast is not needed, only fp16's loss scaler.
    return Accelerator(mixed_precision="fp16" if fp16 else "no", cpu=config.run.device == "cpu")


def make_sampler(config: Config, accelerator: Accelerator) -> BatchSampler:
    """The share of this process in every step. ConfigError for clips that the processes cannot divide."""
    run, processes = config.run, accelerator.num_processes
    at_once = run.batch_size * processes
    if run.clips_per_step % at_once:
        raise ConfigError(
            f"run.clips_per_step {run.clips_per_step} is no multiple of run.batch_size {run.batch_size} x "
            f"{processes} processes; change one of the three"
        )
    accumulate = run.clips_per_step // at_once or run.accumulate
    return BatchSampler(run.batch_size, accumulate, processes, accelerator.process_index)


def make_source(config: Config, accelerator: Accelerator) -> Source:
    """The cache if there is one, else the files themselves."""
    contents = open_cache(config)
    if contents is not None:
        return CachedSource(config, contents)
    check_paths(config, ("models.beats", "data.root", "data.csv", "data.exclude_ids", "data.scores"))
    if accelerator.is_main_process:
        _log.info("no cache in %s: clips are decoded and encoded at every step", config.cache_dir)
    return DirectSource(config, accelerator.device, report=accelerator.is_main_process)


def open_texts(config: Config, spec: BackboneSpec, source: Source) -> Texts | None:
    """Texts that are encoded already: from a cache, of a model whose texts are the same for every sound."""
    if spec.audio == "words" or not isinstance(source, CachedSource):
        return None
    texts = Texts(config)
    texts.check([text_of(config, caption) for caption in source.captions])
    return texts


def load_frozen(
    config: Config, device: torch.device, parts: Collection[Part] = ("text", "denoiser")
) -> Backbone:
    """Denoiser and text encoder on the device, in the precision of the run, without the VAE."""
    backbone = load_t2v(config.models.t2v, config.run.precision, parts)
    to_device(backbone, device)
    if config.run.gradient_checkpointing:
        require(backbone, Recompute, "run.gradient_checkpointing").recompute_activations()
    return backbone


def make_trainee(config: Config, backbone: Backbone, texts: Texts | None) -> Trainee[Any]:
    """What is trained with this model."""
    if backbone.spec.audio == "words":
        return MapperTrainee(config, backbone)
    adapted: Any = require(backbone, AudioAdapted, "an audio adapter")
    return AdapterTrainee(config, adapted, adapted.encode_captions if texts is None else texts.states)


def check_videos(config: Config, backbone: Backbone) -> None:
    """A2VError when the videos of a validation cannot be sampled with this model: before the first step."""
    settings = config.validation
    if settings.every and settings.videos:
        backbone.schedule(settings.scheduler, settings.steps, settings.seed)


def make_adamw(module: nn.Module, config: Optimizer) -> torch.optim.AdamW:
    """AdamW over the trainable parameters of the trained module."""
    return make_optimizer(
        module,
        config.learning_rate,
        betas=(config.betas[0], config.betas[1]),
        weight_decay=config.weight_decay,
        eps=config.eps,
    )


def learning_rate(config: Optimizer) -> LearningRate:
    """The learning rate schedule of the config."""
    return LearningRate(
        config.learning_rate, config.schedule, config.warm_up_steps, final_share=config.final_share
    )
