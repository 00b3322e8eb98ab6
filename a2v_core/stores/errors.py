"""What can be wrong with data in a store."""

from __future__ import annotations

from ..errors import A2VError


class StoreError(A2VError):
    """An object or a listing that a store does not give, or gives otherwise than it says."""


class Unreachable(StoreError):
    """A store that did not answer, or not in full, in all tries: the next run may find it well."""


class Damaged(StoreError):
    """Bytes that are not those that the listing names."""
