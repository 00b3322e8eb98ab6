"""The lag over time as a record for JSON, and as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from .sliding import LagOverTime

Record = dict[str, Any]


def lag_record(lags: LagOverTime) -> Record:
    """lag_* of the whole clip, drift_* in ms a minute, `seams` and `lags` (of the sliding stretches), all in
    ms; None where there is none.
    """
    whole, drift = lags.whole, lags.drift
    return {
        "lag_ms": whole.ms,
        "lag_low_ms": whole.low_ms,
        "lag_high_ms": whole.high_ms,
        "lag_pairs": whole.pairs,
        "lag_reason": whole.reason,
        "lag_others_ms": list(whole.others_ms),
        "drift_ms_per_minute": None if drift is None else drift.ms_per_minute,
        "drift_low": None if drift is None else drift.low,
        "drift_high": None if drift is None else drift.high,
        "drift_told": drift is not None and drift.told,
        "seams": [_plain(asdict(seam)) for seam in lags.seams],
        "lags": [_plain(asdict(window)) for window in lags.windows],
    }


def lag_lines(record: Mapping[str, Any]) -> list[str]:
    """Lag and drift of a clip, and a line for every seam."""
    lines = [f"lag: {_lag(record)}"]
    if record["drift_ms_per_minute"] is not None:
        low, high = record["drift_low"], record["drift_high"]
        told = "" if record["drift_told"] else ": none that can be told"
        drift = f"{record['drift_ms_per_minute']:+.0f} ms a minute (95 %: {low:+.0f} to {high:+.0f})"
        lines.append(f"drift: {drift}{told}")
    return lines + [f"seam at {seam['time']:.2f} s: {_jump(seam)}" for seam in record["seams"]]


def window_lines(record: Mapping[str, Any]) -> list[str]:
    """A line for every sliding stretch."""
    lines = []
    for window in record["lags"]:
        span = f"{window['start']:.1f} to {window['end']:.1f} s: "
        if window["ms"] is None:
            lines.append(span + window["reason"])
            continue
        lines.append(
            f"{span}{window['ms']:+.0f} ms (95 %: {window['low_ms']:+.0f} to {window['high_ms']:+.0f}), "
            f"strength {window['strength']:.2f}, chance {window['chance']:.2f}"
        )
    return lines


def _lag(record: Mapping[str, Any]) -> str:
    if record["lag_ms"] is None:
        return record["lag_reason"]
    text = (
        f"the picture {record['lag_ms']:+.0f} ms after the sound (95 %: {record['lag_low_ms']:+.0f} to "
        f"{record['lag_high_ms']:+.0f}, {record['lag_pairs']} pairs)"
    )
    if others := record["lag_others_ms"]:
        text += f"; the rhythm fits at {', '.join(f'{other:+.0f}' for other in others)} ms, too"
    return text


def _jump(seam: Mapping[str, Any]) -> str:
    if seam["jump_ms"] is None:
        side = "before" if seam["before"]["ms"] is None else "after"
        return f"no lag {side} it ({seam[side]['reason']})"
    low, high, jump = seam["low_ms"], seam["high_ms"], seam["jump_ms"]
    span = f"{jump:+.0f} ms (95 %: {low:+.0f} to {high:+.0f})"
    if low <= 0 <= high:
        return f"no jump that can be told: {span}"
    return f"the picture is {'later' if jump > 0 else 'earlier'} after it: {span}"


def _plain(record: Record) -> Record:
    """With lists for tuples, as JSON gives them back."""
    return {
        name: _plain(value) if isinstance(value, dict) else list(value) if isinstance(value, tuple) else value
        for name, value in record.items()
    }
