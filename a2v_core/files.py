"""Atomic writes, and UTF-8 paths for libraries that take no others."""

from __future__ import annotations

import glob
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """A temporary path beside `path`: renamed to `path` at the end, deleted when the block raises."""
    path = Path(path)
    # A random name: processes of two machines with a common disk may have one and the same number.
    part = path.with_name(f".{path.stem}.{secrets.token_hex(6)}.part{path.suffix}")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def remove_parts(path: Path) -> None:
    """Delete what a writer of `path` has left that was killed. Nobody else may be writing it."""
    for part in path.parent.glob(f".{glob.escape(path.stem)}.*.part{glob.escape(path.suffix)}"):
        part.unlink(missing_ok=True)


@contextmanager
def utf8_path(path: Path) -> Iterator[Path]:
    """The same file or folder under a UTF-8 path, if need be through a link: safetensors and tokenizers take
    no other."""
    try:
        os.fspath(path).encode()
    except UnicodeEncodeError:
        with tempfile.TemporaryDirectory(prefix="a2v-") as folder:
            link = Path(folder) / "link"
            link.symlink_to(path.absolute())
            yield link
    else:
        yield path
