"""The picture of sound events: the waveform, and below it a lane for every sound that is heard."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..audio import Waveform
from ..drawing import FAINT, OTHER, SOUND, rectangle
from ..signals.events import Segment, SoundEvents
from .lanes import LANE, WIDTH, Pixels, Sheet

MOST_LANES = 12
OTHERS = "others"
NAMELESS = "hits"
_LEFT = 190


def events_pixels(
    sound: Waveform, found: SoundEvents, segments: Sequence[Segment] = (), width: int = WIDTH
) -> Pixels:
    """The picture as pixels, uint8 [H, width, 3]: hits as high as they are strong, sustained sounds as bars.

    The most frequent sounds have lanes of their own, the rest share one. A2VError for a width outside 384 to
    8192 pixels.
    """
    names = _lanes(found, segments)
    sheet = Sheet(sound, found.duration, max(1, len(names)), _LEFT, width)
    hits = len(found.events)
    sheet.heading(f"{found.duration:.2f} s of sound, {hits} hit{'s' * (hits != 1)}")
    for number, name in enumerate(names or [NAMELESS]):
        sheet.lane(number, name)
    for event in found.events:
        x = sheet.axis.x(event.time)
        sheet.canvas.line([(x, sheet.top), (x, sheet.bottom)], FAINT, 1, dashed=True)
    for segment in segments:
        floor = sheet.floor(_lane(names, segment.label))
        start, end = sheet.axis.x(segment.start), sheet.axis.x(segment.end)
        bar = rectangle(start, floor - LANE / 2, end - start, LANE / 2)
        sheet.canvas.polygon(bar, OTHER, opacity=0.2 + 0.5 * segment.probability)
    for event in found.events:
        x, high = sheet.axis.x(event.time), max(4.0, (LANE - 6) * event.strength)
        for label in _labels([event.heard]) or [NAMELESS]:
            floor = sheet.floor(_lane(names, label))
            sheet.canvas.line([(x, floor), (x, floor - high)], SOUND, 3)
    return sheet.pixels()


def _labels(heard: Iterable[Iterable[tuple[str, float]]]) -> list[str]:
    return [label for one in heard for label, _ in one]


def _lanes(found: SoundEvents, segments: Sequence[Segment]) -> list[str]:
    """Names of the lanes, in order of the first time that each is heard."""
    counts: dict[str, int] = {}
    for event in found.events:
        for label in _labels([event.heard]) or [NAMELESS]:
            counts[label] = counts.get(label, 0) + 1
    for segment in segments:
        counts[segment.label] = counts.get(segment.label, 0) + 1
    if len(counts) <= MOST_LANES:
        return list(counts)
    kept = sorted(counts, key=lambda label: -counts[label])[: MOST_LANES - 1]
    return [*(label for label in counts if label in kept), OTHERS]


def _lane(names: Sequence[str], label: str) -> int:
    return names.index(label) if label in names else len(names) - 1
