"""The training loop of the adapter."""

from .trainer import Result, fit

__all__ = ["Result", "fit"]
