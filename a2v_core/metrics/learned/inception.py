"""Inception Score: confidence of the class of each video, and diversity of the classes of all.

Legend: n videos, K classes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import A2VError

Array = np.ndarray[Any, np.dtype[np.float64]]


def inception_score(probabilities: Array, splits: int = 1) -> tuple[float, float]:
    """(mean, standard deviation) over `splits` of exp of the mean KL divergence from the mean distribution.

    probabilities  [n, K], rows sum to 1. 1 is the least, K the most. Source: Salimans et al., 2016.
    """
    if probabilities.ndim != 2 or len(probabilities) < splits:
        raise A2VError(f"An Inception Score needs at least {splits} videos, got {len(probabilities)}.")
    if not np.allclose(probabilities.sum(axis=1), 1, atol=1e-3) or (probabilities < 0).any():
        raise A2VError("An Inception Score needs class probabilities: rows of numbers above 0 that sum to 1.")
    scores = [_score(part) for part in np.array_split(probabilities.astype(np.float64), splits)]
    return float(np.mean(scores)), float(np.std(scores))


def _score(probabilities: Array) -> float:
    marginal = probabilities.mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(probabilities > 0, probabilities * np.log(probabilities / marginal), 0.0)
    return float(np.exp(terms.sum(axis=1).mean()))
