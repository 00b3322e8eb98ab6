"""Typed training configs: schema, YAML loader, reference."""

from .load import check_paths, load_config, make_config, to_json, to_yaml
from .schema import Config, Data

__all__ = ["Config", "Data", "check_paths", "load_config", "make_config", "to_json", "to_yaml"]
