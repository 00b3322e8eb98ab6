"""Loads a saved workflow from any file that holds one and converts it to a prompt in API format."""

from .convert import ApiPrompt, to_api
from .load import is_api, load_workflow
from .overrides import apply_overrides, describe, specs_of, titles_of
from .seeds import apply_seed
from .values import ObjectInfo
from .widgets import Spec, choices, options

__all__ = [
    "ApiPrompt",
    "ObjectInfo",
    "Spec",
    "apply_overrides",
    "apply_seed",
    "choices",
    "describe",
    "is_api",
    "load_workflow",
    "options",
    "specs_of",
    "titles_of",
    "to_api",
]
