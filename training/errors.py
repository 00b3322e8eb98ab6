"""The errors of the trainer. Like all of the library's, their messages name the thing and the remedy."""

from __future__ import annotations

from a2v_core.errors import A2VError


class ConfigError(A2VError):
    """A config file or a `--set` that cannot be used."""


class DataError(A2VError):
    """A data set or a cache that cannot be trained on."""


class TrainingError(A2VError):
    """A training that cannot go on: loss that is not finite, checkpoints of another training."""
