"""Work in units, by any number of workers on one machine or many, broken off and gone on with at any time.

A unit is a pure function: an id and settings in, one file or row out, equal whoever makes it, written beside
its place and renamed. `share` divides units without any talk; `leases` on a common disk say who does which,
and outlive nobody; `worklist` is what a worker goes through; `flow` bounds what is in memory; `ray_engine`
runs calls elsewhere; `options` are those of the commands.
"""

from .flow import flow, results_of
from .leases import SECONDS, Lease, Leases
from .options import HERE, Placement, add_options, placement_of
from .ray_engine import ATTEMPTS, LOCAL, Actors, Cluster, WorkerDied, on_ray, survive
from .share import WHOLE, Share, parse_share
from .sums import checksum, sealed, unsealed
from .worklist import Claimed, Worklist

__all__ = [
    "ATTEMPTS",
    "HERE",
    "LOCAL",
    "SECONDS",
    "WHOLE",
    "Actors",
    "Claimed",
    "Cluster",
    "Lease",
    "Leases",
    "Placement",
    "Share",
    "WorkerDied",
    "Worklist",
    "add_options",
    "checksum",
    "flow",
    "on_ray",
    "parse_share",
    "placement_of",
    "results_of",
    "sealed",
    "survive",
    "unsealed",
]
