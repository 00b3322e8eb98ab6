"""Cut lists as JSON and as text."""

from __future__ import annotations

from typing import Any

from .shots import CutList


def cuts_record(cuts: CutList) -> dict[str, Any]:
    """JSON values: fps, frames, remainder, and `shots` with first_frame, frames, start, end and mark (s)."""
    return {
        "fps": float(cuts.axis.fps),
        "frames": cuts.axis.frames,
        "remainder": cuts.remainder,
        "shots": [
            {
                "first_frame": shot.first,
                "frames": shot.frames,
                "start": round(cuts.start(shot), 6),
                "end": round(cuts.end(shot), 6),
                "mark": None if shot.mark is None else round(shot.mark, 4),
            }
            for shot in cuts.shots
        ],
    }


def lengths_text(cuts: CutList) -> str:
    """The lengths in frames, joined by ", "."""
    return ", ".join(str(shot.frames) for shot in cuts.shots)


def cuts_table(cuts: CutList) -> str:
    """A line for every shot, and what is left at the end."""
    lines = [f"{'shot':>4} {'from':>10} {'to':>10} {'frames':>7}  begins on"]
    for number, shot in enumerate(cuts.shots, 1):
        meant = "-" if shot.mark is None else f"{shot.mark:.3f}s"
        start, end = cuts.start(shot), cuts.end(shot)
        lines.append(f"{number:4d} {start:9.3f}s {end:9.3f}s {shot.frames:7d}  {meant}")
    total = sum(shot.frames for shot in cuts.shots)
    lines.append(f"{total} of {cuts.axis.frames} frames; {cuts.remainder} are left at the end")
    return "\n".join(lines)
