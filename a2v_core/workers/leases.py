"""Leases: which of several workers, on any machines with a common disk, does a unit of work.

A lease is a file, `NAME.1`, that its owner creates exclusively and touches as long as it works. When it has
not been touched for `seconds`, its owner is taken for dead, and whoever creates `NAME.2` exclusively is the
next owner; and so on. Exactly one worker can create a file, and none is taken over by moving or deleting it,
so that nobody loses a lease to one who has looked at an older one.

Times are those of the file system: a file that was touched now is what others are compared with, and the
clocks of the machines need not agree. Where the dead owner ran on this machine, its lock on the file, which
the system lets go of with the process, tells at once.

A lease is no promise: an owner that stood still for longer than `seconds` may find another at work on the
same unit. So results must be equal whoever makes them, and appear by renaming; then it does not matter which
comes last. `holds` says whether a lease still stands.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import re
import socket
import threading
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from ..errors import A2VError
from .locks import is_locked_by_nobody, lock_shared_with_no_one

SECONDS = 60.0
BEATS = 6
"""How often a lease is touched in the time after which it is dead."""
ENDING = ".lease"
_NAME_CHARACTERS = 80


@dataclass(frozen=True)
class Lease:
    """A unit's lease. `number`: how many owners it has had in a row, 1 for the first."""

    unit_id: str
    path: Path
    number: int
    token: str


class Leases:
    """The leases of a job in `folder`, and a thread that keeps those alive that were taken here.

    seconds  without a touch after which an owner is dead; longer than the disk hides changes from other
             machines (on NFS, `acregmax` seconds at most)

    Use as a context manager: at its end all leases that are left are released.
    """

    def __init__(self, folder: Path, seconds: float = SECONDS) -> None:
        self.folder, self.seconds = folder, seconds
        self.token = uuid.uuid4().hex
        self._held: dict[Lease, BinaryIO] = {}
        self._guard = threading.Lock()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="leases", daemon=True)

    def __enter__(self) -> Leases:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._clock = self.folder / f".{self.token}.clock"
            self._clock.touch(exist_ok=False)
        except OSError as error:
            raise A2VError(f"{self.folder} cannot be written: {error.strerror}") from error
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()
        for lease in list(self._held):
            self.release(lease)
        self._clock.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self._sweep()

    def take(self, unit_id: str) -> Lease | None:
        """The lease of a unit, or None while another worker lives that has it, here or elsewhere.

        What the unit is for may have been done meanwhile: look after taking it. Raises OSError.
        """
        now = self._now()
        for number in itertools.count(1):
            path = self.path_of(unit_id, number)
            if not self._is_dead(path, now):
                return self._create(Lease(unit_id, path, number, self.token))
        raise AssertionError

    def path_of(self, unit_id: str, number: int = 1) -> Path:
        """The file of a unit's lease."""
        plain = re.sub(r"[^\w-]+", "_", unit_id)[:_NAME_CHARACTERS]
        digest = hashlib.sha256(unit_id.encode(errors="surrogatepass")).hexdigest()[:16]
        return self.folder / f"{plain}-{digest}.{number}{ENDING}"

    def holds(self, lease: Lease) -> bool:
        """Whether a lease is still the last one of its unit."""
        later = self.path_of(lease.unit_id, lease.number + 1)
        return lease in self._held and _token(lease.path) == lease.token and not later.exists()

    def release(self, lease: Lease) -> None:
        """Let others have the unit: it is done, or given up. Does nothing for one that was released."""
        with self._guard:
            stream = self._held.pop(lease, None)
        if stream is None:
            return
        if _token(lease.path) == lease.token:  # else this worker was taken for dead, and the unit is done
            for number in range(1, lease.number + 1):
                self.path_of(lease.unit_id, number).unlink(missing_ok=True)
        stream.close()

    def _create(self, lease: Lease) -> Lease | None:
        try:
            stream = open(lease.path, "x+b")  # noqa: SIM115  open, and so locked, until it is released
        except FileExistsError:
            return None
        lock_shared_with_no_one(stream)
        stream.write(f"{lease.token} {_host()} {os.getpid()}\n".encode())
        stream.flush()
        with self._guard:
            self._held[lease] = stream
        if self._was_late(lease):
            with self._guard:
                del self._held[lease]
            lease.path.unlink(missing_ok=True)
            stream.close()
            return None
        return lease

    def _was_late(self, lease: Lease) -> bool:
        """Whether the owner before lives after all or has let go, or another has come after it."""
        if self.path_of(lease.unit_id, lease.number + 1).exists():
            return True
        return lease.number > 1 and not self._is_dead(
            self.path_of(lease.unit_id, lease.number - 1), self._now()
        )

    def _is_dead(self, path: Path, now: float) -> bool:
        """Whether a lease stands there whose owner lives no more; False where there is none."""
        try:
            # Opened: of a file that is open, a network file system gives the time as it is now.
            with open(path, "r+b") as stream:
                if now - os.fstat(stream.fileno()).st_mtime > self.seconds:
                    return True
                words = stream.read().decode(errors="replace").split()
                here = len(words) == 3 and words[1] == _host() and words[0] != self.token
                return here and is_locked_by_nobody(stream)
        except FileNotFoundError:
            return False

    def _now(self) -> float:
        """The time on the clock of the file system, in seconds."""
        os.utime(self._clock)
        with open(self._clock, "rb") as stream:
            return os.fstat(stream.fileno()).st_mtime

    def _beat(self) -> None:
        while not self._end.wait(self.seconds / BEATS):
            with self._guard:
                held = list(self._held)
            _touch([self._clock, *(lease.path for lease in held)])

    def _sweep(self) -> None:
        """Delete the clocks of workers that are dead."""
        clocks = list(self.folder.glob(".*.clock"))
        newest = max((path.stat().st_mtime for path in clocks), default=0.0)
        for path in clocks:
            if newest - path.stat().st_mtime > 10 * self.seconds:
                path.unlink(missing_ok=True)


def _touch(paths: Iterable[Path]) -> None:
    for path in paths:
        # Gone, or a disk that is away for a moment: the next touch may come in time.
        with contextlib.suppress(OSError):
            os.utime(path)


def _token(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").partition(" ")[0]
    except OSError:
        return ""


def _host() -> str:
    """This machine, since it was started: two with one name are told apart where the system can."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    with contextlib.suppress(OSError):
        return boot.read_text(encoding="ascii").strip()
    return re.sub(r"\s+", "_", socket.gethostname()) or "unknown"
