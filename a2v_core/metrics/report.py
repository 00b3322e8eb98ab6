"""The HTML report: one file, nothing from elsewhere, no script. Plots are SVG.

Legend: n clips.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from ..drawing.canvas import FAINT, INK, MATCH, PICTURE, SOUND, SvgCanvas, rectangle
from .clip import Record, Settings
from .runner import Outcome
from .sets import PairedScore, SetScore
from .tables import summarise
from .timeline import timeline_svg

MAX_PLOTS = 200
_STYLE = """
body { font: 15px/1.5 Helvetica, Arial, sans-serif; color: #222; background: #fff; max-width: 1000px;
  margin: 2em auto; padding: 0 1em; }
table { border-collapse: collapse; margin: 1em 0; }
th, td { padding: 0.25em 0.7em; border-bottom: 1px solid #ddd; text-align: right; }
th:first-child, td:first-child { text-align: left; overflow-wrap: anywhere; min-width: 11em; }
svg { max-width: 100%; height: auto; }
details { border-top: 1px solid #ddd; padding: 0.4em 0; } summary { cursor: pointer; }
.note { color: #555; }
"""
_MEASURES = (
    ("av_align", "AV-Align, as published"),
    ("chance", "its chance level"),
    ("trusted", "AV-Align, trusted"),
    ("trusted_chance", "its chance level"),
    ("trusted_corrected", "chance-corrected (0 is chance, 1 is perfect)"),
    ("correlation", "onset-motion correlation"),
    ("correlation_lag_ms", "lag of the picture, ms"),
    ("roughness", "roughness of the motion"),
    ("flicker", "flicker, grey levels"),
)


def score_page(outcome: Outcome, settings: Settings) -> str:
    """The report of a set."""
    records = outcome.records
    undefined = sum(1 for record in records if record["trusted"] is None)
    body = [
        "<h1>AV-Align report</h1>",
        f"<p>{len(records)} clips scored, {undefined} of them undefined in the trusted score, "
        f"{len(outcome.bad)} files not readable. {_how(settings)}</p>",
        _summary_table(summarise(records)),
        scatter_svg(records) if any(r["trusted"] is not None for r in records) else "",
        "<h2>Clips</h2>",
        _clip_table(records),
        _bad_list(outcome.bad),
        "<h2>Over time</h2>" if records else "",
        *_plots(outcome),
    ]
    return page("AV-Align report", body)


def compare_page(names: tuple[str, str], rows: Sequence[tuple[str, SetScore, SetScore, PairedScore]]) -> str:
    """The report of a comparison: per measure the mean of both sets and the paired difference."""
    head = (
        "<tr><th>measure</th>"
        + "".join(f"<th>{escape(name)}</th>" for name in names)
        + "<th>B - A</th><th>95 % interval</th><th>p</th><th>pairs</th></tr>"
    )
    lines = [
        f"<tr><td>{escape(title)}</td><td>{_number(a.mean)}</td><td>{_number(b.mean)}</td>"
        f"<td>{_number(d.difference)}</td><td>{_span(d.low, d.high)}</td><td>{_number(d.p_value)}</td>"
        f"<td>{d.count}</td></tr>"
        for title, a, b, d in rows
    ]
    return page(
        "AV-Align comparison",
        [
            "<h1>AV-Align comparison</h1>",
            f"<table>{head}{''.join(lines)}</table>",
            '<p class="note">Differences are over the clips that both sets have and that both score; '
            "the interval and p come from 10000 paired bootstrap resamples.</p>",
        ],
    )


def page(title: str, body: Sequence[str]) -> str:
    """A whole HTML document without any reference to other files or hosts."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def scatter_svg(records: Sequence[Record]) -> str:
    """Trusted score of every clip against its chance level; on the diagonal the sound could be any."""
    size, edge = 420, 52
    canvas = SvgCanvas(size, size, "trusted score against chance")
    span = size - 2 * edge

    def at(chance: float, score: float) -> tuple[float, float]:
        return edge + span * chance, size - edge - span * score

    canvas.polygon(rectangle(edge, edge, span, span), "#ffffff", outline=FAINT)
    canvas.line([at(0, 0), at(1, 1)], FAINT, 1, dashed=True)
    canvas.text(*at(0.78, 0.72), "chance", 12, FAINT)
    for tick in (0.0, 0.5, 1.0):
        canvas.text(at(tick, 0)[0], size - edge + 16, f"{tick:g}", 12, INK, "middle")
        canvas.text(edge - 8, at(0, tick)[1] + 4, f"{tick:g}", 12, INK, "end")
    canvas.text(size / 2, size - 14, "chance level of the clip", 13, INK, "middle")
    canvas.text(8, edge - 14, "trusted score", 13)
    for record in records:
        if record["trusted"] is not None:
            x, y = at(min(1, record["trusted_chance"]), record["trusted"])
            colour = SOUND if record["trusted"] > record["trusted_chance"] else PICTURE
            canvas.polygon(
                [(x - 4, y), (x, y - 4), (x + 4, y), (x, y + 4)], colour, outline=MATCH, opacity=0.5
            )
    return canvas.svg()


def _how(settings: Settings) -> str:
    tolerance = "one frame" if settings.tolerance_ms is None else f"{settings.tolerance_ms:g} ms"
    how = f"Published score: variant {escape(settings.variant)}, tolerance {tolerance}"
    if settings.fast:
        how += ", flow of scaled-down frames"
    elif settings.normalise_flow:
        how += ", flow normalised by picture size"
    return how + "."


def _summary_table(summary: dict[str, SetScore]) -> str:
    rows = ["<tr><th>measure</th><th>mean</th><th>95 % interval</th><th>clips</th><th>undefined</th></tr>"]
    for name, title in _MEASURES:
        score = summary[name]
        reasons = "; ".join(f"{count} {reason}" for reason, count in score.undefined.items())
        rows.append(
            f"<tr><td>{title}</td><td>{_number(score.mean)}</td><td>{_span(score.low, score.high)}</td>"
            f"<td>{score.count}</td><td>{escape(reasons)}</td></tr>"
        )
    return f"<table>{''.join(rows)}</table>"


def _clip_table(records: Sequence[Record]) -> str:
    rows = [
        "<tr><th>clip</th><th>AV-Align</th><th>chance</th><th>trusted</th><th>chance</th><th>corrected</th>"
        "<th>p</th><th>onsets</th><th>motion peaks</th><th>matched</th><th>lag ms</th></tr>"
    ]
    for record in records:
        values = [
            record[name] for name in ("av_align", "chance", "trusted", "trusted_chance", "trusted_corrected")
        ]
        values += [record["trusted_p_value"]]
        counts = [record[f"trusted_num_{name}"] for name in ("audio_peaks", "video_peaks", "matches")]
        lag = record["trusted_mean_lag_ms"]
        cells = [_number(value) for value in values] + [str(count) for count in counts]
        cells.append("-" if lag is None else f"{lag:+.0f}")
        title = escape(Path(record["video"]).name)
        rows.append(f"<tr><td>{title}</td>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    return f"<table>{''.join(rows)}</table>"


def _bad_list(bad: Sequence[tuple[str, str]]) -> str:
    if not bad:
        return ""
    items = "".join(
        f"<li><b>{escape(file)}</b>: {escape(reason.removeprefix(file + ': '))}</li>" for file, reason in bad
    )
    return f"<h2>Not scored</h2><ul>{items}</ul>"


def _plots(outcome: Outcome) -> list[str]:
    """A timeline per clip, the first few open."""
    parts = []
    for number, (record, curves) in enumerate(zip(outcome.records, outcome.curves, strict=True)):
        if number == MAX_PLOTS:
            parts.append(
                f'<p class="note">The other {len(outcome.records) - MAX_PLOTS} clips are in the table.</p>'
            )
            break
        name = Path(record["video"]).name
        subtitle = record["trusted_reason"] or (
            f"trusted {record['trusted']:.2f}, chance {record['trusted_chance']:.2f}, "
            f"p = {record['trusted_p_value']:.2f}"
        )
        opened = " open" if number < 3 else ""
        drawing = timeline_svg(curves, f"AV-Align {_number(record['av_align'])}", subtitle)
        parts.append(
            f"<details{opened}><summary>{escape(name)}: {escape(subtitle)}</summary>{drawing}</details>"
        )
    return parts


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _span(low: float | None, high: float | None) -> str:
    return "-" if low is None or high is None else f"{low:.3f} to {high:.3f}"
