"""Model files: fetched by name from where they were published, converted, and told apart."""

from .catalogue import CATALOGUE, KINDS, Kind, Model, fetchable, model_at, model_named
from .convert import convert
from .describe import amount, describe_plan
from .errors import DownloadError
from .fetch import fetch
from .identify import Identity, identify
from .own import own_model
from .plan import Plan, make_plan

__all__ = [
    "CATALOGUE",
    "KINDS",
    "DownloadError",
    "Identity",
    "Kind",
    "Model",
    "Plan",
    "amount",
    "convert",
    "describe_plan",
    "fetch",
    "fetchable",
    "identify",
    "make_plan",
    "model_at",
    "model_named",
    "own_model",
]
