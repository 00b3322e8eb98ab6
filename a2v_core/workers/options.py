"""The options of commands that work in units: --shard, --engine, --address."""

from __future__ import annotations

import argparse
from typing import NamedTuple

from ..errors import A2VError
from .ray_engine import LOCAL, Cluster
from .share import WHOLE, Share, parse_share


class Placement(NamedTuple):
    """Which part of a job is done, and where: `cluster` None is this process and what it starts."""

    share: Share = WHOLE
    cluster: Cluster | None = None


HERE = Placement()


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add them to a command."""
    parser.add_argument(
        "--shard",
        metavar="I/N",
        help="do part I, from 0, of N parts, which every machine finds alike; see docs/scale.md",
    )
    parser.add_argument(
        "--engine", choices=("local", "ray"), default="local", help="ray: needs training/requirements-ray.txt"
    )
    parser.add_argument(
        "--address",
        metavar="ADDRESS",
        help="of a running Ray: auto, HOST:PORT or ray://HOST:PORT; default: one is started on this machine",
    )


def placement_of(options: argparse.Namespace) -> Placement:
    """What they say. A2VError for what makes no sense."""
    if options.address is not None and options.engine != "ray":
        raise A2VError(f"--address {options.address} goes with --engine ray")
    cluster = Cluster(options.address or LOCAL) if options.engine == "ray" else None
    return Placement(WHOLE if options.shard is None else parse_share(options.shard), cluster)
