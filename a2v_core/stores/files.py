"""Files wherever they lie: what a data set is made of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from ..errors import A2VError
from .members import Member
from .stored import StoredFile

File: TypeAlias = Path | StoredFile | Member
"""A file on this machine, an object of a store, or a member of a shard that is either."""


@contextmanager
def at_hand(file: File) -> Iterator[Path]:
    """A path to read a file by, while the block lasts. Errors in it name the file, not a copy."""
    if isinstance(file, Path):
        yield file
        return
    with ExitStack() as stack:
        if isinstance(file, Member):
            path = stack.enter_context(file.copied(stack.enter_context(at_hand(file.shard))))
        else:
            path = stack.enter_context(file.local())
        try:
            yield path
        except A2VError as error:
            raise type(error)(str(error).replace(str(path), str(file))) from error


def size_of(file: File) -> int:
    """Bytes, without a request."""
    return file.stat().st_size if isinstance(file, Path) else file.size


def name_of(file: File) -> PurePosixPath:
    """Its name, with stem and ending."""
    return PurePosixPath(file.found.url if isinstance(file, StoredFile) else file.name)
