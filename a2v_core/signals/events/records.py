"""Events and sustained sounds from text: JSON or a table, as Sound Events writes them, or edited by hand."""

from __future__ import annotations

import json
import math
from typing import Any, NamedTuple

from ...errors import A2VError
from .events import Event, Heard, SoundEvents
from .segments import Segment
from .table_lines import table_lines

_EXPECTED = 'expected {"duration": 2.0, "events": [{"time": 0.5, "strength": 1.0, "label": "Dog"}]}'


class ReadEvents(NamedTuple):
    """What a text says: hits, and sustained sounds."""

    found: SoundEvents
    segments: tuple[Segment, ...]


def parse_events(text: str) -> SoundEvents:
    """The hits of `read_events`."""
    return read_events(text).found


def read_events(text: str) -> ReadEvents:
    """Hits and sustained sounds of a text.

    JSON: all but `time` of an event, and `start`, `end` and `label` of a segment, may be missing.
    A table: lines `TIME [STRENGTH] LABEL`, `START - END LABEL`, and `TIME (end)` for the sound's duration.
    A2VError for anything else.
    """
    if not text.strip():
        raise A2VError(
            "Sound events: the text is empty; connect Sound Events, or write lines such as 0.5 Dog"
        )
    if text.lstrip()[0] not in "{[":
        return _checked(*table_lines(text))
    try:
        record: Any = json.loads(text)
    except json.JSONDecodeError as error:
        raise A2VError(f"Sound events: the text is not JSON ({error}); {_EXPECTED}") from error
    if not isinstance(record, dict) or not isinstance(record.get("events"), list):
        raise A2VError(f"Sound events: the JSON has no list of events; {_EXPECTED}")
    sustained = record.get("segments") or []
    if not isinstance(sustained, list):
        raise A2VError(f"Sound events: segments is no list; {_EXPECTED}")
    events = [_event(item, number) for number, item in enumerate(record["events"], 1)]
    segments = [_segment(item, number) for number, item in enumerate(sustained, 1)]
    duration = None if record.get("duration") is None else _number(record, "duration", 0.0, "the sound")
    return _checked(events, segments, duration, str(record.get("note") or ""))


def _checked(
    events: list[Event], segments: list[Segment], duration: float | None, note: str = ""
) -> ReadEvents:
    """In order of time; A2VError for what lies beyond the duration."""
    latest = max((*(event.time for event in events), *(segment.end for segment in segments)), default=0.0)
    if duration is not None and round(latest - duration, 2) > 0:
        raise A2VError(f"Sound events: an event at {latest} s lies beyond the duration of {duration} s")
    ordered = tuple(sorted(events, key=lambda event: event.time))
    found = SoundEvents(latest if duration is None else duration, ordered, note)
    return ReadEvents(found, tuple(sorted(segments, key=lambda segment: segment.start)))


def _event(item: Any, number: int) -> Event:
    where = f"event {number}"
    if not isinstance(item, dict) or "time" not in item:
        raise A2VError(f"Sound events: {where} has no time; {_EXPECTED}")
    also = item.get("also") or []
    named = [item, *also] if item.get("label") is not None and isinstance(also, list) else []
    heard = []
    for one in named:
        if not isinstance(one, dict) or not isinstance(one.get("label"), str):
            raise A2VError(f"Sound events: {where} has a label that is no text; {_EXPECTED}")
        heard.append(Heard(one["label"], _number(one, "probability", 1.0, where)))
    return Event(_number(item, "time", 0.0, where), _number(item, "strength", 1.0, where), tuple(heard))


def _segment(item: Any, number: int) -> Segment:
    where = f"segment {number}"
    if (
        not isinstance(item, dict)
        or not {"start", "end"} <= set(item)
        or not isinstance(item.get("label"), str)
    ):
        raise A2VError(f"Sound events: {where} needs start, end and a label, such as 1.0, 2.5 and Dog")
    start, end = _number(item, "start", 0.0, where), _number(item, "end", 0.0, where)
    if not start < end:
        raise A2VError(f"Sound events: {where} ends at {end} s, not after its start at {start} s")
    return Segment(start, end, item["label"], _number(item, "probability", 1.0, where))


def _number(record: dict[str, Any], name: str, default: float, where: str) -> float:
    value = record.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not (0 <= value < math.inf):
        raise A2VError(f"Sound events: {name} of {where} is {value!r}; expected a number of 0 or more")
    return float(value)
