"""Download of one file: resumable, and verified before it gets its name.

Bytes go to `NAME.part` beside the target, with ETag or date of the server's version in `NAME.part.etag`. The
next attempt, in the same run or after a crash, asks for the rest (Range) of that version (If-Range); a server
that does not support that, or has another version by now, sends the whole file.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .errors import DownloadError
from .remote import RemoteFile, cause, get, host_of, refuse_status

Report = Callable[[int, int | None], None]
"""Progress callback: bytes received and, where known, bytes in total; may raise to stop the download."""

CHUNK = 1 << 16  # bytes; small, so that Cancel takes effect soon on a slow line too
ATTEMPTS = 6
WAIT_SECONDS = 1.0
_LONGEST_WAIT = 30.0
_RETRY_STATUS = (408, 425, 429, 500, 502, 503, 504)


def part_of(target: Path) -> Path:
    """Path of the unfinished download of `target`."""
    return target.with_name(target.name + ".part")


def download(file: RemoteFile, target: Path, report: Report, attempts: int = ATTEMPTS) -> None:
    """Download a file to `target`, complete and verified, or leave nothing there.

    A broken connection is resumed, up to `attempts` times in a row without a new byte. DownloadError when
    that fails (what was received stays beside `target` for the next call), NotThereError when the server has
    no such file, DownloadError for a wrong size or checksum: the file is then kept as NAME.rejected. The
    caller holds the lock of `target` (`lock.exclusive`).
    """
    part = part_of(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DownloadError(f"{target.parent}: cannot be made: {error}; check the folder") from error
    try:
        if file.local is not None:
            _copy(file.local, part, report)
        else:
            _receive(file, part, report, attempts)
        _check(file, part, target, report)
        os.replace(part, target)
        _etag_of(part).unlink(missing_ok=True)
    except OSError as error:
        raise DownloadError(f"{target}: cannot be written: {error}; check folder and free space") from error


def _etag_of(part: Path) -> Path:
    return part.with_name(part.name + ".etag")


def _receive(file: RemoteFile, part: Path, report: Report, attempts: int) -> None:
    import requests

    failures = 0
    while True:
        before = _size(part)
        try:
            problem = _attempt(file, part, report)
        except requests.RequestException as error:
            problem = cause(error)
        if problem is None:
            return
        failures = 0 if _size(part) > before else failures + 1
        if failures >= attempts:
            raise DownloadError(
                f"{host_of(file.url)}: the download of {file.path} broke off {failures} times without "
                f"getting on ({problem}); {_size(part):,} bytes are kept in {part} for the next download"
            )
        if failures:
            seconds = min(WAIT_SECONDS * 2 ** (failures - 1), _LONGEST_WAIT)
            _pause(seconds, report, _size(part), file.size)


def _attempt(file: RemoteFile, part: Path, report: Report) -> str | None:
    """One request. None when the file is complete, else why it is not."""
    start = _size(part)
    version = _read(_etag_of(part))
    if start and not (version or file.sha256):
        start = 0  # a change of the server's file since then would go unnoticed
    if start and start == file.size:
        return None
    headers = dict(file.headers)
    if start:
        headers["Range"] = f"bytes={start}-"
        if version:
            headers["If-Range"] = version
    with get(file.url, headers) as answer:
        status = answer.status_code
        if status == 416:  # nothing after `start`: complete already, or of another version
            complete = _range_total(answer.headers.get("Content-Range", "")) == start
            if not complete:
                part.unlink(missing_ok=True)
            return None if complete else "the server's file is shorter than what was there"
        if status in _RETRY_STATUS:
            return f"HTTP {status}"
        refuse_status(answer, file.url, headers)
        if "text/html" in answer.headers.get("Content-Type", "") and not file.path.endswith(".html"):
            raise DownloadError(
                f"{file.url}: the server sends a web page instead of {file.path}: a login, a warning or a "
                "limit. Open it in a browser, and give the saved file with --from"
            )
        begin = _range_start(answer.headers.get("Content-Range", "")) if status == 206 else 0
        if begin != start and begin != 0:
            return f"the server sent bytes from {begin}, not from {start}"
        total = _range_total(answer.headers.get("Content-Range", "")) if status == 206 else _length(answer)
        if file.size is not None and total is not None and total != file.size:
            raise DownloadError(
                f"{file.url}: the server's file has {total:,} bytes, expected {file.size:,}: another file"
            )
        return _write(answer, part, begin, total if total is not None else file.size, report)


def _write(answer: Any, part: Path, start: int, total: int | None, report: Report) -> str | None:
    """Write the body into the file from byte `start`; None when it is complete, else why it is not."""
    etag = answer.headers.get("ETag", "")
    version = answer.headers.get("Last-Modified", "") if etag.startswith("W/") or not etag else etag
    if version or not start:
        _etag_of(part).write_text(version, encoding="utf-8")
    with part.open("r+b" if start else "wb") as stream:
        stream.seek(start)
        stream.truncate()
        report(start, total)
        answer.raw.enforce_content_length = False  # it would discard the last bytes before a break
        for chunk in answer.iter_content(CHUNK):
            stream.write(chunk)
            report(stream.tell(), total)
        done = stream.tell()
    return None if total is None or done == total else f"{done:,} of {total:,} bytes came"


def _copy(source: Path, part: Path, report: Report) -> None:
    total, done = source.stat().st_size, 0
    with source.open("rb") as read, part.open("wb") as write:
        while chunk := read.read(CHUNK):
            write.write(chunk)
            done += len(chunk)
            report(done, total)


def _check(file: RemoteFile, part: Path, target: Path, report: Report) -> None:
    """DownloadError for a wrong size or checksum; the file is then renamed to NAME.rejected."""
    size = _size(part)
    if file.size is not None and size != file.size:
        raise _rejected(part, target, f"has {size:,} bytes, expected {file.size:,}")
    if file.sha256:
        found = sha256_of(part, lambda: report(size, size))
        if found != file.sha256:
            raise _rejected(part, target, f"has the SHA-256 {found}, expected {file.sha256}")
    elif file.git_sha1:
        found = hashlib.sha1(b"blob %d\0" % size + part.read_bytes()).hexdigest()
        if found != file.git_sha1:
            raise _rejected(part, target, f"has the git blob id {found}, expected {file.git_sha1}")


def _rejected(part: Path, target: Path, why: str) -> DownloadError:
    rejected = target.with_name(target.name + ".rejected")
    os.replace(part, rejected)
    _etag_of(part).unlink(missing_ok=True)
    return DownloadError(
        f"{target.name}: what was downloaded {why}. It is damaged or another file, and is not used; it is "
        f"kept as {rejected} for you to look at or delete. Fetch again to download it anew"
    )


def sha256_of(path: Path, tick: Callable[[], None] | None = None) -> str:
    """The SHA-256 of a file, in hexadecimal; `tick` is called for every chunk and may raise to stop."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(16 * CHUNK):
            digest.update(chunk)
            if tick is not None:
                tick()
    return digest.hexdigest()


def _pause(seconds: float, report: Report, done: int, total: int | None) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        report(done, total)  # so that the user can stop it here too
        time.sleep(min(left, 0.2))


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _range_start(content_range: str) -> int:
    found = re.match(r"bytes (\d+)-", content_range)
    return int(found[1]) if found else 0


def _range_total(content_range: str) -> int | None:
    found = re.search(r"/(\d+)$", content_range)
    return int(found[1]) if found else None


def _length(answer: Any) -> int | None:
    length = answer.headers.get("Content-Length", "")
    return int(length) if length.isdigit() and not answer.headers.get("Content-Encoding") else None
