"""How well found times meet true ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np


def matched(found: Sequence[float], true: Sequence[float], tolerance: float) -> list[tuple[float, float]]:
    """Pairs (found, true) no further apart than `tolerance` seconds, one to one, nearest first."""
    pairs = sorted(
        (abs(f - t), i, j) for i, f in enumerate(found) for j, t in enumerate(true) if abs(f - t) <= tolerance
    )
    used_found: set[int] = set()
    used_true: set[int] = set()
    result = []
    for _, i, j in pairs:
        if i not in used_found and j not in used_true:
            used_found.add(i)
            used_true.add(j)
            result.append((found[i], true[j]))
    return result


@dataclass
class Tally:
    """Counts over many sounds."""

    found: int = 0
    true: int = 0
    within: dict[int, int] = field(default_factory=lambda: {10: 0, 20: 0, 50: 0})
    late: list[float] = field(default_factory=list)  # found - true in milliseconds, of pairs within 50 ms

    def add(self, found: Sequence[float], true: Sequence[float]) -> None:
        self.found += len(found)
        self.true += len(true)
        for tolerance in self.within:
            self.within[tolerance] += len(matched(found, true, tolerance / 1000))
        self.late += [1000 * (f - t) for f, t in matched(found, true, 0.05)]

    def facts(self) -> dict[str, float | int]:
        """recall_N, precision_N within N ms, median_ms and its middle half, hits, found."""
        facts: dict[str, float | int] = {"hits": self.true, "found": self.found}
        for tolerance, count in self.within.items():
            facts[f"recall_{tolerance}"] = count / max(1, self.true)
            facts[f"precision_{tolerance}"] = count / max(1, self.found)
        low, middle, high = np.percentile(self.late, [25, 50, 75]) if self.late else (0.0, 0.0, 0.0)
        return facts | {
            "median_ms": float(middle),
            "quarter_ms": float(low),
            "three_quarters_ms": float(high),
        }
