"""float32 that is float32, and how far results lie apart."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from ..sampling import psnr
from .job import Wrong


@contextmanager
def full_float32() -> Iterator[None]:
    """While it lasts, products and convolutions in float32 do not use TF32, as cuDNN's would by default."""
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, cudnn.allow_tf32
    matmul.allow_tf32 = cudnn.allow_tf32 = False
    try:
        yield
    finally:
        matmul.allow_tf32, cudnn.allow_tf32 = before


def largest(found: Tensor, expected: Tensor) -> float:
    """The largest difference of two values; infinite for shapes that differ and for what is not finite."""
    if found.shape != expected.shape:
        return math.inf
    difference = float((found.double().cpu() - expected.double().cpu()).abs().max())
    return difference if math.isfinite(difference) else math.inf


def relative(found: Tensor, expected: Tensor) -> float:
    """Norm of the difference over the norm of what was expected."""
    found, expected = found.double().cpu(), expected.double().cpu()
    share = float((found - expected).norm() / expected.norm())
    return share if math.isfinite(share) else math.inf


def decibels(frames: Tensor, reference: Tensor) -> float:
    """PSNR of frames in 0..1, at most 200, so that equal ones have a number."""
    return min(psnr(frames.cpu(), reference.cpu()), 200.0)


def within(differences: dict[str, float], tolerance: float) -> dict[str, dict[str, Any]]:
    """Differences beside their tolerance."""
    return {
        name: {"difference": found, "tolerance": tolerance, "within": found <= tolerance}
        for name, found in differences.items()
    }


def check(rows: dict[str, dict[str, Any]]) -> None:
    """Wrong, with their names, where some are beyond."""
    if beyond := [f"{name} {row['difference']:.2g}" for name, row in rows.items() if not row["within"]]:
        raise Wrong(f"beyond the tolerance: {', '.join(beyond)}")
