"""Where the members of a .tar lie, and what its small texts say."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from a2v_core.errors import A2VError
from a2v_core.texts import decode_text

from ..errors import DataError
from .found import TEXT_ENDINGS

_LONGEST_TEXT = 2**16


class TarIndex(NamedTuple):
    """size: bytes of the tar; members: path, offset of the first byte, bytes; texts: path -> text."""

    size: int
    members: list[tuple[str, int, int]]
    texts: dict[str, str]

    def written(self) -> bytes:
        """As a file."""
        return json.dumps(self._asdict(), separators=(",", ":")).encode()

    @classmethod
    def read(cls, data: bytes, name: object) -> TarIndex:
        """From a file. DataError, which calls it `name`, when it is none."""
        try:
            content = json.loads(data)
            members = [(str(path), int(offset), int(size)) for path, offset, size in content["members"]]
            return cls(int(content["size"]), members, dict(content["texts"]))
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{name}: is no index of a shard ({error}); delete it") from error


def scan(path: Path) -> TarIndex:
    """Read the headers of a tar and its short texts, passing over the rest. DataError for a damaged one."""
    members: list[tuple[str, int, int]] = []
    texts: dict[str, str] = {}
    try:
        with tarfile.open(path, "r:", errors="surrogateescape") as tar:
            while (info := tar.next()) is not None:
                tar.members = []  # type: ignore[attr-defined]  # it would keep them all
                if not info.isreg():
                    continue
                members.append((info.name, info.offset_data, info.size))
                if PurePosixPath(info.name).suffix.lower() in TEXT_ENDINGS and info.size <= _LONGEST_TEXT:
                    _add_text(texts, tar, info)
    except (tarfile.TarError, EOFError) as error:
        raise DataError(f"{path}: is damaged or no .tar ({error}); write or download it again") from error
    return TarIndex(path.stat().st_size, members, texts)


def _add_text(texts: dict[str, str], tar: tarfile.TarFile, info: tarfile.TarInfo) -> None:
    file = tar.extractfile(info)
    assert file is not None
    try:
        texts[info.name] = decode_text(file.read(), info.name)
    except A2VError:
        return  # whoever needs it reads it from its place, and reports it
