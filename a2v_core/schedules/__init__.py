"""Noise schedules and their solvers, by name."""

from __future__ import annotations

from .noise import (
    DEFAULT_SCHEDULER,
    SCHEDULERS,
    check_scheduler,
    make_scheduler,
    predict_original,
    step_options,
)

__all__ = [
    "DEFAULT_SCHEDULER",
    "SCHEDULERS",
    "check_scheduler",
    "make_scheduler",
    "predict_original",
    "step_options",
]
