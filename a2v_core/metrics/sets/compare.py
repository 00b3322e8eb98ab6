"""Paired comparison of two sets of clips."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ...errors import A2VError
from ..alignment import Record
from .bootstrap import PairedScore, SetScore, paired_difference, set_score

MEASURES = (
    ("AV-Align, as published", "av_align", "reason"),
    ("its corrected score", "corrected", "reason"),
    ("AV-Align, trusted", "trusted", "trusted_reason"),
    ("chance-corrected", "trusted_corrected", "trusted_reason"),
    ("onset-motion correlation", "correlation", ""),
    ("roughness of the motion", "roughness", ""),
    ("flicker, grey levels", "flicker", ""),
)


@dataclass(frozen=True)
class Comparison:
    """rows: (measure, set A, set B, paired difference B - A); alone: clips that only one set has;
    clips: (name, trusted score in A, in B) of those that both have.
    """

    rows: tuple[tuple[str, SetScore, SetScore, PairedScore], ...]
    pairs: int
    alone: tuple[str, ...]
    clips: tuple[tuple[str, float | None, float | None], ...]


def compare_sets(first: list[Record], second: list[Record], folders: tuple[Path, Path]) -> Comparison:
    """Pair the clips of two folders by their path inside the folder; by the path without its ending where
    one folder has an mp4 and the other a webm, say, and only one each.

    Raises A2VError when no clip is in both.
    """
    records_a, records_b = _paired_names(_by_path(first, folders[0]), _by_path(second, folders[1]))
    shared = sorted(records_a.keys() & records_b.keys())
    if not shared:
        raise A2VError(
            f"{folders[0]} and {folders[1]} have no clip of the same name that could be scored in both. "
            "Give the videos of both folders the same file names."
        )
    rows = []
    for title, field, reason in MEASURES:
        a = [records_a[name][field] for name in shared]
        b = [records_b[name][field] for name in shared]
        rows.append(
            (
                title,
                set_score(
                    (value, str(records_a[name].get(reason, "")))
                    for name, value in zip(shared, a, strict=True)
                ),
                set_score(
                    (value, str(records_b[name].get(reason, "")))
                    for name, value in zip(shared, b, strict=True)
                ),
                paired_difference(a, b),
            )
        )
    clips = tuple((name, records_a[name]["trusted"], records_b[name]["trusted"]) for name in shared)
    return Comparison(tuple(rows), len(shared), tuple(sorted(records_a.keys() ^ records_b.keys())), clips)


def comparison_lines(comparison: Comparison, names: tuple[str, str]) -> str:
    """The comparison as text for the terminal."""
    lines = [f"A = {names[0]}", f"B = {names[1]}", f"{comparison.pairs} clips in both", ""]
    lines.append(f"{'':26s}{'A':>8s}{'B':>8s}{'B - A':>8s}  {'95 % interval':18s}{'p':>7s}{'pairs':>7s}")
    for title, a, b, difference in comparison.rows:
        span = "-" if difference.low is None else f"{difference.low:+.3f} to {difference.high:+.3f}"
        lines.append(
            f"{title:26s}{_cell(a.mean):>8s}{_cell(b.mean):>8s}{_cell(difference.difference, '+'):>8s}  "
            f"{span:18s}{_cell(difference.p_value):>7s}{difference.count:>7d}"
        )
        lines += [f"{'':26s}not counted in A: {count} {why}" for why, count in a.undefined.items() if why]
        lines += [f"{'':26s}not counted in B: {count} {why}" for why, count in b.undefined.items() if why]
    if comparison.alone:
        lines += ["", f"{len(comparison.alone)} in one folder only: {', '.join(comparison.alone[:10])}"]
    return "\n".join(lines)


def _by_path(records: list[Record], folder: Path) -> dict[str, Record]:
    base = folder if folder.is_dir() else folder.parent
    return {Path(r["video"]).relative_to(base).as_posix(): r for r in records}


def _paired_names(
    first: dict[str, Record], second: dict[str, Record]
) -> tuple[dict[str, Record], dict[str, Record]]:
    """Both; clips of the second whose name differs only by the ending get the name of the first."""
    alone = [_without_ending(set(a) - set(b)) for a, b in ((first, second), (second, first))]
    same = {alone[1][stem]: alone[0][stem] for stem in alone[0].keys() & alone[1].keys()}
    return first, {same.get(name, name): record for name, record in second.items()}


def _without_ending(names: set[str]) -> dict[str, str]:
    """Path without ending -> path, where only one of `names` has it."""
    stems = Counter(name.rpartition(".")[0] for name in names)
    return {stem: name for name in names if stems[stem := name.rpartition(".")[0]] == 1}


def _cell(value: float | None, sign: str = "") -> str:
    return "-" if value is None else f"{value:{sign}.3f}"
