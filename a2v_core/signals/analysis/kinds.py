"""Names of signals: what a user can ask for."""

from __future__ import annotations

import re

from ...errors import A2VError
from .bands import NAMED_BANDS, Band

ONSET, FLUX, RMS, LOUDNESS = "onset", "flux", "rms", "loudness"
SIGNALS: tuple[str, ...] = (ONSET, LOUDNESS, RMS, FLUX, *NAMED_BANDS)
_RANGE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?:-|to|\.\.)\s*(\d+(?:\.\d+)?)\s*(?:hz)?\s*", re.IGNORECASE)


def band_of(name: str) -> Band | None:
    """The band that a name or a range such as "80-200" (Hz) means; None for the signals that are no band.

    A2VError for anything else.
    """
    if name in (ONSET, FLUX, RMS, LOUDNESS):
        return None
    if name in NAMED_BANDS:
        return NAMED_BANDS[name]
    found = _RANGE.fullmatch(name)
    if found is None:
        raise A2VError(
            f"Signal {name!r} is unknown: choose {', '.join(SIGNALS)}, or a range in Hz, as 80-200"
        )
    low, high = float(found[1]), float(found[2])
    if not low < high:
        raise A2VError(f"Signal {name!r}: a range of frequencies needs its lower end first, as 80-200")
    return Band(low, high)
