"""The small graphs of the help pages, one for every node."""

from . import core, signals, words
from .graph import ADAPTER, VIDEO, WAN, Graph

GRAPHS = words.GRAPHS | core.GRAPHS | signals.GRAPHS

__all__ = ["ADAPTER", "GRAPHS", "VIDEO", "WAN", "Graph"]
