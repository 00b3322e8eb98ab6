"""Metrics, validation videos and warnings of a training, written by the main process alone."""

from __future__ import annotations

import logging
import math
import statistics
from collections.abc import Mapping

from a2v_core.files import atomic_path

from ..config import Config, to_yaml
from ..parts import MetricsLog
from .loggers import Loggers
from .validate import Video

TIMED_STEPS = 5  # steps over which the cost of training without a cache is measured, after the first
L1_STEPS = 10  # steps over which the median ratio of the gradients is taken
_log = logging.getLogger(__name__)


class Records:
    """Files and loggers of a training that starts, or goes on, after `step` finished steps."""

    def __init__(self, config: Config, step: int) -> None:
        self.config = config
        folder = config.output_dir
        folder.mkdir(parents=True, exist_ok=True)
        self._loggers = Loggers(config, step)
        with atomic_path(folder / "config.yaml") as part:
            part.write_text(to_yaml(config))
        self._metrics = MetricsLog(folder / "metrics.jsonl", step)
        self._validations = MetricsLog(folder / "validation.jsonl", step)
        self._warned = False
        self._l1_ratios: list[float] = []
        self._seconds: list[tuple[float, float]] = []

    def step(
        self, step: int, values: Mapping[str, float], clips: int, seconds: float, encoding: float
    ) -> None:
        """Write the metrics of a finished step.

        clips     in the step
        seconds   that it took
        encoding  seconds of decoding and encoding clips among them
        """
        finite = {name: value for name, value in values.items() if math.isfinite(value)}
        self._metrics.add({"step": step, **finite})
        if step == 1 or step % self.config.logging.every == 0:
            self._loggers.scalars({**finite, "clips_per_second": clips / seconds}, step)
        self._warn_of_l1(step, values["l1_pull"])
        self._log_encoding_cost(seconds, encoding)

    def validation(self, step: int, values: Mapping[str, float]) -> None:
        """Write the metrics of a validation after `step`."""
        self._validations.add({"step": step, **values})
        self._loggers.scalars({f"validation/{name}": value for name, value in values.items()}, step)

    def video(self, step: int, video: Video) -> None:
        """Log a validation video."""
        self._loggers.video(video.id, video.path, video.frames, video.sound, self.config.data.fps, step)

    def close(self) -> None:
        """Close files and loggers."""
        self._metrics.close()
        self._validations.close()
        self._loggers.close()

    def _warn_of_l1(self, step: int, l1_ratio: float) -> None:
        # A median, since at some timesteps the gradient of the first term is small.
        self._l1_ratios = (
            [*self._l1_ratios, l1_ratio][-L1_STEPS:] if math.isfinite(l1_ratio) else self._l1_ratios
        )
        median = statistics.median(self._l1_ratios) if len(self._l1_ratios) >= L1_STEPS else 0.0
        if median > 1 and not self._warned:
            self._warned = True
            _log.warning(
                "step %d: the gradient of the L1 term is %.1f times that of the first term: the tokens "
                "shrink whatever they should say, and the adapter collapses. Lower loss.l1_weight (%g)",
                step,
                median,
                self.config.loss.l1_weight,
            )

    def _log_encoding_cost(self, seconds: float, encoding: float) -> None:
        if not encoding or len(self._seconds) > TIMED_STEPS:
            return
        self._seconds.append((seconds, encoding))
        if len(self._seconds) == TIMED_STEPS + 1:
            whole, part = (sum(column) / TIMED_STEPS for column in zip(*self._seconds[1:], strict=True))
            _log.info(
                "no cache: %.2f s of a step's %.2f s go into decoding and encoding (%.0f %%); "
                "python -m training.precompute would spare them",
                part,
                whole,
                100 * part / whole,
            )
