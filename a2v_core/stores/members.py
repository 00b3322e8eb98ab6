"""Members of tar files, read where they lie: by offset, without unpacking the rest."""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .errors import Damaged
from .stored import StoredFile

_CHUNK = 2**20


@dataclass(frozen=True)
class Member:
    """A file in a tar: its path there, where its bytes begin, and how many there are."""

    shard: Path | StoredFile
    path: str
    offset: int
    size: int

    def __str__(self) -> str:
        return f"{self.shard}/{self.path}"

    @property
    def name(self) -> str:
        """Its name without folders."""
        return PurePosixPath(self.path).name

    @contextmanager
    def copied(self, shard: Path) -> Iterator[Path]:
        """A file with its bytes, out of its shard on this machine; gone after the block.

        Damaged when the shard has no member of this size there.
        """
        with tempfile.TemporaryDirectory(prefix="a2v-") as folder:
            copy = Path(folder) / f"member{PurePosixPath(self.path).suffix}"
            with shard.open("rb") as source, copy.open("wb") as target:
                source.seek(self.offset - tarfile.BLOCKSIZE)
                self._check(source.read(tarfile.BLOCKSIZE))
                left = self.size
                while left and (chunk := source.read(min(left, _CHUNK))):
                    left -= target.write(chunk)
            if left:
                raise Damaged(f"{self}: the shard ends {left} bytes before its member does; it is cut off")
            yield copy

    def _check(self, header: bytes) -> None:
        try:
            size = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape").size
        except tarfile.HeaderError:
            size = -1
        if size != self.size:
            raise Damaged(
                f"{self}: the shard has no member of {self.size} bytes there: it is damaged, or its index "
                "belongs to another file; write both again"
            )
