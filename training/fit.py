"""Fit the adapter.

    python -m training.fit CONFIG [--set a.b=c]
    accelerate launch [--num_processes N ...] -m training.fit CONFIG

Run python -m training.precompute CONFIG first, or every step decodes and encodes its clips anew. Killed, the
same command goes on after the last checkpoint, with the same numbers as if it had not been.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from .cli import Done, run
from .config import Config


def job(config: Config) -> Done:
    """Train."""
    from .loop import fit

    result = fit(config)
    return Done(str(result), result.some_bad)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status: 1 for bad input, 3 when files could not be used."""
    return run("fit", __doc__, job, arguments)


if __name__ == "__main__":
    sys.exit(main())
