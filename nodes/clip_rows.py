"""CONDITIONING with a row for every frame, of the conditionings of its distinct texts.

Legend: F video frames, U distinct texts, L text positions, C text width.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

Conditioning = list[list[Any]]


def by_frame(encoded: list[Conditioning], index: Tensor) -> Conditioning:
    """U conditionings of one row and the number of the one of every frame, int64 [F] -> one of F rows.

    Texts of several chunks of 77 positions are longer: the shorter ones are repeated as often as they need,
    as core does for texts that it samples together, which changes nothing for attention.
    """

    def rows(values: list[Any]) -> Any:
        if isinstance(values[0], Tensor) and len(values[0]) == 1:
            return torch.cat(_equally_long(values))[index.to(values[0].device)]
        return values[0]

    return [
        [rows([one[0] for one in parts]), {key: rows([one[1][key] for one in parts]) for key in parts[0][1]}]
        for parts in zip(*encoded, strict=True)
    ]


def _equally_long(values: list[Tensor]) -> list[Tensor]:
    """Rows [1, L, ...] repeated along L to the least common length."""
    if values[0].ndim < 2 or len({value.shape[1] for value in values}) == 1:
        return values
    longest = math.lcm(*(value.shape[1] for value in values))
    return [value.repeat(1, longest // value.shape[1], *[1] * (value.ndim - 2)) for value in values]
