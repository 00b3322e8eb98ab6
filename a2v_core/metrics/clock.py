"""When the frames of a file are shown, where that is not index / fps (phones and screen recorders)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction

_LATE_FRAMES = 0.5  # as much as a constant rate may be off by rounding and start delays


def uneven_times(stamps: Sequence[Fraction | None], rate: Fraction) -> tuple[float, ...]:
    """Seconds at which each frame is shown, the first at 0; empty where the `rate` is constant.

    stamps  presentation times of the frames as the file has them; empty also if one is missing or not later
            than the one before it
    """
    known = [stamp for stamp in stamps if stamp is not None]
    if len(known) < 3 or len(known) < len(stamps):
        return ()
    if any(later <= earlier for earlier, later in itertools.pairwise(known)):
        return ()
    times = [float(stamp - known[0]) for stamp in known]
    allowed = _LATE_FRAMES / float(rate)
    if all(abs(time - index / float(rate)) <= allowed for index, time in enumerate(times)):
        return ()
    return tuple(times)
