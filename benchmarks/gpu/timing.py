"""Seconds and memory of work on a device: warmed up, waited for, each with its spread."""

from __future__ import annotations

import statistics
from typing import Any

import torch

from ..machine import forget_peak, resident_bytes
from .job import Job


def forget(job: Job) -> None:
    """Let the peak of `peaks` begin anew."""
    if job.on_gpu:
        torch.cuda.synchronize(job.device)
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(job.device)
    else:
        forget_peak()


def peaks(job: Job) -> dict[str, int]:
    """The most bytes since `forget`: `allocated` by tensors and `reserved` for them on a GPU, resident on a
    CPU."""
    if not job.on_gpu:
        return {"allocated": resident_bytes()[1], "reserved": resident_bytes()[1]}
    return {
        "allocated": torch.cuda.max_memory_allocated(job.device),
        "reserved": torch.cuda.max_memory_reserved(job.device),
    }


def spread(seconds: list[float]) -> dict[str, Any]:
    """Median, extremes and number of measurements."""
    return {
        "seconds_each": statistics.median(seconds),
        "fastest": min(seconds),
        "slowest": max(seconds),
        "runs": len(seconds),
    }
