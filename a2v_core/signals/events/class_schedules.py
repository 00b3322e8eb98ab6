"""Schedules of one class of sound: its hits, and how present it is, from short windows heard alone.

Legend: K classes.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from fractions import Fraction

from ...audio import BEATs
from ...errors import A2VError
from ..analysis import Onset, Sound, measure
from ..schedule import Schedule, Shape, curve_schedule, frame_axis, onset_frames, shaped
from .classes import Progress, hit_probabilities
from .events import names_of
from .segments import class_curve, class_curves

_NO_SHAPE = Shape()
_NAMED = 12  # names that an error lists at most


def hits_schedule(
    sound: Sound,
    beats: BEATs,
    label: str,
    fps: float | Fraction = 24.0,
    frames: int = 0,
    shape: Shape = _NO_SHAPE,
    names: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Schedule:
    """The onsets of a class: of each, its strength times the probability that it is of the class.

    Strengths are those of the signal "onset": 1 is the strongest onset of the whole sound, of any class. So a
    class that is not heard gives values near 0.

    beats   with a classifier head
    label   a name of its classes; capitals do not count
    fps, frames, shape   as in `sound_schedule`
    names   of the K classes; default: as `names_of`
    A2VError for a BEATs without a head, an unknown name, and as `sound_schedule`.
    """
    number = _class_number(beats, label, names)
    frame_axis(fps, frames or 1)  # a wrong fps is told before minutes of sound are heard
    measured = measure(sound)
    times = [onset.time for onset in measured.onsets]
    probabilities = hit_probabilities(beats, sound, times, progress=progress)
    hits = [
        Onset(onset.time, onset.strength * float(row[number]))
        for onset, row in zip(measured.onsets, probabilities, strict=True)
    ]
    axis = frame_axis(fps, frames, measured.duration)
    return Schedule(axis, shaped(onset_frames(hits, axis), shape, float(axis.fps)))


def presence_schedule(
    sound: Sound,
    beats: BEATs,
    label: str,
    fps: float | Fraction = 24.0,
    frames: int = 0,
    shape: Shape = _NO_SHAPE,
    names: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Schedule:
    """The probability that a class is heard, good to about a quarter of a second: for sounds that last.

    Arguments and errors as `hits_schedule`.
    """
    number = _class_number(beats, label, names)
    frame_axis(fps, frames or 1)
    duration = measure(sound, ()).duration
    curve = class_curve(class_curves(beats, sound, duration, progress), number)
    return curve_schedule(curve, frame_axis(fps, frames, duration), shape)


def _class_number(beats: BEATs, label: str, names: Sequence[str] | None) -> int:
    if beats.predictor is None:
        raise A2VError(
            "A schedule of a class needs a BEATs checkpoint with a classifier head: load a fine-tuned one, "
            "such as BEATs_iter3_plus_AS2M_finetuned_on_AS2M_cpt2.pt"
        )
    known = names_of(beats) if names is None else tuple(names)
    plain = [name.casefold() for name in known]
    wanted = label.strip().casefold()
    if wanted in plain:
        return plain.index(wanted)
    near = [known[plain.index(name)] for name in difflib.get_close_matches(wanted, plain, _NAMED, 0.5)]
    inside = [name for name, other in zip(known, plain, strict=True) if wanted and wanted in other]
    shown = list(dict.fromkeys([*inside, *near, *known]))[:_NAMED]
    more = f" and {len(known) - len(shown)} more" if len(known) > len(shown) else ""
    raise A2VError(f"{label.strip()!r} is no class of this BEATs: choose {', '.join(shown)}{more}")
