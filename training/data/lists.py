"""Lists beside a data set: a csv of ids, classes and splits, ids to leave out, scores."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import NamedTuple

from a2v_core.stores import Place

from ..config import Data
from ..errors import DataError
from .found import text_at


class Row(NamedTuple):
    """A row of a csv of ids."""

    ytid: str
    start: str
    label: str
    split: str

    @property
    def id(self) -> str:
        """As in the names of files."""
        return f"{self.ytid}_{self.start}"


def rows(data: Data, place: Place) -> Iterator[Row]:
    """The rows of `data.csv`. DataError for one that is none, or when there is no such file."""
    for number, cells in enumerate(_cells(data, place, "data.csv"), start=1):
        if not cells or (number == 1 and cells[0].strip().lower() in ("ytid", "youtube_id", "id")):
            continue
        if len(cells) != 4 or seconds_in(cells[1]) is None:
            raise DataError(
                f"{place}, line {number}: {','.join(cells)[:80]!r} is not `ytid,start,label,split`"
            )
        yield Row(*(cell.strip() for cell in cells))


def excluded(data: Data) -> set[str]:
    """The ids in `data.exclude_ids`."""
    if data.exclude_ids is None:
        return set()
    return set(_text(data, data.exclude_ids, "data.exclude_ids").split())


def scores(data: Data) -> dict[str, float]:
    """The scores in `data.scores`."""
    scores: dict[str, float] = {}
    for number, cells in enumerate(
        [] if data.scores is None else _cells(data, data.scores, "data.scores"), 1
    ):
        value = seconds_in(cells[1]) if len(cells) == 2 else None
        if value is not None:
            scores[cells[0].strip()] = value
        elif cells and number > 1:
            raise DataError(
                f"{data.scores}, line {number}: expected `id,score`, got {','.join(cells)[:80]!r}"
            )
    return scores


def seconds_in(text: str) -> float | None:
    """A number, or None."""
    try:
        return float(text)
    except ValueError:
        return None


def _cells(data: Data, place: Place, key: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(_text(data, place, key), newline=""))


def _text(data: Data, place: Place, key: str) -> str:
    text = text_at(data, place)
    if text is None:
        raise DataError(f"{place}: no such file; check {key}")
    return text
