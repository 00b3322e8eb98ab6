"""Events from JSON: as `events_record` writes them, edited or made by hand."""

from __future__ import annotations

import json
import math
from typing import Any

from ...errors import A2VError
from .events import Event, Heard, SoundEvents

_EXPECTED = 'expected {"duration": 2.0, "events": [{"time": 0.5, "strength": 1.0, "label": "Dog"}]}'


def parse_events(text: str) -> SoundEvents:
    """SoundEvents of a JSON text; all but `time` may be missing. A2VError for anything else."""
    try:
        record: Any = json.loads(text)
    except json.JSONDecodeError as error:
        raise A2VError(f"Sound events: the text is not JSON ({error}); {_EXPECTED}") from error
    if not isinstance(record, dict) or not isinstance(record.get("events"), list):
        raise A2VError(f"Sound events: the JSON has no list of events; {_EXPECTED}")
    events = [_event(item, number) for number, item in enumerate(record["events"], 1)]
    latest = max((event.time for event in events), default=0.0)
    duration = _number(record, "duration", latest, "the sound")
    if duration < latest:
        raise A2VError(f"Sound events: an event at {latest} s lies beyond the duration of {duration} s")
    ordered = tuple(sorted(events, key=lambda event: event.time))
    return SoundEvents(duration, ordered, str(record.get("note") or ""))


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


def _number(record: dict[str, Any], name: str, default: float, where: str) -> float:
    value = record.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not (0 <= value < math.inf):
        raise A2VError(f"Sound events: {name} of {where} is {value!r}; expected a number of 0 or more")
    return float(value)
