"""Checksums of results: what a disk or a killed writer has spoilt is done again, not believed."""

from __future__ import annotations

import hashlib
import json
from typing import Any

SUM = "sum"


def checksum(value: Any) -> str:
    """Of what can be written as JSON; the same before it is written and after it is read."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]


def sealed(values: dict[str, Any]) -> dict[str, Any]:
    """The values and their checksum."""
    return {**values, SUM: checksum(values)}


def unsealed(values: dict[str, Any]) -> dict[str, Any]:
    """The values without their checksum; those that were written before there was one as they are.

    Raises ValueError when they are not what was sealed.
    """
    rest = {name: value for name, value in values.items() if name != SUM}
    if SUM in values and values[SUM] != checksum(rest):
        raise ValueError("its checksum is wrong")
    return rest
