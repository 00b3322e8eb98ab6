"""A picture of a table: AV-Align of every row, each seed, and the paper's number."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from a2v_core.drawing import FAINT, INK, PAPER, PICTURE, SHADE, SOUND, SvgCanvas, rectangle

from .stats import Result

WIDTH, ROW_HEIGHT = 640, 28
_LEFT, _RIGHT, _TOP, _BOTTOM = 210, 20, 44, 44


def table_svg(title: str, results: Sequence[Result]) -> str:
    """A dot per row at its mean, a line for the deviation over seeds, small dots for single seeds."""
    height = _TOP + ROW_HEIGHT * len(results) + _BOTTOM
    canvas = SvgCanvas(WIDTH, height, title)
    bottom = height - _BOTTOM

    def at(value: float) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * value

    for number in range(6):
        value = number / 5
        canvas.line([(at(value), _TOP), (at(value), bottom)], "#dddddd")
        canvas.text(at(value), bottom + 16, f"{value:.1f}", 11, INK, "middle")
    canvas.text(at(0.5), height - 8, "AV-Align, published variant", 12, INK, "middle")
    _key(canvas, any(result.row.paper is not None for result in results))
    for place, result in enumerate(results):
        y = _TOP + ROW_HEIGHT * (place + 0.5)
        if place % 2 == 0:
            canvas.polygon(
                rectangle(8, y - ROW_HEIGHT / 2, WIDTH - 8 - _RIGHT, ROW_HEIGHT), SHADE, opacity=0.45
            )
        canvas.text(_LEFT - 10, y + 4, result.row.label, 12, INK, "end")
        _draw(canvas, result, y, at)
    return canvas.svg() + "\n"


def _draw(canvas: SvgCanvas, result: Result, y: float, at: Callable[[float], float]) -> None:
    aligned, chance = result.per_seed("av_align"), result.per_seed("chance")
    if chance.values:
        canvas.line([(at(chance.mean), y - 8), (at(chance.mean), y + 8)], FAINT, 2, dashed=True)
    if result.row.paper is not None:
        _diamond(canvas, at(result.row.paper), y)
    if not aligned.values:
        return
    spread = aligned.deviation or 0.0
    canvas.line(
        [(at(max(0.0, aligned.mean - spread)), y), (at(min(1.0, aligned.mean + spread)), y)], SOUND, 2
    )
    for value in aligned.values:
        canvas.polygon(rectangle(at(value) - 1.5, y - 1.5, 3, 3), SOUND, opacity=0.6)
    canvas.polygon(rectangle(at(aligned.mean) - 4.5, y - 4.5, 9, 9), SOUND)


def _key(canvas: SvgCanvas, paper: bool) -> None:
    canvas.polygon(rectangle(12, 15, 9, 9), SOUND)
    canvas.text(28, 24, "mean over seeds, their deviation", 12)
    canvas.line([(246, 12), (246, 28)], FAINT, 2, dashed=True)
    canvas.text(256, 24, "chance: sound shifted in time", 12)
    if paper:
        _diamond(canvas, 446, 20)
        canvas.text(458, 24, "paper, on VGGSound", 12)


def _diamond(canvas: SvgCanvas, x: float, y: float) -> None:
    canvas.polygon([(x - 6, y), (x, y - 6), (x + 6, y), (x, y + 6)], PAPER, outline=PICTURE)
