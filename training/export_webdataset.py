"""Write the data set of a config as WebDataset shards, for data.layout webdataset and other readers.

    python -m training.export_webdataset CONFIG TARGET [--shard-mb 1000] [--set a.b=c]

TARGET is a folder or an address such as s3://bucket/shards. Every video goes in with its sound file, caption,
class and split, so that the shards give the same clips as the data set. The same data gives the same bytes.
Interrupted, the same command goes on with the next shard. Files that cannot be read are listed, and the exit
status is 3.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from a2v_core.stores import check_place, place_of
from a2v_core.texts import escape_outputs

from .cli import SOME_BAD, exit_status, log_to_stderr
from .config import check_paths, load_config
from .data import export, list_items, some_bad, summary

PATHS = ("data.root", "data.csv", "data.exclude_ids", "data.scores")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status: 1 for bad input, 3 when files could not be used."""
    escape_outputs()
    parser = argparse.ArgumentParser(
        prog="python -m training.export_webdataset",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("config", metavar="CONFIG", help="YAML file, see docs/training.md")
    parser.add_argument("target", metavar="TARGET", help="folder or address of the shards")
    parser.add_argument(
        "--shard-mb", type=float, default=1000.0, metavar="MB", help="size of a shard at most"
    )
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override a value")
    options = parser.parse_args(arguments)
    log_to_stderr("%(levelname)s %(message)s")

    def job() -> int:
        config = load_config(options.config, options.set)
        check_paths(config, PATHS)
        target = place_of(options.target)
        check_place(target)
        items, left_out = list_items(config.data)
        done = export(config.data, items, target, round(options.shard_mb * 1e6))
        print(f"{target}: {done.clips} clips in {done.shards} shards, {done.new} of them new")
        bad = left_out + done.unusable
        for row in done.unusable:
            print(f"left out: {row.id}: {row.reason}", file=sys.stderr)
        if bad:
            print(f"left out: {summary(bad)}")
        return SOME_BAD if some_bad(bad) else 0

    return exit_status(job)


if __name__ == "__main__":
    sys.exit(main())
