"""Line charts as SVG, for the documentation. Lines differ in colour, dash and mark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..drawing.canvas import FAINT, INK, OTHER, PAPER, PICTURE, SOUND, SvgCanvas, rectangle

WIDTH, HEIGHT = 560, 320
TICK = 0.2
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 16, 64, 48
_COLOURS = (SOUND, PICTURE, OTHER, "#cc79a7", INK)


@dataclass(frozen=True)
class Line:
    """values: one per x of the chart; None leaves a gap."""

    name: str
    values: Sequence[float | None]


@dataclass(frozen=True)
class Chart:
    """A chart with a title; x labels are the numbers themselves, or `labels` at even distances."""

    title: str
    x_name: str
    x: Sequence[float]
    lines: Sequence[Line]
    low: float = 0.0
    high: float = 1.0
    labels: Sequence[str] = ()


def chart_svg(chart: Chart) -> str:
    """The chart as an <svg> element."""
    canvas = SvgCanvas(WIDTH, HEIGHT, chart.title)
    wide, tall = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
    first, last = (0.0, float(len(chart.x) - 1)) if chart.labels else (min(chart.x), max(chart.x))
    places = [float(i) for i in range(len(chart.x))] if chart.labels else [float(x) for x in chart.x]

    def at(x: float, y: float) -> tuple[float, float]:
        across = (x - first) / max(last - first, 1e-9)
        return _LEFT + wide * across, _TOP + tall * (1 - (y - chart.low) / (chart.high - chart.low))

    canvas.text(8, 20, chart.title, 14)
    canvas.polygon(rectangle(_LEFT, _TOP, wide, tall), PAPER, outline="#cccccc")
    steps = round((chart.high - chart.low) / TICK)
    for number in range(steps + 1):
        value = round(chart.low + TICK * number, 6) + 0.0
        canvas.line([at(first, value), at(last, value)], "#dddddd")
        canvas.text(_LEFT - 6, at(first, value)[1] + 4, f"{value:.1f}", 11, INK, "end")
    if chart.low < 0 < chart.high:
        canvas.line([at(first, 0), at(last, 0)], FAINT)
    for number, place in enumerate(places):
        if len(places) <= 11 or number % 2 == 0:
            label = chart.labels[number] if chart.labels else f"{chart.x[number]:g}"
            canvas.text(at(place, chart.low)[0], HEIGHT - _BOTTOM + 16, label, 11, INK, "middle")
    canvas.text(_LEFT + wide / 2, HEIGHT - 10, chart.x_name, 12, INK, "middle")
    key_x = 8.0
    for number, line in enumerate(chart.lines):
        _draw(
            canvas,
            number,
            [(at(x, y) if y is not None else None) for x, y in zip(places, line.values, strict=True)],
        )
        _mark(canvas, number, key_x + 6, 40)
        canvas.text(key_x + 16, 44, line.name, 12)
        key_x += 30 + 6.2 * len(line.name)
    return canvas.svg()


def _draw(canvas: SvgCanvas, number: int, points: Sequence[tuple[float, float] | None]) -> None:
    piece: list[tuple[float, float]] = []
    for point in [*points, None]:
        if point is not None:
            piece.append(point)
            _mark(canvas, number, *point)
        elif piece:
            canvas.line(piece, _COLOURS[number % 5], 2, dashed=number % 2 == 1)
            piece = []


def _mark(canvas: SvgCanvas, number: int, x: float, y: float) -> None:
    shapes = (
        rectangle(x - 3, y - 3, 6, 6),
        [(x - 4, y + 3), (x + 4, y + 3), (x, y - 4)],
        [(x - 4, y), (x, y - 4), (x + 4, y), (x, y + 4)],
        [(x - 4, y - 3), (x + 4, y - 3), (x, y + 4)],
        rectangle(x - 1.5, y - 4, 3, 8),
    )
    canvas.polygon(shapes[number % 5], _COLOURS[number % 5])
