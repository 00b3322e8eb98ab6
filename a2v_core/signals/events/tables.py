"""Events as JSON, as a table, and as a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .events import SoundEvents
from .phrases import Phrases
from .segments import Segment
from .table_lines import END, HEADING, NO_EVENT, NO_NAME, NOTE

_FEW = 4
_NO_PHRASES = Phrases()
_NAMELESS = "a sound"


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
    """A line for every event: time, strength, names; then the sustained sounds, and where the sound ends.

    `read_events` reads it back.
    """
    lines = [NOTE + found.note] if found.note else []
    lines.append(HEADING)
    for event in found.events:
        heard = ", ".join(f"{one.label} ({one.probability:.2f})" for one in event.heard) or NO_NAME
        lines.append(f"{event.time:8.3f}s  {event.strength:8.2f}  {heard}")
    if not found.events:
        lines.append(NO_EVENT)
    for segment in segments:
        lines.append(
            f"{segment.start:.2f}s - {segment.end:.2f}s  {segment.label} ({segment.probability:.2f})"
        )
    lines.append(f"{found.duration:8.3f}s{END:>17}")
    return "\n".join(lines)


def caption(found: SoundEvents, segments: Sequence[Segment] = (), phrases: Phrases = _NO_PHRASES) -> str:
    """One sentence of what is heard when, each sound in the words of `phrases`, the first heard first."""
    hits: dict[str, list[float]] = {}
    for event in found.events:
        for phrase in [phrases.phrase(one.label) for one in event.heard] or [_NAMELESS]:
            hits.setdefault(phrase, []).append(event.time)
    parts = [(times[0], f"{phrase} {_times(times)}") for phrase, times in hits.items()]
    for segment in segments:
        phrase = phrases.phrase(segment.label)
        parts.append((segment.start, f"{phrase} from {segment.start:.1f} to {segment.end:.1f} s"))
    if not parts:
        return f"Nothing is heard in {found.duration:.1f} s."
    sentence = ", ".join(part for _, part in sorted(parts, key=lambda part: part[0]))
    return f"{sentence[0].upper()}{sentence[1:]}."


def _times(times: Sequence[float]) -> str:
    """The times of a few, the number of many."""
    if len(times) > _FEW:
        return f"{len(times)} times from {times[0]:.1f} to {times[-1]:.1f} s"
    *others, last = (f"{time:.1f}" for time in times)
    return f"at {', '.join(others)} and {last} s" if others else f"at {last} s"
