"""The lag of the picture over time, drawn under a timeline: the lag with its interval, below it how strongly
sound and picture gather there, over what chance would give.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ...drawing import FAINT, INK, MATCH, PICTURE, SHADE, Canvas, TimeAxis, tick_of

LANE_HEIGHT = 118
_EDGE, _LAG, _STRENGTH, _GAP = 12, 62.0, 26.0, 12.0
_SCALES = (50, 100, 200, 500)  # ms at the edges of the panel

Window = dict[str, Any]


def draw_lags(canvas: Canvas, axis: TimeAxis, curves: dict[str, Any], top: float) -> None:
    """Draw `lags` and `seams` of `clip_curves` into `LANE_HEIGHT` pixels from `top` on."""
    windows, middle = curves["lags"], top + _LAG / 2
    scale = _scale(windows)

    def y(ms: float) -> float:
        return middle - max(-1.0, min(1.0, ms / scale)) * (_LAG / 2 - 4)

    canvas.line([(axis.left, middle), (axis.right, middle)], FAINT)
    canvas.text(_EDGE, middle - 8, "lag", 13, PICTURE)
    canvas.text(_EDGE, middle + 7, "of picture", 11, PICTURE)
    canvas.text(axis.left - 4, y(scale) + 4, f"+{scale}", 10, INK, "end")
    canvas.text(axis.left - 4, y(-scale) + 4, f"-{scale} ms", 10, INK, "end")
    for stretch in _told(windows):
        centres = [axis.x((one["start"] + one["end"]) / 2) for one in stretch]
        upper = [(x, y(one["high_ms"])) for x, one in zip(centres, stretch, strict=True)]
        lower = [(x, y(one["low_ms"])) for x, one in zip(centres, stretch, strict=True)]
        canvas.polygon([*upper, *reversed(lower)], PICTURE, opacity=0.25)
        line = [(x, y(one["ms"])) for x, one in zip(centres, stretch, strict=True)]
        canvas.line(
            line if len(line) > 1 else [(line[0][0] - 2, line[0][1]), (line[0][0] + 2, line[0][1])],
            PICTURE,
            2,
        )
    _draw_strength(canvas, axis, windows, top + _LAG + _GAP + _STRENGTH)
    for seam in curves["seams"]:
        canvas.line([(axis.x(seam), top), (axis.x(seam), top + LANE_HEIGHT - 14)], INK, 1, dashed=True)
        canvas.text(axis.x(seam), top + LANE_HEIGHT - 4, f"cut {seam:.2f} s", 10, INK, "middle")


def _draw_strength(canvas: Canvas, axis: TimeAxis, windows: Sequence[Window], floor: float) -> None:
    """Strength as a line over a grey band up to what chance gives."""
    centres = [axis.x((one["start"] + one["end"]) / 2) for one in windows]
    chance = [(x, floor - _STRENGTH * one["chance"]) for x, one in zip(centres, windows, strict=True)]
    canvas.polygon([(centres[0], floor), *chance, (centres[-1], floor)], SHADE)
    canvas.line([(axis.left, floor), (axis.right, floor)], FAINT)
    strength = [(x, floor - _STRENGTH * one["strength"]) for x, one in zip(centres, windows, strict=True)]
    canvas.line(strength, MATCH, 1.6)
    canvas.text(_EDGE, floor - 12, "strength", 11, MATCH)
    canvas.text(_EDGE, floor, "over chance", 10, INK)


def _scale(windows: Sequence[Window]) -> int:
    known = [abs(one[side]) for one in windows if one["ms"] is not None for side in ("low_ms", "high_ms")]
    return round(tick_of(max(known, default=0.0), _SCALES, 1))


def _told(windows: Sequence[Window]) -> Iterator[list[Window]]:
    """Runs of neighbouring windows that have a lag."""
    run: list[Window] = []
    for window in windows:
        if window["ms"] is not None:
            run.append(window)
        elif run:
            yield run
            run = []
    if run:
        yield run
