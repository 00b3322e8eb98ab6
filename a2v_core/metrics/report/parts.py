"""Building blocks of the HTML reports, which are self-contained and without scripts. Plots are SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from ...drawing import FAINT, INK, MATCH, OTHER, PICTURE, SOUND, SvgCanvas, rectangle

_STYLE = """
body { font: 15px/1.5 Helvetica, Arial, sans-serif; color: #222; background: #fff; max-width: 1000px;
  margin: 2em auto; padding: 0 1em; overflow-wrap: anywhere; }
.wide { overflow-x: auto; margin: 1em 0; }
table { border-collapse: collapse; overflow-wrap: normal; }
th, td { padding: 0.25em 0.7em; border-bottom: 1px solid #ddd; text-align: right; }
th:first-child, td:first-child { text-align: left; overflow-wrap: anywhere; min-width: 11em; }
td { white-space: nowrap; } td:first-child, td.words { white-space: normal; }
th.words, td.words { text-align: left; min-width: 12em; }
svg { max-width: 100%; height: auto; }
details { border-top: 1px solid #ddd; padding: 0.4em 0; } summary { cursor: pointer; }
.note { color: #555; }
"""


def page(title: str, body: Sequence[str]) -> str:
    """A whole HTML document without any reference to other files or hosts."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>\n<h1>{escape(title)}</h1>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]], words: str = "") -> str:
    """A table that scrolls by itself where it is wider than the window; the column `words` holds text."""

    def row(cells: Sequence[str], tag: str) -> str:
        kinds = (' class="words"' if words and name == words else "" for name in head)
        marked = (f"<{tag}{kind}>{escape(cell)}</{tag}>" for kind, cell in zip(kinds, cells, strict=True))
        return f"<tr>{''.join(marked)}</tr>"

    lines = [row(head, "th"), *(row(cells, "td") for cells in rows)]
    return f'<div class="wide"><table>{"".join(lines)}</table></div>'


def bad_list(bad: Sequence[tuple[str, str]]) -> str:
    """The files that could not be scored, with the reasons; nothing if there is none."""
    if not bad:
        return ""
    items = "".join(
        f"<li><b>{escape(file)}</b>: {escape(reason.removeprefix(file + ': '))}</li>" for file, reason in bad
    )
    return f"<h2>Not scored</h2><ul>{items}</ul>"


def scatter_svg(
    points: Sequence[tuple[float, float]], title: str, x_label: str, y_label: str, diagonal: str
) -> str:
    """Scatter plot of (x, y) per clip, both from 0 to 1; blue above the diagonal, orange below, green on it.

    diagonal  label of the dashed diagonal
    """
    size, edge = 420, 52
    canvas = SvgCanvas(size, size, title)
    span = size - 2 * edge

    def at(x: float, y: float) -> tuple[float, float]:
        return edge + span * x, size - edge - span * y

    canvas.polygon(rectangle(edge, edge, span, span), "#ffffff", outline=FAINT)
    canvas.line([at(0, 0), at(1, 1)], FAINT, 1, dashed=True)
    canvas.text(*at(0.78, 0.72), diagonal, 12, FAINT)
    for tick in (0.0, 0.5, 1.0):
        canvas.text(at(tick, 0)[0], size - edge + 16, f"{tick:g}", 12, INK, "middle")
        canvas.text(edge - 8, at(0, tick)[1] + 4, f"{tick:g}", 12, INK, "end")
    canvas.text(size / 2, size - 14, x_label, 13, INK, "middle")
    canvas.text(8, edge - 14, y_label, 13)
    for a, b in points:
        x, y = at(min(1.0, a), min(1.0, b))
        colour = SOUND if b > a else PICTURE if b < a else OTHER
        canvas.polygon([(x - 4, y), (x, y - 4), (x + 4, y), (x, y + 4)], colour, outline=MATCH, opacity=0.5)
    return canvas.svg()


def reasons(undefined: Mapping[str, int]) -> str:
    """How many scores are undefined, by reason."""
    return "; ".join(f"{count} {why.removeprefix('undefined: ')}" for why, count in undefined.items())


def number(value: float | None, form: str = ".3f") -> str:
    """A number for a cell, "-" if there is none."""
    return "-" if value is None else f"{value:{form}}"


def interval(low: float | None, high: float | None, form: str = ".3f") -> str:
    """A confidence interval for a cell."""
    return "-" if low is None or high is None else f"{low:{form}} to {high:{form}}"


def plural(count: int, singular: str, plural_form: str) -> str:
    """A count with its noun: 1 clip, 2 clips."""
    return f"{count} {singular if count == 1 else plural_form}"
