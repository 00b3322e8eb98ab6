"""Errors of downloads."""

from __future__ import annotations

from ..errors import A2VError


class DownloadError(A2VError):
    """A download that cannot be made or finished; the message says why and what is left on the disk."""


class NotThereError(DownloadError):
    """The server does not have the file or refuses access to it: another source may have it."""
