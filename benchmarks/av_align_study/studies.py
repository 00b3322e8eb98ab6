"""What is changed in clips whose events are known, and how the scores take it: one table for every change.

A table has `x` and `lines` (measure -> a value for every x), or `rows` (kind -> values).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from a2v_core.metrics.alignment import FAST_SIDE, REFERENCE_SIDE

from .pairs import (
    MEASURES,
    Pair,
    Values,
    auroc,
    crowded,
    kinds_of_sound,
    make_scene,
    means,
    measure,
    render,
    shifted,
    thinned_out,
    with_sound,
)
from .scenes import render_sound

SECONDS = 4.0
DRAWN = ("reference", "trusted", "trusted, corrected")
SHIFTS_MS = tuple(range(-500, 501, 50))
TOLERANCES_MS = (25, 50, 75, 100, 125, 150, 200, 250)
DELTAS = (0.02, 0.04, 0.07, 0.1, 0.15, 0.2, 0.3)
LENGTHS = (2.0, 4.0, 10.0)

Table = dict[str, Any]


def studies(clips: int) -> dict[str, tuple[str, Callable[[], Table]]]:
    """Name -> (title, how to run it); `clips` pairs where matched are told from mismatched, a third
    elsewhere.
    """
    few = max(2, clips // 3)

    @cache
    def pairs() -> list[Pair]:
        return [render(make_scene(number, SECONDS)) for number in range(few)]

    def sweep(
        xs: Sequence[float], change: Callable[[Pair, float], Pair], share: int = 1
    ) -> Callable[[], Table]:
        return lambda: _sweep(xs, lambda pair, x: measure(change(pair, x)), pairs()[: max(2, few // share)])

    def thresholds() -> Table:
        return _sweep(DELTAS, lambda pair, x: measure(pair, onset_delta=x), pairs())

    floors, flickers = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1), (0.0, 0.01, 0.02, 0.04, 0.08)
    return {
        "shift": ("Shift of the sound, ms", sweep(SHIFTS_MS, lambda p, x: shifted(p, x / 1000))),
        "dropped": ("Share of the sounds left out", sweep((0.0, 0.25, 0.5, 0.75), thinned_out)),
        "extra": ("Foreign sounds per sound", sweep((0.0, 0.5, 1.0, 2.0), crowded)),
        "sound_noise": ("Noise floor of the sound", sweep(floors, _noisy_sound)),
        "pixel_noise": ("Noise of the pixels", sweep(flickers, lambda p, x: _redrawn(p, pixel_noise=x))),
        "fps": ("Frames per second", sweep((6.0, 8.0, 12.0, 24.0, 30.0), lambda p, x: _redrawn(p, fps=x))),
        "size": (
            "Height and width, pixels",
            sweep((64, 128, 256, 512), lambda p, x: _redrawn(p, side=int(x)), 2),
        ),
        "delta": ("Onset threshold (delta)", thresholds),
        "tolerance": ("Tolerance, ms", lambda: _tolerances(clips)),
        "auroc": ("AUROC, matched from mismatched", lambda: _auroc_by_length(clips)),
        "foreign": ("What is heard while the picture shows its events (10 s)", lambda: _foreign(few)),
        "fast": ("Scaled-down flow against full flow", lambda: fast_ranking(max(4, few // 2))),
    }


def fast_ranking(clips: int) -> Table:
    """Do scaled-down frames rank clips as full ones do? Matched and mismatched pairs of 384 x 384, 2
    s each.
    """
    from scipy.stats import spearmanr

    full, fast = [], []
    for number in range(clips):
        for matched in (True, False):
            scene = make_scene(number, 2.0, side=REFERENCE_SIDE, matched=matched)
            full.append(measure(render(scene)))
            fast.append(measure(render(scene, FAST_SIDE)))
    rows = {}
    for name in ("trusted", "trusted, corrected"):
        values = [(a[name], b[name]) for a, b in zip(full, fast, strict=True)]
        both = [pair for pair in values if None not in pair]
        rows[name] = {
            "spearman": float(spearmanr(*zip(*both, strict=True)).statistic),
            "equal": sum(a == b for a, b in both),
            "clips": len(both),
        }
    return {"rows": rows}


def _sweep(xs: Sequence[float], score: Callable[[Pair, float], Values], pairs: list[Pair]) -> Table:
    rows = [means([score(pair, x) for pair in pairs]) for x in xs]
    lines = {name: [row[name] for row in rows] for name in (*MEASURES, "lag", "p")}
    return {"x": list(xs), "lines": lines, "drawn": list(DRAWN), "pairs": len(pairs)}


def _noisy_sound(pair: Pair, floor: float) -> Pair:
    return with_sound(pair, render_sound(replace(pair.scene, sound_noise=floor)))


def _redrawn(pair: Pair, **changes: Any) -> Pair:
    return render(replace(pair.scene, **changes))


def _matched_and_not(clips: int, seconds: float) -> tuple[list[Pair], list[Pair]]:
    return tuple(  # type: ignore[return-value]
        [render(make_scene(number, seconds, matched=matched)) for number in range(clips)]
        for matched in (True, False)
    )


def _tolerances(clips: int) -> Table:
    matched, other = _matched_and_not(clips, SECONDS)
    lines: dict[str, list[float | None]] = {
        "AUROC, reference": [],
        "AUROC, trusted": [],
        "matched, trusted": [],
        "mismatched, trusted": [],
    }
    for tolerance in TOLERANCES_MS:
        one, two = ([measure(pair, tolerance_ms=tolerance) for pair in pairs] for pairs in (matched, other))
        for name in ("reference", "trusted"):
            lines[f"AUROC, {name}"].append(_told(one, two, name))
        lines["matched, trusted"].append(means(one)["trusted"])
        lines["mismatched, trusted"].append(means(two)["trusted"])
    return {"x": list(TOLERANCES_MS), "lines": lines, "drawn": list(lines), "pairs": 2 * clips}


def _auroc_by_length(clips: int) -> Table:
    lines: dict[str, list[float | None]] = {name: [] for name in MEASURES}
    for seconds in LENGTHS:
        one, two = ([measure(pair) for pair in pairs] for pairs in _matched_and_not(clips, seconds))
        for name in MEASURES:
            lines[name].append(_told(one, two, name))
    drawn = ["reference", "paper", "trusted", "trusted, corrected", "correlation"]
    length = "Length of the clips, seconds"
    return {"x": list(LENGTHS), "x_name": length, "lines": lines, "drawn": drawn, "pairs": 2 * clips}


def _told(matched: list[Values], other: list[Values], name: str) -> float:
    return auroc([row[name] for row in matched], [row[name] for row in other])


def _foreign(clips: int) -> Table:
    pairs = [render(make_scene(number, 10.0)) for number in range(clips)]
    rows = {}
    for kind, sound in kinds_of_sound().items():
        found = [measure(with_sound(pair, sound(pair.scene))) for pair in pairs]
        row: dict[str, Any] = {
            name: means(found)[name] for name in ("reference", "trusted", "trusted, corrected")
        }
        ps = [value for values in found if (value := values["p"]) is not None]
        row["p below 0.05"] = float(np.mean([p < 0.05 for p in ps])) if ps else None
        row["undefined"] = sum(values["trusted"] is None for values in found)
        rows[kind] = row
    return {"rows": rows, "pairs": clips}
