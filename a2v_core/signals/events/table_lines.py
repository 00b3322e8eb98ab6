"""The lines of a table of events: as `events_table` writes them, or by hand.

  0.500s      1.00  Dog (0.90), Cat (0.60)
2.5 Bell
1.00s - 2.50s  Speech (0.80)
  3.000s            (end)
"""

from __future__ import annotations

import re

from ...errors import A2VError
from .events import Event, Heard
from .segments import Segment

END = "(end)"
NO_EVENT = "(no onset)"
NOTE = "note: "
NO_NAME = "-"
HEADING = f"{'time':>9}  {'strength':>8}  sound"

_SECONDS = r"(\d+(?:\.\d*)?)\s*s?"
_SUSTAINED = re.compile(rf"{_SECONDS}\s*-\s*{_SECONDS}\s+(\S.*)")
_HIT = re.compile(rf"{_SECONDS}(?:\s+([01](?:\.\d+)?|\.\d+))?(?:\s+(\S.*))?")
_NAMED = re.compile(r"\s*(\S.*?)\s*\(([01](?:\.\d+)?|\.\d+)\)\s*(?:,|$)")


def table_lines(text: str) -> tuple[list[Event], list[Segment], float | None]:
    """Hits, sustained sounds and the duration, None where no line says it. A2VError for other lines."""
    events: list[Event] = []
    segments: list[Segment] = []
    duration = None
    for number, line in enumerate(text.splitlines(), 1):
        content = line.strip()
        if not content or content.startswith((NOTE, "#")) or content in (HEADING.strip(), NO_EVENT):
            continue
        sustained, hit = _SUSTAINED.fullmatch(content), _HIT.fullmatch(content)
        if sustained is not None:
            segments += _segments(sustained, number)
        elif hit is not None and hit[3] == END:
            duration = float(hit[1])
        elif hit is not None:
            strength = 1.0 if hit[2] is None else float(hit[2])
            events.append(Event(float(hit[1]), strength, _heard(hit[3] or NO_NAME)))
        else:
            raise A2VError(
                f"Sound events: line {number} is {content!r}; expected TIME LABEL in seconds, as 0.5 Dog, or "
                "START - END LABEL, as 1.0 - 2.5 Speech; or the JSON of Sound Events"
            )
    return events, segments, duration


def _segments(line: re.Match[str], number: int) -> list[Segment]:
    start, end = float(line[1]), float(line[2])
    if not start < end:
        raise A2VError(f"Sound events: line {number} ends at {end} s, not after its start at {start} s")
    return [Segment(start, end, *one) for one in _heard(line[3])]


def _heard(names: str) -> tuple[Heard, ...]:
    """Names with their probabilities in brackets; without brackets all is one name, commas too."""
    if names == NO_NAME:
        return ()
    found = list(_NAMED.finditer(names))
    if sum(len(one[0]) for one in found) != len(names):
        return (Heard(names, 1.0),)
    return tuple(Heard(one[1], float(one[2])) for one in found)
