"""Line charts as SVG, for the documentation. Lines differ in colour, dash and mark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INCHES = (7.0, 4.0)
TICK = 0.2
# Okabe and Ito (2008): they stay apart for colour-blind eyes.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#222222")
_MARKS = "s^Dv|"


@dataclass(frozen=True)
class Line:
    """values: one per x of the chart; None leaves a gap."""

    name: str
    values: Sequence[float | None]


@dataclass(frozen=True)
class Chart:
    """A chart with a title; `even` sets the x at even distances, whatever lies between them."""

    title: str
    x_name: str
    x: Sequence[float]
    lines: Sequence[Line]
    low: float = 0.0
    high: float = 1.0
    even: bool = False


def figure_of(chart: Chart) -> Figure:
    """The chart as a figure of matplotlib."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=INCHES, layout="constrained")
    axes = figure.subplots()
    places = list(range(len(chart.x))) if chart.even else list(chart.x)
    for number, line in enumerate(chart.lines):
        axes.plot(
            places,
            [float("nan") if value is None else value for value in line.values],
            color=_COLOURS[number % len(_COLOURS)],
            linestyle="--" if number % 2 else "-",
            marker=_MARKS[number % len(_MARKS)],
            markersize=5,
            label=line.name,
        )
    if chart.even:
        axes.set_xticks(places, [f"{x:g}" for x in chart.x])
    axes.set_ylim(chart.low, chart.high)
    axes.set_yticks([chart.low + TICK * step for step in range(round((chart.high - chart.low) / TICK) + 1)])
    axes.set_xlabel(chart.x_name)
    axes.grid(axis="y", color="#dddddd")
    if chart.low < 0 < chart.high:
        axes.axhline(0, color="#8a8a8a", linewidth=1)
    figure.legend(
        title=chart.title,
        title_fontsize=11,
        alignment="left",
        loc="outside upper left",
        ncols=len(chart.lines),
        fontsize=8.5,
        frameon=False,
    )
    return figure


def write_svg(path: Path, chart: Chart) -> None:
    """Draw the chart into an SVG file."""
    import matplotlib

    # Text stays text, and the same numbers give the same file.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "av_align_study"}):
        figure_of(chart).savefig(path, format="svg", metadata={"Date": None, "Creator": None})
