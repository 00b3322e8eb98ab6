"""Events as JSON, as a table, and as a caption."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .events import SoundEvents
from .segments import Segment

_FEW = 6


def events_record(found: SoundEvents, segments: Sequence[Segment] = ()) -> dict[str, Any]:
    """JSON values: `events` with time (s), strength (0..1), label and probability (null without a name).

    An event at which several classes are heard has them all in `also`. `note` says why there are no names.
    """
    events = [
        {
            "time": round(event.time, 4),
            "strength": round(event.strength, 4),
            "label": event.label,
            "probability": round(event.heard[0].probability, 4) if event.heard else None,
            "also": [
                {"label": other.label, "probability": round(other.probability, 4)}
                for other in event.heard[1:]
            ],
        }
        for event in found.events
    ]
    sustained = [
        {
            "start": round(segment.start, 3),
            "end": round(segment.end, 3),
            "label": segment.label,
            "probability": round(segment.probability, 4),
        }
        for segment in segments
    ]
    return {"duration": round(found.duration, 4), "events": events, "segments": sustained, "note": found.note}


def events_table(found: SoundEvents, segments: Sequence[Segment] = ()) -> str:
    """A line for every event: time, strength, names; then the sustained sounds."""
    lines = [found.note] if found.note else []
    lines.append(f"{'time':>9}  {'strength':>8}  sound")
    for event in found.events:
        heard = ", ".join(f"{one.label} ({one.probability:.2f})" for one in event.heard) or "-"
        lines.append(f"{event.time:8.3f}s  {event.strength:8.2f}  {heard}")
    if not found.events:
        lines.append("(no onset)")
    for segment in segments:
        lines.append(
            f"{segment.start:.2f}s - {segment.end:.2f}s  {segment.label} ({segment.probability:.2f})"
        )
    return "\n".join(lines)


def caption(found: SoundEvents) -> str:
    """One line: which sounds are heard, the most frequent first, and how often."""
    counts: dict[str, int] = {}
    for event in found.events:
        for one in event.heard:
            counts[one.label] = counts.get(one.label, 0) + 1
    if not counts:
        number = len(found.events)
        return f"{number} hit{'' if number == 1 else 's'}" if number else "no hits"
    ranked = sorted(counts.items(), key=lambda item: -item[1])[:_FEW]
    return ", ".join(f"{label} ({count})" if count > 1 else label for label, count in ranked)
