"""The training loop and its parts."""

from .trainer import Result, fit

__all__ = ["Result", "fit"]
