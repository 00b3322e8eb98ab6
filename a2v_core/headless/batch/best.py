"""--keep best: of all seeds of a sound, the files of the best take stay."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...errors import A2VError
from ...metrics.takes import Pick, pick_best
from .plan import Unit
from .rows import Row, Rows
from .scores import Scores, score_video, unscored, video_with_sound

NO_VIDEO = "undefined: the run saved no video with sound"


def groups_of(units: Iterable[Unit]) -> dict[str, list[Unit]]:
    """The takes of every sound and table row, by group."""
    groups: dict[str, list[Unit]] = {}
    for unit in units:
        groups.setdefault(unit.group, []).append(unit)
    return groups


def video_of(rows: Rows, row: Row) -> str | None:
    """The video with sound among the files of a row, to be scored.

    Raises A2VError if it has none, and no run so far had one: nothing could ever be picked.
    """
    video = video_with_sound(rows.out, row.files)
    if video is None and not any(other.scores and other.scores.video for other in rows.all()):
        saved = ", ".join(row.files) or "no file"
        raise A2VError(
            f"--keep best picks videos by their sound, and this workflow saves none ({saved}). Use "
            "--keep all, or let it save a video with its sound (Create Video with audio, Save Video)"
        )
    return video


def scores_of(rows: Rows, video: str | None) -> Scores:
    """The scores of a run by its video."""
    return unscored("", NO_VIDEO) if video is None else score_video(rows.out, video)


def pick(rows: Rows, takes: Sequence[Unit]) -> Pick:
    """The pick among the takes of a group that have scores."""
    found = [row for row in (rows.get(unit.id) for unit in takes) if row is not None]
    return pick_best({row.id: row.scores for row in found if row.scores is not None})


def settle(rows: Rows, takes: Sequence[Unit]) -> Unit | None:
    """Once all takes have rows: keep the files of the best, delete those of the others that are done.

    Returns a take that has to run again: one that is the best now, after its files went in favour of one that
    has been lost since. Where no take has a score, nothing is picked, and all keep their files.
    """
    best = pick(rows, takes).best
    done = [row for row in (rows.get(unit.id) for unit in takes) if row is not None and row.status == "done"]
    again = [unit for unit in takes for row in done if unit.id == row.id == best and row.dropped]
    if best is None or again:
        return again[0] if again else None
    for row in done:
        if row.id != best and row.files:
            rows.drop(row)
    return None
