"""Encode a data set once: latents, BEATs features and captions into a cache.

    python -m training.precompute CONFIG [--set a.b=c]

Training from a cache loads neither VAE nor BEATs. Interrupted, the same command goes on where it stopped.
Files that cannot be used are listed in unusable.csv of the cache, and the exit status is 3.
Several GPUs: accelerate launch -m training.precompute CONFIG
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from .cli import Done, run
from .config import Config, check_paths
from .data import some_bad, summary

PATHS = ("models.beats", "models.t2v", "data.root", "data.csv", "data.exclude_ids", "data.scores")


def job(config: Config) -> Done:
    """Precompute."""
    check_paths(config, PATHS)
    from .cache.build import precompute

    built = precompute(config)
    lines = [f"{config.cache_dir}: {built.clips} clips, {built.new} of them new"]
    if built.unusable:
        lines.append(f"left out: {summary(built.unusable)}; see {built.report}")
    return Done("\n".join(lines), some_bad(built.unusable))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status: 1 for bad input, 3 when files could not be used."""
    return run("precompute", __doc__, job, arguments)


if __name__ == "__main__":
    sys.exit(main())
