"""Items of a data set, and the report of unusable files and clips."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from a2v_core.files import atomic_path
from a2v_core.stores import File
from a2v_core.texts import ESCAPE

Split = Literal["train", "test"]


@dataclass(frozen=True)
class Item:
    """A video with its sound.

    id       of the file: unique; key of split, seeds and reports
    video    a file, wherever it lies
    audio    a sound file that belongs to it; None: the video's own sound track
    split    train or test
    label    class name, or empty
    caption  text, or empty
    """

    id: str
    video: File
    split: Split
    audio: File | None = None
    label: str = ""
    caption: str = ""

    @property
    def sound(self) -> File:
        """The file with its sound."""
        return self.audio or self.video


# Kinds of files that are excluded because the config asks for it.
EXCLUDED, DISAGREE = "excluded", "sound and picture disagree"
# The kind of those that the next run may find well.
UNREACHABLE = "unreachable"


class Unusable(NamedTuple):
    """A file or clip that is skipped, and the reason. `kind`: category of the reason."""

    id: str
    path: str
    kind: str
    reason: str


def some_bad(rows: Iterable[Unusable]) -> bool:
    """Whether a file is skipped though the config did not ask for it."""
    return any(row.kind not in (EXCLUDED, DISAGREE) for row in rows)


def write_report(path: Path, rows: Sequence[Unusable]) -> None:
    """Write `id,path,kind,reason` as csv, atomically; also when empty."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as part, part.open("w", newline="", encoding="utf-8", errors=ESCAPE) as file:
        writer = csv.writer(file)
        writer.writerow(Unusable._fields)
        writer.writerows(sorted(set(rows)))


def summary(rows: Sequence[Unusable]) -> str:
    """One line: counts by kind."""
    counts = Counter(row.kind for row in set(rows))
    return ", ".join(f"{count} {kind}" for kind, count in counts.most_common())
