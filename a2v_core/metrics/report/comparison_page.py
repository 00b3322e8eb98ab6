"""The HTML report of a comparison: measure by measure, and clip by clip."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from ..sets import Comparison
from .parts import bad_list, interval, number, page, plural, reasons, scatter_svg, table

MAX_CLIPS = 1000


def compare_page(names: tuple[str, str], comparison: Comparison, bad: Sequence[tuple[str, str]] = ()) -> str:
    """The report of sets A and B with these `names`; bad: (file, reason) of files not scored."""
    points = [(a, b) for _, a, b in comparison.clips if a is not None and b is not None]
    alone = comparison.alone
    return page(
        "AV-Align comparison",
        [
            f"<p>A is {escape(names[0])}<br>B is {escape(names[1])}<br>"
            f"{plural(comparison.pairs, 'clip', 'clips')} in both, {len(bad)} not readable.</p>",
            _measures(comparison),
            '<p class="note">Differences are over the clips that both sets have and that both score; '
            "the interval and p come from 10000 paired bootstrap resamples.</p>",
            "<h2>Clips</h2>",
            scatter_svg(points, "trusted score of A and B", "trusted score in A", "in B", "equal")
            if points
            else "",
            _clips(comparison),
            f"<h2>In one folder only</h2><p>{escape(', '.join(alone[:MAX_CLIPS]))}</p>" if alone else "",
            bad_list(bad),
        ],
    )


def _measures(comparison: Comparison) -> str:
    head = ["measure", "A", "B", "B - A", "95 % interval", "p", "pairs", "undefined"]
    rows = []
    for title, a, b, d in comparison.rows:
        missing = (
            f"{side}: {reasons(score.undefined)}" for side, score in (("A", a), ("B", b)) if score.undefined
        )
        rows.append(
            [
                title,
                number(a.mean),
                number(b.mean),
                number(d.difference, "+.3f"),
                interval(d.low, d.high, "+.3f"),
                number(d.p_value),
                str(d.count),
                ". ".join(missing),
            ]
        )
    return table(head, rows, words="undefined")


def _clips(comparison: Comparison) -> str:
    """Trusted scores side by side, the largest difference first."""

    def difference(a: float | None, b: float | None) -> float | None:
        return None if a is None or b is None else b - a

    rows = [(name, a, b, difference(a, b)) for name, a, b in comparison.clips]
    rows.sort(key=lambda row: -1.0 if row[3] is None else abs(row[3]), reverse=True)
    cells = [[name, number(a), number(b), number(d, "+.3f")] for name, a, b, d in rows[:MAX_CLIPS]]
    rest = len(rows) - len(cells)
    note = f'<p class="note">The other {rest} are in compare.json.</p>' if rest else ""
    return table(["clip", "trusted, A", "trusted, B", "B - A"], cells) + note
