"""Fits the adapter, with checkpoints from which a killed training resumes exactly."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from tqdm import tqdm

from a2v_core.backbones import Part, load_t2v

from ..cache import Sample
from ..config import Config, check_paths
from ..data import some_bad
from ..errors import TrainingError
from ..parts import MovingAverage, set_learning_rate
from ..prompts import check_for, say_that_words_go
from . import checkpoint
from .agreement import check_agreement
from .batches import Batch
from .gradients import flat_gradient, set_gradient
from .loss import Objective, gradient_ratio
from .records import Records
from .setup import (
    check_videos,
    learning_rate,
    load_frozen,
    make_accelerator,
    make_adamw,
    make_sampler,
    make_source,
    make_trainee,
    open_texts,
)
from .validate import make_videos, mean_score, validation_loss

BEST_FILE = "best.safetensors"
_log = logging.getLogger(__name__)


class Result(NamedTuple):
    """steps finished; loss of the last; file of what was trained; that of the best validation loss, if any;
    whether unusable files were skipped.
    """

    steps: int
    loss: float
    trained: Path
    best: Path | None
    some_bad: bool = False

    def __str__(self) -> str:
        best = f"; best by validation loss: {self.best}" if self.best else ""
        loss = "" if math.isnan(self.loss) else f", last loss {self.loss:.5f}"
        return f"{self.steps} steps done{loss}; {self.trained.stem}: {self.trained}{best}"


def fit(config: Config, on_step: Callable[[int], None] | None = None, progress: bool = True) -> Result:
    """Train, or resume from the newest checkpoint in output_dir. Under `accelerate launch`, on all GPUs.

    `on_step` is called with the number of finished steps after each one and may raise to end the training.
    Raises ConfigError, DataError and CheckpointError for what cannot be used, TrainingError when the loss is
    not finite or when output_dir holds another training.
    """
    trainer = Trainer(config)
    try:
        return trainer.run(on_step, progress)
    finally:
        trainer.close()


class Trainer:
    """A training in progress; `step` finished steps, `best` the lowest validation loss so far."""

    def __init__(self, config: Config) -> None:
        self.config = config
        check_paths(config, ("models.t2v", "models.mapper", "models.adapter"))
        spec = load_t2v(config.models.t2v, parts=[]).spec
        check_for(config, spec)
        self.accelerator = make_accelerator(config)
        self.sampler = make_sampler(config, self.accelerator)
        self.source = make_source(config, self.accelerator)
        texts = open_texts(config, spec, self.source)
        parts: list[Part] = ["text", "denoiser"] if texts is None else ["denoiser"]
        backbone = load_frozen(config, self.accelerator.device, parts)
        check_videos(config, backbone)
        self.trainee = make_trainee(config, backbone, texts)
        self.objective = Objective.of(config, backbone, self.trainee)
        layers, width = self.source.feature_shape
        self.module = self.trainee.make(width, layers).to(self.accelerator.device)
        self.parameters = [p for p in self.module.parameters() if p.requires_grad]
        self.rate = learning_rate(config.optimizer)
        adamw = make_adamw(self.module, config.optimizer)
        decay = config.optimizer.ema_decay
        self.average = None if decay is None else MovingAverage(self.module, decay)
        resumed = checkpoint.resume(
            config, self.sampler.global_batch, self.trainee.name, self.module, adamw, self.average
        )
        self.step, self.best = (resumed.step, resumed.best) if resumed else (0, None)
        check_agreement(config, self.accelerator, self.step, self.source.order, self.module)
        self.optimizer = self.accelerator.prepare_optimizer(adamw)
        if resumed and self.accelerator.scaler is not None:
            self.accelerator.scaler.load_state_dict(resumed.scaler)
        self.records = Records(config, self.step) if self.accelerator.is_main_process else None
        if self.accelerator.is_main_process:
            say_that_words_go(config, spec)
            checkpoint.clear_partial(checkpoint.folder_of(config))
        self._held_out: list[Sample] | None = None

    def run(self, on_step: Callable[[int], None] | None, progress: bool) -> Result:
        """Train until `run.steps`."""
        steps, clips = self.config.run.steps, self.sampler.global_batch
        loss = math.nan
        hidden = not (progress and self.accelerator.is_main_process)
        with tqdm(total=steps, initial=self.step, unit="step", desc="fit", disable=hidden) as bar:
            for loss, seconds in self.steps():
                bar.set_postfix(loss=f"{loss:.4f}", clips_s=f"{clips / seconds:.2f}", refresh=False)
                bar.update()
                if on_step is not None:
                    on_step(self.step)
        best = self.config.output_dir / BEST_FILE
        return Result(
            self.step,
            loss,
            self.trainee.file,
            best if best.is_file() else None,
            some_bad(self.source.unusable),
        )

    def steps(self) -> Iterator[tuple[float, float]]:
        """Do the remaining steps, one at a time: the loss of each, and its seconds."""
        batches = self.source.batches(self.sampler.batches(self.step, self.config.run.steps))
        while self.step < self.config.run.steps:
            start, encoded = time.perf_counter(), self.source.encoding_seconds
            values = self._train_step(batches)
            self.step += 1
            seconds = time.perf_counter() - start
            if self.records is not None:
                encoding = self.source.encoding_seconds - encoded
                self.records.step(self.step, values, self.sampler.global_batch, seconds, encoding)
            self._validate_and_save()
            yield values["loss"], seconds

    def close(self) -> None:
        """Close files and loggers."""
        if self.records is not None:
            self.records.close()

    def _train_step(self, batches: Iterator[Batch]) -> dict[str, float]:
        """One optimizer step: forward and backward of the global batch, then AdamW."""
        rate = self.rate.at(self.step, self.config.run.steps)
        set_learning_rate(self.optimizer, rate)
        self.optimizer.zero_grad()
        sums = torch.zeros(2, device=self.accelerator.device)
        l1_ratio = math.nan
        for _ in range(self.sampler.accumulate):
            batch = next(batches)
            if batch.samples:
                batch_sums, l1_ratio = self._backward(batch)
                sums += batch_sums
        self._average_gradient()
        mse, temp_l1 = self._mean(sums).tolist()
        loss = mse + self.config.loss.l1_weight * temp_l1
        limit = self.config.optimizer.clip_grad_norm
        norm = float(self.accelerator.clip_grad_norm_(self.parameters, limit or math.inf))
        self._check_finite(loss, norm)
        self.optimizer.step()
        if self.average is not None:
            self.average.update(self.module, self.step)
        return {
            "loss": loss,
            "mse": mse,
            "temp_l1": temp_l1,
            "learning_rate": rate,
            "grad_norm": norm,
            "l1_pull": l1_ratio,
        }

    def _backward(self, batch: Batch) -> tuple[Tensor, float]:
        """Backward of one batch.

        Returns its contribution to the step's mse and temp_l1, [2], and the `gradient_ratio` of the L1 term.
        """
        config = self.config
        draws = [
            self.objective.draw(position, sample)
            for position, sample in zip(batch.positions, batch.samples, strict=True)
        ]
        losses = self.objective(self.module, batch.samples, draws)
        losses.tokens.retain_grad()
        # Sums, so that clips that could not be cut count as 0 instead of the others counting more.
        share = 1 / (self.sampler.batch_size * self.sampler.accumulate)
        total = (losses.mse.sum() + config.loss.l1_weight * losses.temp_l1.sum()) * share
        self.accelerator.backward(total)
        gradient, scaler = losses.tokens.grad, self.accelerator.scaler
        l1_ratio = math.nan
        if gradient is not None:
            scale = share * len(batch.samples) * (1.0 if scaler is None else scaler.get_scale())
            weight = config.loss.l1_weight
            l1_ratio = gradient_ratio(gradient / scale, losses.tokens, config.data.num_frames, weight)
        return torch.stack([losses.mse.detach().sum(), losses.temp_l1.detach().sum()]) * share, l1_ratio

    def _average_gradient(self) -> None:
        # One all-reduce of a small vector: the adapter is tiny beside the frozen model, and without a DDP
        # wrapper its state dict keys are the published ones.
        if self.accelerator.num_processes > 1:
            set_gradient(self.parameters, self._mean(flat_gradient(self.parameters)))

    def _mean(self, values: Tensor) -> Tensor:
        """Mean over the processes."""
        if self.accelerator.num_processes == 1:
            return values
        mean: Tensor = self.accelerator.reduce(values, "mean")
        return mean

    def _check_finite(self, loss: float, norm: float) -> None:
        """TrainingError when the loss, or without fp16's loss scaler the gradient norm, is not finite."""
        if math.isfinite(loss) and (math.isfinite(norm) or self.accelerator.scaler is not None):
            return
        first = self.step * self.sampler.global_batch
        positions = range(first, first + self.sampler.global_batch)
        clips = ", ".join(f"{name} ({number})" for name, number in map(self.source.order.at, positions))
        saved = checkpoint.checkpoints(checkpoint.folder_of(self.config))
        kept = f"the last good checkpoint is {saved[-1]}" if saved else "there is no checkpoint yet"
        raise TrainingError(
            f"step {self.step + 1}: loss {loss}, gradient norm {norm}; clips {clips}; {kept}. Look at these "
            "clips, lower optimizer.learning_rate, set optimizer.clip_grad_norm, or use bf16 or fp32"
        )

    def _validate_and_save(self) -> None:
        """Validate and save a checkpoint if due after this step."""
        last, every = self.step == self.config.run.steps, self.config.validation.every
        save = last or self.step % self.config.checkpoints.every == 0
        validate = bool(every) and (last or self.step % every == 0)
        if self.records is not None and validate:
            self._validate(self.records)
        if self.records is not None and save:
            self._save()
        if save or validate:
            self.accelerator.wait_for_everyone()

    def _save(self) -> None:
        scaler = self.accelerator.scaler
        progress = checkpoint.Progress(self.step, self.best, {} if scaler is None else scaler.state_dict())
        adamw = self.optimizer.optimizer
        name, module = self.trainee.name, self.module
        checkpoint.save(self.config, self.sampler.global_batch, progress, name, module, adamw, self.average)
        self._save_module(self.trainee.file)

    def _save_module(self, path: Path) -> None:
        facts = {"steps": self.step, "clips_per_step": self.sampler.global_batch}
        self.trainee.save(self._averaged(), path, facts)

    def _averaged(self) -> nn.Module:
        """The trained module for validation and saving: with EMA weights, if there are any."""
        if self.average is None:
            return self.module
        copy: nn.Module = self.trainee.copy_of(self.module, self.average.values)
        return copy

    def _validate(self, records: Records) -> None:
        settings = self.config.validation
        if self._held_out is None:
            self._held_out = self.source.held_out(max(settings.loss_clips, settings.videos))
        if not self._held_out:
            _log.warning("step %d: no held-out clips, so no validation; see data.test_share", self.step)
            return
        module = self._averaged()
        numbers: dict[str, float] = {}
        if settings.loss_clips:
            loss = validation_loss(self.objective, module, self._held_out[: settings.loss_clips])
            numbers["loss"] = loss
            if self.best is None or loss < self.best:
                self.best = loss
                self._save_module(self.config.output_dir / BEST_FILE)
        scores = []
        for video in make_videos(self.objective, module, self._held_out[: settings.videos], self.step):
            records.video(self.step, video)
            scores.append(video.av_align)
        if (score := mean_score(scores)) is not None:
            numbers["av_align"] = score
        records.validation(self.step, numbers)
