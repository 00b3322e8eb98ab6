"""Text files that a person wrote, whatever the editor saved them as, and text for whoever reads ours.

A name of a file may hold bytes that are no text; Python hands them out as lone surrogates, which no encoding
takes. Terminals and redirected outputs may take less still. Such characters are written as escapes.
"""

from __future__ import annotations

import codecs
import io
import sys
from pathlib import Path

from .errors import A2VError
from .files import atomic_path

ESCAPE = "backslashreplace"
"""`errors=` of files and streams that take names of files: a character that cannot be written as \\xff."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, with or without a byte order mark, or in UTF-16 or UTF-32.

    Line ends come out as they are. A2VError for another encoding; OSError as the system gives it.
    """
    data = path.read_bytes()
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), None) or _unmarked(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise A2VError(f"{path}: is not text in {encoding} ({error.reason}); save it as UTF-8") from error
    if "\0" in text:
        raise A2VError(f"{path}: is not text (it holds zero bytes); save it as UTF-8")
    return text


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file in one step; what is no text in names becomes an escape. OSError."""
    with atomic_path(path) as part:
        part.write_text(text, encoding="utf-8", errors=ESCAPE, newline="")


def _unmarked(data: bytes) -> str:
    """UTF-16 without a mark shows by its zero bytes: Latin letters and spaces have one each."""
    even, odd = data[0::2].count(0), data[1::2].count(0)
    if not even and not odd:
        return "utf-8"
    return "utf-16-be" if even > odd else "utf-16-le"


def escape_outputs() -> None:
    """From now on stdout and stderr write what they cannot hold as escapes instead of raising."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ESCAPE)
