"""Shared by all trainings: objective, optimizer, EMA, state dicts, metrics log, a small training loop."""

from .average import MovingAverage
from .metrics_log import MetricsLog, read_lines
from .minimize import Checkpointing, minimize
from .objective import PredictionError, motion_weights, temp_l1
from .optimizer import LearningRate, make_optimizer, set_learning_rate
from .state import load_state, state_tensors

__all__ = [
    "Checkpointing",
    "LearningRate",
    "MetricsLog",
    "MovingAverage",
    "PredictionError",
    "load_state",
    "make_optimizer",
    "minimize",
    "motion_weights",
    "read_lines",
    "set_learning_rate",
    "state_tensors",
    "temp_l1",
]
