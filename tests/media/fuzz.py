"""Damaged media files through load_audio, score and precompute, for as long as one likes.

    python -m tests.media.fuzz --minutes 60 [--seed N] [--keep DIR] [--json]

Every file of the tests is truncated, has bits flipped, pieces cut out, doubled, zeroed or replaced by pieces
of another. Each result must be read, or refused by an A2VError, within 30 s and 4 GiB; what is not, and what
kills the process, is kept in DIR with the reason. Exit code 1 when there was such a file.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import select
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HANGS_AFTER = 30.0  # seconds
MEMORY = 4 * 2**30  # bytes of address space beyond what the imports take
FRESH_AFTER = 300  # files that one process reads
READY = "ready"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path("out/fuzz"), metavar="DIR")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        return work()
    with tempfile.TemporaryDirectory() as folder:
        found = fuzz(Path(folder), options.minutes * 60, options.seed, options.keep)
    print(json.dumps(found, indent=1) if options.json else "\n".join(f"{k}: {v}" for k, v in found.items()))
    return 1 if found["faults"] else 0


def fuzz(folder: Path, seconds: float, seed: int, keep: Path) -> dict[str, object]:
    """Damage files and watch what becomes of them; what was found."""
    rng = random.Random(seed)
    corpus = {path.name: path.read_bytes() for path in sources(folder)}
    names = sorted(corpus)
    worker = Worker(folder)
    ends: Counter[str] = Counter()
    faults: list[str] = []
    slowest = 0.0
    until = time.monotonic() + seconds
    number = 0
    while time.monotonic() < until:
        name = rng.choice(names)
        path = folder / f"damaged{Path(name).suffix}"
        path.write_bytes(damaged(rng, corpus[name], corpus[rng.choice(names)]))
        began = time.monotonic()
        answer = worker.ask(path)
        slowest = max(slowest, time.monotonic() - began)
        ends[answer.partition(":")[0]] += 1
        if not answer.startswith(("read", "refused")):
            keep.mkdir(parents=True, exist_ok=True)
            kept = keep / f"{seed}-{number}-{name}"
            kept.write_bytes(path.read_bytes())
            kept.with_name(kept.name + ".txt").write_text(answer)
            faults.append(f"{kept.name}: {answer.splitlines()[0]}")
            print(f"fault: {faults[-1]}", file=sys.stderr, flush=True)
        path.unlink()
        number += 1
    worker.stop()
    return {"files": number, "ends": dict(ends), "slowest_seconds": round(slowest, 1), "faults": faults}


def sources(folder: Path) -> list[Path]:
    """All media of the tests, and a sound of each codec."""
    from tests.media.files import sweep, write_sound

    found = [*(ROOT / "tests/media/cases").iterdir(), *(ROOT / "tests/golden/av_align").iterdir()]
    made = {
        "a.mp3": "libmp3lame",
        "a.flac": "flac",
        "a.ogg": "libopus",
        "a.m4a": "aac",
        "a.aiff": "pcm_s16be",
    }
    for name, codec in made.items():
        found.append(write_sound(folder / name, sweep(48_000, 2, 1.5), 48_000, codec))
    return sorted(path for path in found if path.suffix not in (".md", ".json"))


def damaged(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """One to three kinds of damage, mostly near the start or the end, where the headers are."""
    changed = bytearray(data)
    kinds: list[Callable[[random.Random, bytearray, bytes], None]] = [
        _cut,
        _flip,
        _flip,
        _remove,
        _double,
        _zero,
        _splice,
    ]
    for _ in range(rng.choice((1, 1, 2, 3))):
        if changed:
            rng.choice(kinds)(rng, changed, other)
    return bytes(changed)


def _place(rng: random.Random, size: int) -> int:
    near = min(size, 4096)
    return rng.choice((rng.randrange(size), rng.randrange(near), size - 1 - rng.randrange(near)))


def _piece(rng: random.Random, size: int) -> slice:
    start = _place(rng, size)
    return slice(start, min(size, start + rng.choice((1, 4, 16, 256, 4096, 65536))))


def _cut(rng: random.Random, data: bytearray, other: bytes) -> None:
    del data[_place(rng, len(data)) :]


def _flip(rng: random.Random, data: bytearray, other: bytes) -> None:
    for _ in range(rng.choice((1, 1, 4, 32))):
        data[_place(rng, len(data))] ^= 1 << rng.randrange(8)


def _remove(rng: random.Random, data: bytearray, other: bytes) -> None:
    del data[_piece(rng, len(data))]


def _double(rng: random.Random, data: bytearray, other: bytes) -> None:
    piece = _piece(rng, len(data))
    data[piece.stop : piece.stop] = data[piece]


def _zero(rng: random.Random, data: bytearray, other: bytes) -> None:
    piece = _piece(rng, len(data))
    data[piece] = bytes(piece.stop - piece.start)


def _splice(rng: random.Random, data: bytearray, other: bytes) -> None:
    data[_piece(rng, len(data))] = other[_piece(rng, len(other))]


class Worker:
    """A process that reads files; started anew when one of them kills or stops it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.asked = folder, 0
        self.process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.media.fuzz", "--worker"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline().strip() == READY
        return process

    def ask(self, path: Path) -> str:
        """`read`, `refused: why`, or what is wrong."""
        process, self.asked = self.process, self.asked + 1
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{path}\n")
        process.stdin.flush()
        answer = ""
        if select.select([process.stdout], [], [], HANGS_AFTER)[0]:
            answer = process.stdout.readline()
        if answer:
            if self.asked % FRESH_AFTER == 0:
                self.stop()
                self.process = self._start()
            return str(json.loads(answer))
        died = process.poll()
        if died is None:
            time.sleep(0.2)
            died = process.poll()
        self.stop()
        self.process = self._start()
        return f"hangs: over {HANGS_AFTER:.0f} s" if died is None else f"dies: with code {died}"

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


def work() -> int:
    """Read the files that are named on stdin; a line of JSON for each."""
    from tests.audio.tiny import tiny_beats
    from tests.media.reading import Reader

    with tempfile.TemporaryDirectory() as folder:
        read = Reader(Path(folder), tiny_beats())
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
        print(READY, flush=True)
        for line in sys.stdin:
            try:
                answer = read(Path(line.strip()))
            except BaseException as error:
                answer = f"raises: {type(error).__name__}: {error}\n{traceback.format_exc()}"
            print(json.dumps(answer), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
