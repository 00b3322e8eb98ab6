"""A pick in words, and a line for every take."""

from __future__ import annotations

from collections.abc import Mapping

from .pick import Pick, TakeScore


def pick_line(pick: Pick) -> str:
    """A pick in words."""
    undefined = "".join(f"; {count} {reason}" for reason, count in pick.undefined.items())
    if pick.best is None or pick.picked_score is None or pick.mean_score is None or pick.equal_score is None:
        return f"nothing picked, no take has a score{undefined}"
    if pick.scored == 1:
        return (
            f"{pick.best}: corrected AV-Align {pick.picked_score:.3f}, the only one with a score{undefined}"
        )
    tie = f", a tie with {', '.join(pick.ties)}" if pick.ties else ""
    return (
        f"{pick.best}{tie}; corrected AV-Align {pick.picked_score:.3f}, picked as the best of {pick.scored}, "
        f"whose mean is {pick.mean_score:.3f}; the best of as many equal ones would have "
        f"{pick.equal_score:.3f}{undefined}"
    )


def verdict_of(pick: Pick, name: str, take: TakeScore) -> str:
    """What became of a take: best, tie (the best is not clearly better), beaten, or why it has no score."""
    if take.corrected is None:
        return take.reason
    if name == pick.best:
        return "best, tie" if pick.ties else "best"
    return "tie" if name in pick.ties else "beaten"


def take_lines(takes: Mapping[str, TakeScore], pick: Pick) -> list[str]:
    """The table, the best first: name, corrected score, score, chance level, verdict."""
    ranked = sorted(
        takes.items(), key=lambda item: -(-9.0 if item[1].corrected is None else item[1].corrected)
    )
    width = max((len(name) for name in takes), default=0)
    return [
        f"{name:{width}s}  corrected {_number(take.corrected)}  trusted {_number(take.trusted)}  chance "
        f"{_number(take.chance)}  {verdict_of(pick, name, take)}"
        for name, take in ranked
    ]


def _number(value: float | None) -> str:
    return "    -" if value is None else f"{value:5.2f}"
