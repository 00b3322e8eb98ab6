"""Tries again what a store did not do, for a bounded number of times and a bounded time."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from .errors import Damaged, StoreError, Unreachable

T = TypeVar("T")
_log = logging.getLogger(__name__)

_FIRST_WAIT, _LONGEST_WAIT = 0.2, 20.0  # seconds
_SLOWEST = 1e6  # bytes a second below which a transfer counts as stuck
_DAMAGED_TRIES = 2
# What another try would not change.
_FINAL = (StoreError, TypeError, ValueError, AttributeError, ImportError, NotImplementedError)


@dataclass(frozen=True)
class Patience:
    """How long a store is asked for one thing.

    tries    requests for it
    seconds  for all of them together; a large object has besides a second for every MB
    """

    tries: int = 6
    seconds: float = 120.0

    def tried(self, name: str, attempt: Callable[[float], T], size: int = 0) -> T:
        """What `attempt` returns, which gets the seconds that are left.

        Unreachable when no try succeeds in time; StoreError at once when the object is gone or may not be
        read; Damaged when it came otherwise than expected twice. `name` is what errors call it.
        """
        deadline = time.monotonic() + self.seconds + size / _SLOWEST
        damaged = 0
        for number in range(1, self.tries + 1):
            try:
                return attempt(max(0.01, deadline - time.monotonic()))
            except Exception as error:
                damaged += isinstance(error, Damaged)
                if damaged == _DAMAGED_TRIES:
                    raise
                wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2**number) * random.uniform(0.5, 1)
                _check_not_final(name, error)
                if number == self.tries or time.monotonic() + wait > deadline:
                    raise _gave_up(name, number, error) from error
                _log.debug("%s: try %d: %s", name, number, error)
            time.sleep(wait)
        raise AssertionError("tries is at least 1")


def _check_not_final(name: str, error: Exception) -> None:
    """StoreError for an answer that stays the same."""
    if isinstance(error, FileNotFoundError):
        raise StoreError(f"{name}: no such file in the store; it is gone, or the name is wrong") from error
    if isinstance(error, PermissionError) or "Credentials" in type(error).__name__:
        raise StoreError(
            f"{name}: the store refuses ({_text(error)}); check the credentials, which the store's own "
            "ways give: its environment variables or files, or storage_options"
        ) from error
    if isinstance(error, _FINAL) and not isinstance(error, Damaged):
        raise error


def _gave_up(name: str, tries: int, error: Exception) -> StoreError:
    if isinstance(error, Damaged):
        return error
    return Unreachable(
        f"{name}: the store did not answer in {tries} tries ({_text(error)}); run the same again later, or "
        "raise fetch_tries and fetch_seconds"
    )


def _text(error: Exception) -> str:
    return str(error) or type(error).__name__
