"""Processors are shared with other programs.

The threads of a torch operation wait for one another at its end. By default OpenMP lets them spin meanwhile:
beside another program a thread with nothing to do then keeps a processor busy, and the one that all wait for
gets its turn late. Every program that this pack starts therefore lets them sleep; alone on a machine that
costs nothing (`python -m benchmarks.busy`). A ComfyUI that the user starts is left as it is.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping

VARIABLE, VALUE = "OMP_WAIT_POLICY", "passive"


def share_processors(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let OpenMP's threads sleep while they wait, unless the user has set the variable.

    For this process it must come before torch is imported: OpenMP reads its variables when it is loaded.
    `environment` may be that of a process to be started.
    """
    environment.setdefault(VARIABLE, VALUE)
