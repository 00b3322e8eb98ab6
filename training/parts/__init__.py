"""What every training here is made of: objective, optimizer, moving average, state on disk, a small loop."""

from .average import MovingAverage
from .curve import Curve, read_lines
from .minimize import Keep, minimize
from .objective import PredictionError, temp_l1
from .optimizer import LearningRate, make_optimizer, set_learning_rate
from .state import load_state, state_tensors

__all__ = [
    "Curve",
    "Keep",
    "LearningRate",
    "MovingAverage",
    "PredictionError",
    "load_state",
    "make_optimizer",
    "minimize",
    "read_lines",
    "set_learning_rate",
    "state_tensors",
    "temp_l1",
]
