"""The HTML report of a set of clips: means, clip by clip, and every clip over time.

Legend: n clips.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from ..alignment import Record, Settings, lag_lines
from ..sets import Outcome, SetScore, summarise
from .parts import bad_list, interval, number, page, plural, reasons, scatter_svg, table
from .timeline import timeline_svg

MAX_PLOTS = 200
_MEASURES = (
    ("av_align", "AV-Align, as published"),
    ("chance", "its chance level"),
    ("trusted", "AV-Align, trusted"),
    ("trusted_chance", "its chance level"),
    ("trusted_corrected", "chance-corrected (0 is chance, 1 is perfect)"),
    ("correlation", "onset-motion correlation"),
    ("correlation_lag_ms", "lag of the best correlation, ms"),
    ("lag_ms", "lag of the picture, ms"),
    ("drift_ms_per_minute", "its drift, ms a minute"),
    ("roughness", "roughness of the motion"),
    ("flicker", "flicker, grey levels"),
)
_CLIP_HEAD = ["clip", "AV-Align", "chance", "trusted", "chance", "corrected", "p"]
_CLIP_HEAD += ["onsets", "motion peaks", "matched", "lag ms"]


def score_page(outcome: Outcome, settings: Settings) -> str:
    """The report of a set."""
    records = outcome.records
    undefined = sum(1 for record in records if record["trusted"] is None)
    body = [
        f"<p>{plural(len(records), 'clip', 'clips')} scored, {undefined} of them undefined in the trusted "
        f"score, {plural(len(outcome.bad), 'file', 'files')} not readable. {_settings_text(settings)}</p>",
        _summary_table(summarise(records)),
        _scatter(records),
        "<h2>Clips</h2>",
        _clip_table(records),
        bad_list(outcome.bad),
        "<h2>Over time</h2>" if records else "",
        *_plots(outcome),
    ]
    return page("AV-Align report", body)


def _scatter(records: Sequence[Record]) -> str:
    """Trusted score of every clip against its chance level."""
    points = [(r["trusted_chance"], r["trusted"]) for r in records if r["trusted"] is not None]
    if not points:
        return ""
    title = "trusted score against chance"
    return scatter_svg(points, title, "chance level of the clip", "trusted score", "chance")


def _settings_text(settings: Settings) -> str:
    tolerance = "one frame" if settings.tolerance_ms is None else f"{settings.tolerance_ms:g} ms"
    text = f"Published score: variant {escape(settings.variant)}, tolerance {tolerance}"
    if settings.fast:
        text += ", flow of scaled-down frames"
    elif settings.normalise_flow:
        text += ", flow normalised by picture size"
    return text + "."


def _summary_table(summary: dict[str, SetScore]) -> str:
    rows = []
    for name, title in _MEASURES:
        score = summary[name]
        form = ".0f" if "_ms" in name else ".3f"
        mean, span = number(score.mean, form), interval(score.low, score.high, form)
        rows.append([title, mean, span, str(score.count), reasons(score.undefined)])
    return table(["measure", "mean", "95 % interval", "clips", "undefined"], rows, words="undefined")


def _clip_table(records: Sequence[Record]) -> str:
    rows = []
    for record in records:
        values = [
            record[name] for name in ("av_align", "chance", "trusted", "trusted_chance", "trusted_corrected")
        ]
        values += [record["trusted_p_value"]]
        counts = [record[f"trusted_num_{name}"] for name in ("audio_peaks", "video_peaks", "matches")]
        cells = [number(value) for value in values] + [str(count) for count in counts]
        cells.append(number(record["trusted_mean_lag_ms"], "+.0f"))
        rows.append([Path(record["video"]).name, *cells])
    return table(_CLIP_HEAD, rows)


def _plots(outcome: Outcome) -> list[str]:
    """A timeline per clip, the first few open."""
    parts = []
    for index, (record, curves) in enumerate(zip(outcome.records, outcome.curves, strict=True)):
        if index == MAX_PLOTS:
            parts.append(
                f'<p class="note">The other {len(outcome.records) - MAX_PLOTS} clips are in the table.</p>'
            )
            break
        name = Path(record["video"]).name
        subtitle = record["trusted_reason"] or (
            f"trusted {record['trusted']:.2f}, chance {record['trusted_chance']:.2f}, "
            f"p = {record['trusted_p_value']:.2f}"
        )
        opened = " open" if index < 3 else ""
        drawing = timeline_svg(curves, f"AV-Align {number(record['av_align'])}", subtitle)
        parts.append(
            f"<details{opened}><summary>{escape(name)}: {escape(subtitle)}</summary>{drawing}"
            f'<p class="note">{"<br>".join(escape(line) for line in lag_lines(record))}</p></details>'
        )
    return parts
