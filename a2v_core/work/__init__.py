"""Work in units, by any number of workers on one machine or many, broken off and gone on with at any time.

A unit is a pure function: an id and settings in, one file or row out, equal whoever makes it, written beside
its place and renamed. `share` divides units without any talk; `leases` on a common disk say who does which,
and outlive nobody; `worklist` is what a worker goes through; `flow` bounds what is in memory.
"""

from .flow import flow
from .leases import SECONDS, Lease, Leases
from .share import WHOLE, Share, parse_share
from .sums import checksum, sealed, unsealed
from .worklist import Claimed, Worklist

__all__ = [
    "SECONDS",
    "WHOLE",
    "Claimed",
    "Lease",
    "Leases",
    "Share",
    "Worklist",
    "checksum",
    "flow",
    "parse_share",
    "sealed",
    "unsealed",
]
