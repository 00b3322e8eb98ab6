"""OpenMP's wait policy: idle threads sleep, so that other programs get the processors.

The threads of a torch operation wait for one another at its end. By default OpenMP lets them spin: beside
another program an idle thread then keeps a processor busy, and the one that all wait for is scheduled late.
Every program that this pack starts therefore lets them sleep, after spinning for some microseconds: a small
model's operations follow one another faster than a thread falls asleep and wakes (`python -m benchmarks.busy`
measures both). A ComfyUI that the user starts is left as it is.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping

POLICY = "OMP_WAIT_POLICY"
# Spins of a waiting thread before it sleeps, for GNU's OpenMP, which torch brings on Linux; by default 0
# where the policy is passive. Other OpenMPs do not know the variable.
VARIABLES: Mapping[str, str] = {POLICY: "passive", "GOMP_SPINCOUNT": "1000"}


def share_processors(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let OpenMP's threads sleep while they wait, unless the user has chosen a policy.

    For this process it must come before torch is imported: OpenMP reads its variables when it is loaded.
    `environment` may be that of a process to be started.
    """
    if POLICY not in environment:
        for name, value in VARIABLES.items():
            environment.setdefault(name, value)
