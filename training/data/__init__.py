"""Data sets: files -> clips of frames and sound, and reports of unusable files."""

from .clip import Clip, read_clip
from .export import Exported, export
from .items import DISAGREE, UNREACHABLE, Item, Unusable, some_bad, summary, write_report
from .layouts import list_items, split_of
from .source import clips_per_file, cut, seeded_generator, unusable

__all__ = [
    "DISAGREE",
    "UNREACHABLE",
    "Clip",
    "Exported",
    "Item",
    "Unusable",
    "clips_per_file",
    "cut",
    "export",
    "list_items",
    "read_clip",
    "seeded_generator",
    "some_bad",
    "split_of",
    "summary",
    "unusable",
    "write_report",
]
