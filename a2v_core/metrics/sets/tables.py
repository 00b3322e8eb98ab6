"""Scores as text: the table on the screen, the lines of one clip, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ...texts import write_text
from ..alignment import Record, Settings, lag_lines
from .bootstrap import SetScore, set_score
from .runner import Outcome

# (name in the summary, field of a record, field that says why it is undefined)
SUMMARY = (
    ("av_align", "av_align", "reason"),
    ("chance", "chance", "reason"),
    ("corrected", "corrected", "reason"),
    ("trusted", "trusted", "trusted_reason"),
    ("trusted_chance", "trusted_chance", "trusted_reason"),
    ("trusted_corrected", "trusted_corrected", "trusted_reason"),
    ("lag_ms", "lag_ms", "lag_reason"),
    ("drift_ms_per_minute", "drift_ms_per_minute", ""),
    ("correlation", "correlation", ""),
    ("correlation_lag_ms", "correlation_lag_ms", ""),
    ("roughness", "roughness", ""),
    ("flicker", "flicker", ""),
)
_MAX_ROWS = 40
_COLUMNS = (
    ("av_align", "AV-Align", 9),
    ("chance", "chance", 7),
    ("trusted", "trusted", 8),
    ("trusted_chance", "chance", 7),
    ("trusted_corrected", "corrected", 10),
    ("trusted_p_value", "p", 6),
    ("trusted_num_audio_peaks", "onsets", 7),
    ("trusted_num_video_peaks", "motion", 7),
    ("trusted_num_matches", "matched", 8),
    ("trusted_mean_lag_ms", "lag ms", 7),
)


def summarise(records: Sequence[Record]) -> dict[str, SetScore]:
    """The mean of every measure over the clips that have it, with what was undefined."""
    return {
        name: set_score((record[field], str(record.get(reason, ""))) for record in records)
        for name, field, reason in SUMMARY
    }


def as_json(outcome: Outcome, settings: Settings) -> dict[str, Any]:
    """Settings, summary, clips and bad files, ready for JSON."""
    return {
        "settings": asdict(settings),
        "summary": {name: asdict(score) for name, score in summarise(outcome.records).items()},
        "clips": outcome.records,
        "bad": [{"file": file, "reason": reason} for file, reason in outcome.bad],
    }


def as_csv(records: Sequence[Record]) -> str:
    """One line per clip; lists are left to the JSON, undefined numbers are empty."""
    if not records:
        return ""
    names = [name for name, value in records[0].items() if not isinstance(value, list)]
    text = io.StringIO()
    writer = csv.DictWriter(text, names, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def write_files(folder: Path, outcome: Outcome, settings: Settings, page: str) -> None:
    """scores.csv, scores.json and report.html into an existing folder."""
    write_text(folder / "scores.csv", as_csv(outcome.records))
    write_text(folder / "scores.json", json.dumps(as_json(outcome, settings), indent=1))
    write_text(folder / "report.html", page)


def clip_lines(record: Record) -> str:
    """One clip as text for the terminal."""
    lines = [
        f"{record['video']}",
        f"  frames    {record['frames']}",
        f"  size      {record['width']} x {record['height']}",
        f"  fps       {record['fps']:g}",
        f"  AV-Align  {_with_chance(record['av_align'], record['chance'])}",
        f"  peaks     {record['num_audio_peaks']} in the sound, {record['num_video_peaks']} in the picture, "
        f"{record['num_matches']} matched",
    ]
    if record["reason"]:
        lines.append(f"  note      {record['reason']}")
    trusted = f"  trusted   {_with_chance(record['trusted'], record['trusted_chance'])}"
    if record["trusted_corrected"] is not None:
        trusted += f", corrected {record['trusted_corrected']:.3f}, p = {record['trusted_p_value']:.3f}"
    lines.append(trusted)
    lines.append(
        f"  peaks     {record['trusted_num_audio_peaks']} in the sound, "
        f"{record['trusted_num_video_peaks']} in the picture, {record['trusted_num_matches']} matched"
        + _precision_recall(record)
    )
    if record["trusted_reason"]:
        lines.append(f"  note      {record['trusted_reason']}")
    lines.extend(f"  note      {note}" for note in record["trusted_notes"])
    if record["correlation"] is not None:
        lines.append(
            f"  moving together  correlation {record['correlation']:.2f} at a lag of "
            f"{record['correlation_lag_ms']:.0f} ms ({record['correlation_at_zero']:.2f} at 0)"
        )
    lines.extend(f"  {line}" for line in lag_lines(record))
    return "\n".join(lines)


def set_lines(outcome: Outcome, settings: Settings) -> str:
    """A set as text for the terminal: a row per clip (the first 40), means, undefined scores, bad files."""
    lines = []
    if outcome.records:
        width = min(44, max(len(_short(r["video"])) for r in outcome.records))
        lines.append(" " * width + "".join(title.rjust(size) for _, title, size in _COLUMNS))
        for record in outcome.records[:_MAX_ROWS]:
            cells = "".join(_cell(record[field]).rjust(size) for field, _, size in _COLUMNS)
            lines.append(_short(record["video"])[-width:].ljust(width) + cells)
        if len(outcome.records) > _MAX_ROWS:
            lines.append(f"... and {len(outcome.records) - _MAX_ROWS} more")
        summary = summarise(outcome.records)
        lines += ["", *(mean_line(f"AV-Align ({settings.variant})", summary["av_align"]).splitlines())]
        lines += mean_line("  chance", summary["chance"]).splitlines()[:1]
        for title, name in (
            ("trusted", "trusted"),
            ("  chance", "trusted_chance"),
            ("  chance-corrected", "trusted_corrected"),
        ):
            text = mean_line(title, summary[name]).splitlines()
            lines += text if name == "trusted" else text[:1]
        lines += mean_line("correlation", summary["correlation"]).splitlines()[:1]
    if outcome.bad:
        lines += ["", f"{len(outcome.bad)} could not be scored:"]
        lines += [
            f"  {reason if reason.startswith(file) else file + ': ' + reason}" for file, reason in outcome.bad
        ]
    return "\n".join(lines)


def mean_line(title: str, score: SetScore) -> str:
    """A mean with its interval, and a line for every reason of being undefined."""
    if score.mean is None:
        head = f"{title:22s} undefined"
    else:
        span = "" if score.low is None else f"  [{score.low:.3f}, {score.high:.3f}]"
        head = f"{title:22s} {score.mean:.3f}{span}  over {score.count} clips"
    reasons = [f"{'':22s} {count} not counted: {reason}" for reason, count in score.undefined.items()]
    return "\n".join([head, *reasons])


def _with_chance(score: float | None, chance: float | None) -> str:
    return "undefined" if score is None or chance is None else f"{score:.3f} (chance {chance:.3f})"


def _precision_recall(record: Record) -> str:
    if record["trusted_precision"] is None or record["trusted_recall"] is None:
        return ""
    text = f" (precision {record['trusted_precision']:.2f}, recall {record['trusted_recall']:.2f}"
    lag = record["trusted_mean_lag_ms"]
    return text + ("" if lag is None else f", picture {lag:+.0f} ms") + ")"


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if isinstance(value, float) and abs(value) < 10 else f"{value:.0f}"


def _short(path: str) -> str:
    return Path(path).name
