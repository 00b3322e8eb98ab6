"""The picture of a cut list: the waveform, what may be cut on, and the shots with their numbers of frames."""

from __future__ import annotations

from ..audio import Waveform
from ..drawing import FAINT, INK, OTHER, PICTURE, SHADE, SOUND, rectangle
from ..signals.cuts import SoundCuts
from .lanes import LANE, WIDTH, Pixels, Sheet

_LEFT = 92
_LETTER = 6.5  # pixels of a digit


def cuts_pixels(sound: Waveform, found: SoundCuts, width: int = WIDTH) -> Pixels:
    """The picture as pixels, uint8 [H, width, 3]. A2VError for a width outside 384 to 8192 pixels."""
    cuts = found.cuts
    sheet = Sheet(sound, cuts.axis.duration, 2, _LEFT, width)
    canvas, axis = sheet.canvas, sheet.axis
    sheet.heading(_heading(found))
    for lane, name in enumerate((found.on, "shots")):
        sheet.lane(lane, name)
    for mark in found.marks:
        x, high = axis.x(mark.time), max(4.0, (LANE - 6) * mark.strength)
        canvas.line([(x, sheet.floor(0)), (x, sheet.floor(0) - high)], SOUND, 1.5)
    floor, high = sheet.floor(1), LANE - 6
    for number, shot in enumerate(cuts.shots):
        start, end = axis.x(cuts.start(shot)), axis.x(cuts.end(shot))
        fill = OTHER if number % 2 else PICTURE
        canvas.polygon(rectangle(start, floor - high, end - start, high), fill, opacity=0.3)
        if number:
            canvas.line([(start, sheet.top), (start, floor)], INK, 1, dashed=True)
        words = str(shot.frames)
        if end - start > _LETTER * len(words) + 6:
            canvas.text((start + end) / 2, floor - 6, words, 12, INK, "middle")
    left = axis.x(cuts.axis.duration) - (end := axis.x(cuts.end(cuts.shots[-1])))
    canvas.polygon(rectangle(end, floor - high, left, high), SHADE, outline=FAINT if left > 1 else "")
    return sheet.pixels()


def _heading(found: SoundCuts) -> str:
    cuts, shots = found.cuts, len(found.cuts.shots)
    bpm = "no tempo" if found.beats.tempo is None else f"{found.beats.tempo:.1f} beats per minute"
    rest = f", {cuts.remainder} left over" if cuts.remainder else ""
    frames = f"{cuts.axis.frames} frames at {float(cuts.axis.fps):g} fps"
    return f"{bpm}    {shots} shot{'s' * (shots != 1)}, {frames}{rest}"
