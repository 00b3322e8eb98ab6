"""Typed training configs: schema, YAML loader, reference."""

from .fitting import Loss, Optimizer
from .inputs import Adapter, Data, Mapper
from .load import check_paths, load_config, make_config, to_json, to_yaml
from .schema import Config
from .section import Section

__all__ = [
    "Adapter",
    "Config",
    "Data",
    "Loss",
    "Mapper",
    "Optimizer",
    "Section",
    "check_paths",
    "load_config",
    "make_config",
    "to_json",
    "to_yaml",
]
