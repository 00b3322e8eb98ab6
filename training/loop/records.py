"""Metrics, validation videos and warnings of a training, written by the main process alone."""

from __future__ import annotations

import logging
import math
import statistics
from collections.abc import Mapping

from a2v_core.files import atomic_path

from ..config import Config, to_yaml
from ..parts import Curve
from .validate import Video
from .watch import Watch

COST_STEPS = 5  # steps over which the price of training without a cache is measured, after the first
PULLS = 10  # steps whose median says how strong the L1 term is
_log = logging.getLogger(__name__)


class Records:
    """Files and loggers of a training that starts, or goes on, after `step` finished steps."""

    def __init__(self, config: Config, step: int) -> None:
        self.config = config
        folder = config.output_dir
        folder.mkdir(parents=True, exist_ok=True)
        self._watch = Watch(config, step)
        with atomic_path(folder / "config.yaml") as part:
            part.write_text(to_yaml(config))
        self._curve = Curve(folder / "metrics.jsonl", step)
        self._validations = Curve(folder / "validation.jsonl", step)
        self._warned = False
        self._pulls: list[float] = []
        self._seconds: list[tuple[float, float]] = []

    def step(
        self, step: int, values: Mapping[str, float], clips: int, seconds: float, encoding: float
    ) -> None:
        """Write the metrics of a finished step.

        clips     in the step
        seconds   that it took
        encoding  seconds of them that went into decoding and encoding clips
        """
        finite = {name: value for name, value in values.items() if math.isfinite(value)}
        self._curve.add({"step": step, **finite})
        if step == 1 or step % self.config.logging.every == 0:
            self._watch.scalars({**finite, "clips_per_second": clips / seconds}, step)
        self._warn_of_l1(step, values["l1_pull"])
        self._tell_cost(seconds, encoding)

    def validation(self, step: int, values: Mapping[str, float]) -> None:
        """Write the metrics of a validation after `step`."""
        self._validations.add({"step": step, **values})
        self._watch.scalars({f"validation/{name}": value for name, value in values.items()}, step)

    def video(self, step: int, video: Video) -> None:
        """Log a validation video."""
        self._watch.video(video.id, video.path, video.frames, video.sound, self.config.data.fps, step)

    def close(self) -> None:
        """Close files and loggers."""
        self._curve.close()
        self._validations.close()
        self._watch.close()

    def _warn_of_l1(self, step: int, pull: float) -> None:
        # One step says little: at some timesteps the first term hardly pulls.
        self._pulls = [*self._pulls, pull][-PULLS:] if math.isfinite(pull) else self._pulls
        usual = statistics.median(self._pulls) if len(self._pulls) >= PULLS else 0.0
        if usual > 1 and not self._warned:
            self._warned = True
            _log.warning(
                "step %d: the gradient of the L1 term is %.1f times that of the first term: the tokens "
                "shrink whatever they should say, and the adapter collapses. Lower loss.l1_weight (%g)",
                step,
                usual,
                self.config.loss.l1_weight,
            )

    def _tell_cost(self, seconds: float, encoding: float) -> None:
        if not encoding or len(self._seconds) > COST_STEPS:
            return
        self._seconds.append((seconds, encoding))
        if len(self._seconds) == COST_STEPS + 1:
            whole, part = (sum(column) / COST_STEPS for column in zip(*self._seconds[1:], strict=True))
            _log.info(
                "no cache: %.2f s of a step's %.2f s go into decoding and encoding (%.0f %%); "
                "python -m training.precompute would spare them",
                part,
                whole,
                100 * part / whole,
            )
