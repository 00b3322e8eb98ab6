"""Names of sound classes: what a BEATs checkpoint calls them, and what people do."""

from __future__ import annotations

import csv
import functools
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...errors import A2VError
from ...texts import read_text

AUDIOSET_LABELS = Path(__file__).with_name("audioset_labels.csv")
"""AudioSet's 527 ids and display names; its notice and licence (CC BY-SA 4.0) lie beside it."""

_ID, _NAME = "mid", "display_name"


def class_names(labels: Sequence[str], table: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Display names of a checkpoint's labels: ids by the table (AudioSet's), other labels as they are."""
    names = audioset_names() if table is None else table
    return tuple(names.get(label, label) for label in labels)


@functools.cache
def audioset_names() -> Mapping[str, str]:
    """AudioSet id ("/m/09x0r") -> display name ("Speech")."""
    return read_label_table(AUDIOSET_LABELS)


def read_label_table(path: Path) -> dict[str, str]:
    """Id -> display name of a CSV file as AudioSet's class_labels_indices.csv, in any UTF encoding.

    A2VError for a file that is not there, or not such a table.
    """
    try:
        return parse_label_table(read_text(path), str(path))
    except OSError as error:
        raise A2VError(f"{path}: cannot be read ({error.strerror or error})") from error


def parse_label_table(text: str, name: str = "The table of labels") -> dict[str, str]:
    """`read_label_table` of a text; errors call it `name`."""
    rows = csv.DictReader(io.StringIO(text))
    if not {_ID, _NAME} <= set(rows.fieldnames or ()):
        raise A2VError(
            f"{name}: expected a CSV file with the columns index,{_ID},{_NAME}, as AudioSet's "
            "class_labels_indices.csv"
        )
    table = {}
    for row in rows:
        if not row[_ID] or not row[_NAME]:
            raise A2VError(f"{name}: line {rows.line_num} has no {_ID} or no {_NAME}")
        table[row[_ID]] = row[_NAME]
    return table
