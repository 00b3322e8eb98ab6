"""Frechet distance between two Gaussians, the basis of FID and FVD.

Legend: n samples, D width of the features.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import A2VError

Array = np.ndarray[Any, np.dtype[np.float64]]


def frechet_distance(mean_a: Array, covariance_a: Array, mean_b: Array, covariance_b: Array) -> float:
    """|mean_a - mean_b|^2 + trace(A + B - 2 (A B)^(1/2)) for means [D] and covariances [D, D].

    The trace of the root is the sum of the singular values of A^(1/2) B^(1/2), which is stable also for
    covariances without full rank. Source: Dowson and Landau, 1982.
    """
    root = float(np.linalg.svd(_root(covariance_a) @ _root(covariance_b), compute_uv=False).sum())
    difference = mean_a - mean_b
    return float(difference @ difference + np.trace(covariance_a) + np.trace(covariance_b) - 2 * root)


def frechet_of_features(a: Array, b: Array) -> float:
    """Frechet distance of the Gaussians fitted to features [n, D] and [m, D]; at least two samples each."""
    for features in (a, b):
        if features.ndim != 2 or len(features) < 2:
            raise A2VError(
                f"A Frechet distance needs at least 2 videos on either side, got {features.shape[0]}; "
                "below a few hundred it says little."
            )
    if a.shape[1] != b.shape[1]:
        raise A2VError(f"Features of width {a.shape[1]} and {b.shape[1]} do not compare; use one model.")
    return frechet_distance(a.mean(0), np.cov(a, rowvar=False), b.mean(0), np.cov(b, rowvar=False))


def _root(covariance: Array) -> Array:
    """The symmetric square root of a positive semidefinite matrix."""
    values, vectors = np.linalg.eigh(np.atleast_2d(covariance))
    root: Array = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    return root
