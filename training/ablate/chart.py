"""Chart of a table: AV-Align of every row, each seed, and the paper's number. Needs matplotlib."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .stats import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, ROW_HEIGHT, MARGINS = 7.5, 0.33, 1.3  # inches
SOUND, CHANCE, PAPER = "#1b6ca8", "#888888", "#d1495b"


def table_svg(title: str, results: Sequence[Result]) -> str:
    """A mark per row at its mean, a line for the deviation over seeds, dots for single seeds; an SVG file."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # Text stays text, and the same numbers make the same file.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "a2v", "font.size": 9}):
        figure = Figure((WIDTH, MARGINS + ROW_HEIGHT * len(results)), layout="constrained")
        axes = figure.add_subplot()
        for place, result in enumerate(results):
            _draw(axes, result, place)
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("AV-Align, published variant")
        axes.set_xlim(0, 1)
        axes.set_ylim(len(results) - 0.5, -0.5)
        axes.set_yticks(range(len(results)), [result.row.label for result in results])
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x", color="#dddddd")
        axes.set_axisbelow(True)
        handles, labels = axes.get_legend_handles_labels()
        once = dict(zip(labels, handles, strict=True))
        figure.legend(once.values(), once.keys(), loc="outside lower center", ncols=3, frameon=False)
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Title": title})
    return file.getvalue()


def _draw(axes: Axes, result: Result, place: int) -> None:
    """One row, `place` rows below the first."""
    aligned, chance = result.per_seed("av_align"), result.per_seed("chance")
    if chance.values:
        axes.plot(
            [chance.mean] * 2,
            [place - 0.3, place + 0.3],
            color=CHANCE,
            linestyle="--",
            label="chance: sound shifted in time",
        )
    if result.row.paper is not None:
        axes.plot(
            result.row.paper,
            place,
            "D",
            color="none",
            markeredgecolor=PAPER,
            label="paper, on VGGSound",
        )
    if aligned.values:
        axes.plot(aligned.values, [place] * len(aligned.values), ".", color=SOUND, markersize=4)
        axes.errorbar(
            aligned.mean,
            place,
            xerr=aligned.deviation or 0.0,
            fmt="s",
            color=SOUND,
            label="mean over seeds, their deviation",
        )
