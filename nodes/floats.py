"""Schedules at the sockets FLOAT and FLOATS: a number, or a list of one for every frame, from any pack."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

import torch
from comfy_api.latest import io
from torch import Tensor

from ..a2v_core.errors import A2VError

LIST_TYPES = [io.Float, io.Custom("FLOATS")]
"""What inputs take: core's FLOATS, and FLOAT, which many packs use for a list as well."""
List = io.Custom("FLOATS,FLOAT")
"""The same as an output: it fits inputs of either type."""


def read_floats(value: Any, name: str) -> Tensor:
    """Float32 [n] of a list, tuple, NumPy array or tensor of n numbers; [] (a scalar) of one number.

    A2VError that calls the input `name` for anything else, and for numbers that are not finite.
    """
    listed = value.tolist() if hasattr(value, "tolist") else value  # of numpy, or a tensor
    numbers = [listed] if isinstance(listed, Real) else listed
    if not isinstance(numbers, Sequence) or not all(isinstance(number, Real) for number in numbers):
        raise A2VError(f"{name} is a {type(value).__name__}, expected a number or a list of numbers")
    values = torch.tensor(numbers, dtype=torch.float32)
    if not bool(values.isfinite().all()):
        raise A2VError(f"{name} has numbers that are not finite: check the schedule")
    return values[0] if isinstance(listed, Real) else values
