"""What can go wrong on the way from the network to the disk."""

from __future__ import annotations

from ..errors import A2VError


class DownloadError(A2VError):
    """A download that cannot be made or finished; the message says why and what is left on the disk."""


class NotThereError(DownloadError):
    """The server answers, but has no such file for us: another source may have it."""
