"""Numbers of frames that a model can make: k n + m.

LTX-Video makes 8 n + 1 frames, Wan 4 n + 1, MiniMax-H3 17 n + 5, UNets any number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...errors import A2VError

_FORM = re.compile(r"\s*(?:(\d+)\s*\*?\s*)?n\s*(?:\+\s*(\d+))?\s*", re.IGNORECASE)


@dataclass(frozen=True)
class LengthGrid:
    """Lengths `step` * n + `rest` frames for n = 0, 1, 2, ...; not 0."""

    step: int = 1
    rest: int = 0

    def __post_init__(self) -> None:
        if self.step < 1 or self.rest < 0:
            raise A2VError(
                f"Lengths {self.step} n + {self.rest}: expected a step of 1 or more and a rest of 0 or more"
            )

    @property
    def shortest(self) -> int:
        """The least number of frames."""
        return self.rest or self.step

    def at_most(self, frames: int) -> int:
        """The greatest length up to `frames`; 0 if there is none."""
        return 0 if frames < self.shortest else frames - (frames - self.rest) % self.step

    def at_least(self, frames: int) -> int:
        """The least length from `frames` on."""
        frames = max(frames, self.shortest)
        return frames + (self.rest - frames) % self.step

    def nearest(self, frames: float) -> int:
        """The length nearest to `frames`; of two the greater one."""
        above = self.at_least(int(frames))
        below = self.at_most(above - 1)
        nearer = [length for length in (above, above + self.step, below) if length]
        return min(nearer, key=lambda length: (abs(length - frames), -length))


ANY_LENGTH = LengthGrid()
LENGTH_GRIDS: dict[str, LengthGrid] = {
    "any": ANY_LENGTH,
    "LTX (8n+1)": LengthGrid(8, 1),
    "Wan (4n+1)": LengthGrid(4, 1),
    "MiniMax-H3 (17n+5)": LengthGrid(17, 5),
}


def parse_grid(text: str) -> LengthGrid:
    """A name of `LENGTH_GRIDS`, or its first word, or a form such as "8n+1". A2VError for others."""
    for name, grid in LENGTH_GRIDS.items():
        if text.strip().casefold() in (name.casefold(), name.split(" ")[0].casefold()):
            return grid
    found = _FORM.fullmatch(text)
    if found is None:
        raise A2VError(f"Lengths {text!r}: expected {', '.join(LENGTH_GRIDS)}, or a form such as 8n+1")
    return LengthGrid(int(found[1] or 1), int(found[2] or 0))
