"""Encode a data set once: latents, BEATs features and captions into a cache.

    python -m training.precompute CONFIG [--set a.b=c] [--shard I/N] [--engine ray [--address ADDRESS]]

Training from a cache loads neither VAE nor BEATs. Interrupted, the same command goes on where it stopped.
Files that cannot be used are listed in unusable.csv of the cache, and the exit status is 3.
Several GPUs: accelerate launch -m training.precompute CONFIG
Several machines with a common disk: the same command on each, at any time. See docs/scale.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from a2v_core.workers import add_options, placement_of

from .cli import Done, parser_of, run_parsed
from .config import Config, check_paths
from .data import some_bad, summary

PATHS = ("models.beats", "models.t2v", "data.root", "data.csv", "data.exclude_ids", "data.scores")


def job(config: Config, options: argparse.Namespace) -> Done:
    """Precompute."""
    placement = placement_of(options)
    check_paths(config, PATHS)
    from .cache.build import precompute

    built = precompute(config, placement=placement)
    lines = [f"{config.cache_dir}: {built.clips} clips, {built.new} of them new"]
    if not built.complete:
        lines.append(f"share {placement.share} is done; the cache is not complete before the others are")
    if built.unusable:
        lines.append(f"left out: {summary(built.unusable)}; see {built.report}")
    return Done("\n".join(lines), some_bad(built.unusable))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status: 1 for bad input, 3 when files could not be used."""
    parser = parser_of("precompute", __doc__)
    add_options(parser)
    return run_parsed(parser, job, arguments)


if __name__ == "__main__":
    sys.exit(main())
