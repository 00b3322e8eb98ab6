"""What a busy neighbour costs, by how OpenMP's threads wait.

    python -m benchmarks.busy [--neighbours N] [--runs N] [--json] [options of benchmarks.stages]

The clip of `benchmarks.stages`, in a process of its own each time, alone and beside N processes that never
rest, in turns: with OpenMP's own way of waiting, which spins, and with that of this pack's programs
(`a2v_core.processors`), which soon sleeps. The ratios are default / pack.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from a2v_core.errors import A2VError
from a2v_core.processors import VARIABLES, share_processors

from .machine import describe_machine

ROOT = Path(__file__).resolve().parents[1]
DEFAULT, PACK = "default", "pack"
POLICIES = (DEFAULT, PACK)
PLACES = ("alone", "busy")

# torch before the package, which would choose for OpenMP's default as well.
_CLIP = "import sys, torch; from benchmarks.stages import main; sys.exit(main(sys.argv[1:]))"
# Ends with the process that started it, however that ends.
_NEIGHBOUR = """
import os
parent = os.getppid()
while os.getppid() == parent:
    for _ in range(10**6):
        pass
"""


def measure(runs: int, neighbours: int, options: Sequence[str] = ()) -> dict[str, Any]:
    """The report, ready for JSON; seconds of a clip. A2VError when a clip cannot be made."""
    seconds: dict[str, dict[str, list[float]]] = {place: {name: [] for name in POLICIES} for place in PLACES}
    for _ in range(runs):
        for place in PLACES:
            for policy in POLICIES:
                with busy_neighbours(neighbours if place == "busy" else 0):
                    seconds[place][policy].append(clip_seconds(policy, options))
    medians = {
        place: {policy: statistics.median(found) for policy, found in row.items()}
        for place, row in seconds.items()
    }
    return {
        "machine": describe_machine(),
        "neighbours": neighbours,
        "seconds": seconds,
        "median": medians,
        "ratio": {place: row[DEFAULT] / row[PACK] for place, row in medians.items()},
    }


@contextlib.contextmanager
def busy_neighbours(count: int) -> Iterator[None]:
    """That many processes which keep a processor busy each."""
    processes = [subprocess.Popen([sys.executable, "-c", _NEIGHBOUR]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def clip_seconds(policy: str, options: Sequence[str]) -> float:
    """Seconds of one clip in a new process whose threads wait as `policy` says."""
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    if policy == PACK:
        share_processors(environment)
    command = [sys.executable, "-c", _CLIP, *options, "--runs", "1", "--json"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise A2VError(f"benchmarks.stages {' '.join(options)}: {done.stderr.strip()[-2000:]}")
    total: float = json.loads(done.stdout)["total"]["median"]
    return total


def as_text(facts: dict[str, Any]) -> str:
    """The report for people."""
    machine, median = facts["machine"], facts["median"]
    runs = len(facts["seconds"]["alone"][DEFAULT])
    lines = [
        f"machine  {machine['processor']}, {machine['threads']} threads, torch {machine['torch']}",
        "",
        f"{f'seconds a clip, median of {runs}':30}{'alone':>10}{'beside ' + str(facts['neighbours']):>10}",
    ]
    lines += [
        f"{'threads wait as by ' + policy:30}{median['alone'][policy]:10.2f}{median['busy'][policy]:10.2f}"
        for policy in POLICIES
    ]
    ratio = facts["ratio"]
    return "\n".join([*lines, f"{'ratio':30}{ratio['alone']:10.2f}{ratio['busy']:10.2f}"])


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status, 1 for bad input."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.busy",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--neighbours", type=int, default=1, help="busy processes (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="clips of each kind (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options, rest = parser.parse_known_args(arguments)
    try:
        facts = measure(max(1, options.runs), max(1, options.neighbours), rest)
    except A2VError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(json.dumps(facts, indent=2) if options.json else as_text(facts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
