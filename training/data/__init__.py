"""Data sets: files -> clips of pictures and sound, and reports of what cannot be used."""

from .clip import Clip, read_clip, read_frames
from .items import DISAGREE, Item, Unusable, some_bad, summary, write_report
from .layouts import list_items, split_of
from .source import clips_of, cut, generator, unusable

__all__ = [
    "DISAGREE",
    "Clip",
    "Item",
    "Unusable",
    "clips_of",
    "cut",
    "generator",
    "list_items",
    "read_clip",
    "read_frames",
    "some_bad",
    "split_of",
    "summary",
    "unusable",
    "write_report",
]
