"""Text files in every encoding that editors write, and output that takes any name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from a2v_core.errors import A2VError
from a2v_core.texts import read_text

TEXT = "rain on a tin roof, d\u00e9j\u00e0 vu\nsecond line"
CODE = (
    "from a2v_core.texts import escape_outputs; escape_outputs(); "
    "print('a\\u4e2d\\udcff.mp4'); import sys; print('b\\u4e2d', file=sys.stderr)"
)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"]
)
def test_reads_what_editors_write(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "caption.txt"
    mark = "\ufeff" if encoding == "utf-32-be" else ""
    path.write_bytes((mark + TEXT).encode(encoding))
    assert read_text(path) == TEXT


@pytest.mark.parametrize(
    "data", [TEXT.encode("latin-1"), b"\xff\xfe\x00", b"\x00\x01\x02\x00\x00\x07\x00\x00\x00\x00"]
)
def test_refuses_what_is_no_text(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "caption.txt"
    path.write_bytes(data)
    with pytest.raises(A2VError, match=r"caption\.txt: is not text.*save it as UTF-8"):
        read_text(path)


def test_empty_file_is_empty_text(tmp_path: Path) -> None:
    path = tmp_path / "caption.txt"
    path.write_bytes(b"")
    assert read_text(path) == ""


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_output_takes_any_name(encoding: str) -> None:
    environment = {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0", "PYTHONPATH": "."}
    done = subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == (b"a\xe4\xb8\xad" if encoding == "utf-8" else b"a\\u4e2d") + b"\\udcff.mp4"
