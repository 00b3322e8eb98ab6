"""What both scores hear in a sound: the published script's onsets, and onsets to the millisecond."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from ...audio import MIN_STRENGTH, Onsets, Waveform, detect_onsets, file_onsets
from ...signals import measure

FAINTEST = 0.05  # of the strongest onset of a sound: 26 dB below it
NEAR = 2  # steps of the published envelope


class HeardSound(NamedTuple):
    """onsets: as published, on a grid of 23 ms. times: of all that begins to sound, in seconds, ascending.
    seconds: length of the sound.
    """

    onsets: Onsets
    times: tuple[float, ...]
    seconds: float


def hear_sound(sound: Waveform | str | os.PathLike[str]) -> HeardSound:
    """Onsets of a sound, a sound file, or the sound track of a video, of any length.

    What hardly rises above steady noise is left out: the published envelope must reach 2 dB there, too.
    Raises MediaError for what cannot be read, MissingDependency without librosa.
    """
    if isinstance(sound, Waveform):
        onsets, seconds = detect_onsets(sound), sound.duration
        return HeardSound(onsets, _times(sound, onsets), seconds)
    onsets, seconds = file_onsets(sound)
    return HeardSound(onsets, _times(Path(sound), onsets), seconds)


def _times(sound: Waveform | Path, published: Onsets) -> tuple[float, ...]:
    def rises(time: float) -> bool:
        step = round(time / published.hop_seconds)
        return max(published.envelope[max(0, step - NEAR) : step + NEAR + 1], default=0.0) >= MIN_STRENGTH

    found = (onset for onset in measure(sound).onsets if onset.strength >= FAINTEST)
    return tuple(float(onset.time) for onset in found if rises(onset.time))
