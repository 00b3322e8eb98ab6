"""BEATs audio encoder: configuration, network, model files."""

from .config import BEATsConfig
from .files import convert_beats, load_beats, read_cfg, save_beats
from .model import BEATs

__all__ = ["BEATs", "BEATsConfig", "convert_beats", "load_beats", "read_cfg", "save_beats"]
