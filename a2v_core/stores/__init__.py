"""Data in a store: s3://, gs://, hf:// or whatever else fsspec knows, read through a local cache.

Nothing else in the project knows fsspec. This room knows no media and no model.
"""

from .attempts import Patience
from .errors import Damaged, StoreError, Unreachable
from .files import File, at_hand, name_of, size_of
from .local_cache import LocalCache
from .members import Member
from .stored import Store, StoredFile, make_store, user_cache
from .urls import Place, below, check_place, place_of

__all__ = [
    "Damaged",
    "File",
    "LocalCache",
    "Member",
    "Patience",
    "Place",
    "Store",
    "StoreError",
    "StoredFile",
    "Unreachable",
    "at_hand",
    "below",
    "check_place",
    "make_store",
    "name_of",
    "place_of",
    "size_of",
    "user_cache",
]
