"""Text files in UTF-8, UTF-16 or UTF-32, and output of characters that cannot be encoded.

File names may hold bytes that are not UTF-8; Python decodes them to lone surrogates, which no codec encodes.
Terminals and redirected outputs may encode fewer characters still. Such characters are written as escapes.
"""

from __future__ import annotations

import codecs
import io
import sys
from pathlib import Path

from .errors import A2VError
from .files import atomic_path

ESCAPE = "backslashreplace"
"""`errors=` of files and streams for file names: what cannot be encoded is written as \\xff."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark is a prefix of it
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, with or without a byte order mark, or in UTF-16 or UTF-32.

    Line ends come out as they are. A2VError for another encoding; OSError as the system gives it.
    """
    return decode_text(path.read_bytes(), path)


def decode_text(data: bytes, name: object) -> str:
    """The text in bytes, as `read_text`; errors call it `name`."""
    encoding = next((name for mark, name in _BOMS if data.startswith(mark)), None) or _detect_encoding(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise A2VError(f"{name}: is not text in {encoding} ({error.reason}); save it as UTF-8") from error
    if "\0" in text:
        raise A2VError(f"{name}: is not text (it holds zero bytes); save it as UTF-8")
    return text


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file atomically; lone surrogates of file names become escapes. Raises OSError."""
    with atomic_path(path) as part:
        part.write_text(text, encoding="utf-8", errors=ESCAPE, newline="")


def _detect_encoding(data: bytes) -> str:
    """The encoding of text without a mark: UTF-16 shows by the zero byte of each Latin letter and space."""
    even, odd = data[0::2].count(0), data[1::2].count(0)
    if not even and not odd:
        return "utf-8"
    return "utf-16-be" if even > odd else "utf-16-le"


def escape_outputs() -> None:
    """Let stdout and stderr escape characters that they cannot encode instead of raising."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ESCAPE)
