"""What is heard when: onsets, each with the class of its sound.

Legend: K classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ...audio import BEATs
from ...errors import A2VError
from ..analysis import Measured, Onset, Sound, measure
from .classes import HIT_SECONDS, SHORTEST_SECONDS, Progress, hit_probabilities
from .names import class_names

ALSO = 0.5  # probability from which a further class counts beside the likeliest
LEAST = 0.2  # probability below which a sound has no name
NO_MODEL = "times without names: no BEATs model was given"
NO_HEAD = (
    "times without names: this BEATs checkpoint has no classifier head; load a fine-tuned one, such as "
    "BEATs_iter3_plus_AS2M_finetuned_on_AS2M_cpt2.pt"
)


class Heard(NamedTuple):
    """A class and its probability."""

    label: str
    probability: float


@dataclass(frozen=True)
class Event:
    """A hit at `time` (seconds), strength 0..1 of the strongest, and its classes, the likeliest first."""

    time: float
    strength: float
    heard: tuple[Heard, ...] = ()

    @property
    def label(self) -> str | None:
        """The likeliest class."""
        return self.heard[0].label if self.heard else None


@dataclass(frozen=True)
class SoundEvents:
    """The events of a sound of `duration` seconds; `note` says why they have no names, else it is empty."""

    duration: float
    events: tuple[Event, ...]
    note: str = ""


def sound_events(
    sound: Sound,
    beats: BEATs | None = None,
    names: Sequence[str] | None = None,
    window: float = HIT_SECONDS,
    least: float = LEAST,
    progress: Progress | None = None,
) -> SoundEvents:
    """The hits of a sound or a file, and what each is, from short windows encoded alone.

    beats   with a classifier head; without one, or without a model, events have times and strengths alone
    names   of its classes; default: as `names_of`
    window  seconds that are heard of a hit, less where the next one follows sooner
    least   probability below which a hit has no name
    A2VError for a window below 0.175 s and for another number of names than classes; MediaError for a sound
    that cannot be read.
    """
    if not window >= SHORTEST_SECONDS:
        raise A2VError(f"The window of a hit is {window} s: BEATs needs {SHORTEST_SECONDS} s or more")
    measured = measure(sound)
    return classified(measured, sound, beats, names, window, least, progress)


def classified(
    measured: Measured,
    sound: Sound,
    beats: BEATs | None,
    names: Sequence[str] | None = None,
    window: float = HIT_SECONDS,
    least: float = LEAST,
    progress: Progress | None = None,
) -> SoundEvents:
    """`sound_events` of a sound whose onsets have been measured."""
    onsets = measured.onsets
    if beats is None or beats.predictor is None:
        note = NO_MODEL if beats is None else NO_HEAD
        return SoundEvents(measured.duration, tuple(Event(*onset) for onset in onsets), note)
    known = names_of(beats) if names is None else tuple(names)
    if len(known) != beats.config.predictor_class:
        raise A2VError(
            f"There are {len(known)} names for the {beats.config.predictor_class} classes of this BEATs"
        )
    times = [onset.time for onset in onsets]
    probabilities = hit_probabilities(beats, sound, times, window, progress)
    found = [_event(onset, row, known, least) for onset, row in zip(onsets, probabilities, strict=True)]
    return SoundEvents(measured.duration, tuple(found))


def names_of(beats: BEATs, table: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Display names of the classes of a checkpoint; "class 3" and so on where the file does not say.

    table  id -> display name, as `read_label_table`; default: AudioSet's. The classes of a checkpoint
           without labels are those of the table, in its order.
    """
    if table is not None and not beats.labels:
        return tuple(table.values())
    labels = beats.labels or [f"class {number}" for number in range(beats.config.predictor_class)]
    return class_names(labels, table)


def _event(onset: Onset, probabilities: Any, names: Sequence[str], least: float) -> Event:
    order = sorted(range(len(names)), key=lambda number: -float(probabilities[number]))
    heard = [Heard(names[number], float(probabilities[number])) for number in order]
    kept = [heard[0], *(other for other in heard[1:] if other.probability >= ALSO)]
    return Event(onset.time, onset.strength, tuple(one for one in kept if one.probability >= least))
