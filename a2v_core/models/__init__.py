"""Model files: published ones downloaded by name, converted, identified."""

from .catalogue import CATALOGUE, KINDS, Kind, Model, fetchable, model_at, model_named
from .convert import convert
from .describe import describe_plan, format_size
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
    "convert",
    "describe_plan",
    "fetch",
    "fetchable",
    "format_size",
    "identify",
    "make_plan",
    "model_at",
    "model_named",
    "own_model",
]
