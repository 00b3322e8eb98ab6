"""A sound -> its cut list, in one call."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ...errors import A2VError
from ..analysis import FLUX, LOUDNESS, ONSET, Sound, measure
from ..schedule import frame_axis
from .cut_text import cuts_record, cuts_table, lengths_text
from .grid import ANY_LENGTH, LengthGrid
from .marks import GATE_LUFS, audible, beat_marks, onset_marks
from .shots import CutList, Mark, cut_list
from .tempo import Beats, find_beats

BEATS, ONSETS = "beats", "onsets"
CUT_ON = (BEATS, ONSETS)


@dataclass(frozen=True)
class SoundCuts:
    """The cut list of a sound, the marks that it was made of, what they are, and the beats."""

    cuts: CutList
    marks: tuple[Mark, ...]
    on: str
    beats: Beats


def sound_cuts(
    sound: Sound,
    fps: float | Fraction = 24.0,
    frames: int = 0,
    on: str = BEATS,
    every: int = 1,
    shortest: float = 1.0,
    longest: float = 5.0,
    grid: LengthGrid = ANY_LENGTH,
    gate: float = GATE_LUFS,
) -> SoundCuts:
    """Shots that begin on beats or onsets of a sound or a file.

    frames             of the video; 0 for as long as the sound
    on                 BEATS or ONSETS; a sound without a tempo is cut on onsets
    every              only every so many beats
    shortest, longest  of a shot in seconds
    gate               LUFS below which nothing is cut on
    A2VError as `cut_list` and `frame_axis`; MediaError for a sound that cannot be read.
    """
    if on not in CUT_ON:
        raise A2VError(f"Cuts on {on!r}: expected {' or '.join(CUT_ON)}")
    frame_axis(fps, frames or 1)  # a wrong fps is told before minutes of sound are read
    measured = measure(sound, (ONSET, FLUX, LOUDNESS))
    axis = frame_axis(fps, frames, measured.duration)
    beats = find_beats(measured)
    on = on if beats.tempo is not None else ONSETS
    marks = beat_marks(beats, every) if on == BEATS else onset_marks(measured)
    marks = audible(marks, measured.curves[LOUDNESS], gate)
    return SoundCuts(cut_list(axis, marks, shortest, longest, grid), tuple(marks), on, beats)


def sound_cuts_record(found: SoundCuts) -> dict[str, Any]:
    """JSON values: `tempo`, what was cut `on`, the times of all `beats`, and those of `cuts_record`."""
    beats = found.beats
    tempo = {"bpm": beats.tempo, "confidence": beats.confidence, "second_bpm": beats.second}
    rounded = {name: value if value is None else round(value, 3) for name, value in tempo.items()}
    record = {"tempo": rounded, "on": found.on, "beats": list(beats.times)}
    return {**record, **cuts_record(found.cuts), "lengths": lengths_text(found.cuts)}


def sound_cuts_text(found: SoundCuts) -> str:
    """The tempo, the table of the shots and their lengths, as lines."""
    lines = [_tempo_line(found.beats), cuts_table(found.cuts), f"lengths: {lengths_text(found.cuts)}"]
    if not found.marks:
        lines.insert(1, "nothing to cut on is heard: shots are as long as they may be")
    return "\n".join(lines)


def _tempo_line(beats: Beats) -> str:
    if beats.tempo is None:
        return "no tempo found; cuts are on onsets"
    second = "none" if beats.second is None else f"{beats.second:.1f}"
    confidence = f"confidence {beats.confidence:.2f} (second estimate: {second})"
    return f"tempo {beats.tempo:.1f} beats per minute, {confidence}"
