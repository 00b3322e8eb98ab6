"""Base models compared: the same sounds, BEATs, mapper and steps on a UNet3D, an AnimateDiff and a Wan.

It is the answer to the paper's open question, whether the method carries over to other text-to-video models.
"""

from __future__ import annotations

from .models import BaseFiles
from .run import RECORDS, Bases
from .section import bases_filled, section_text
from .settings import BaseRecipe
from .tables import BASE_TABLES

__all__ = ["BASE_TABLES", "RECORDS", "BaseFiles", "BaseRecipe", "Bases", "bases_filled", "section_text"]
