"""What is known of every run: one row each, a file of its own that appears whole or not at all.

A row names every file that its run may have under a final name, from before the first one is there until
after the last one is gone. So whatever a killed process leaves, the next one knows whose it is.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

from ...errors import A2VError
from ...texts import write_text
from ...workers import sealed, unsealed
from .scores import Scores

Status = Literal["moving", "done", "error"]


@dataclass(frozen=True)
class Row:
    """One run.

    status   "moving" while its files get their names, then "done"; "error" with the reason in `error`
    inputs   NODE.INPUT -> value, of the table
    files    name in the folder of the batch -> bytes
    dropped  names of files that another take of the same sound has beaten
    scores   of its video, for --keep best
    """

    id: str
    fingerprint: str
    sound: str
    seed: int | None
    inputs: dict[str, str]
    status: Status
    error: str = ""
    files: dict[str, int] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    seconds: float = 0.0
    server: str = ""
    scores: Scores | None = None


class Rows:
    """The rows of a batch, in `folder`; the files that they name are in `out`."""

    def __init__(self, out: Path, folder: Path) -> None:
        self.out, self.folder = out, folder
        folder.mkdir(parents=True, exist_ok=True)
        self._rows: dict[str, Row] = {}
        self._times: dict[str, int] = {}
        self.refresh_all()

    def get(self, unit_id: str) -> Row | None:
        """The row of a run, if there is one."""
        return self._rows.get(unit_id)

    def all(self) -> Iterable[Row]:
        """All rows, those of runs that are planned no more too."""
        return self._rows.values()

    def put(self, row: Row) -> None:
        """Write a row in the place of an earlier one."""
        path = self.path(row.id)
        write_text(path, json.dumps(sealed(asdict(row)), indent=1))
        self._rows[row.id], self._times[row.id] = row, path.stat().st_mtime_ns

    def refresh(self, unit_id: str) -> bool:
        """Read a row again, which another process may have written; whether there is another than before."""
        path = self.path(unit_id)
        try:
            time = path.stat().st_mtime_ns
        except FileNotFoundError:
            return self._rows.pop(unit_id, None) is not None
        if unit_id in self._rows and self._times[unit_id] == time:
            return False
        self._rows[unit_id], self._times[unit_id] = _read(path), time
        return True

    def refresh_all(self) -> None:
        """Read all rows that are new or have changed."""
        for path in self.folder.glob("[!.]*.json"):
            self.refresh(path.stem)

    def path(self, unit_id: str) -> Path:
        """The file of a row."""
        return self.folder / f"{unit_id}.json"

    def has_files(self, row: Row) -> bool:
        """Whether all files of the row are there, as large as they were."""
        with contextlib.suppress(OSError):
            return all((self.out / name).stat().st_size == size for name, size in row.files.items())
        return False

    def fail(self, row: Row) -> None:
        """Write the row of a run that failed in the place of an earlier one and its files."""
        self._clear(row.id)
        self.put(row)

    def publish(self, row: Row, parts: dict[str, Path]) -> Row:
        """Give the files of a run their final names and write its row: `parts` are name -> where it is now.

        Raises A2VError if a file is in the way that no run of this batch has made.
        """
        self._clear(row.id)
        foreign = [name for name in parts if (self.out / name).exists()]
        if foreign:
            raise A2VError(
                f"{self.out / foreign[0]} is there, and not from this batch: move it, or name another --out"
            )
        row = replace(row, files={name: part.stat().st_size for name, part in parts.items()})
        self.put(replace(row, status="moving"))
        for name, part in parts.items():
            part.replace(self.out / name)
        self.put(row)
        return row

    def _clear(self, unit_id: str) -> None:
        """Delete the files of a run that is made anew; its row names them until the new one is there."""
        self.refresh(unit_id)
        row = self.get(unit_id)
        for name in (*row.files, *row.dropped) if row else ():
            (self.out / name).unlink(missing_ok=True)

    def drop(self, row: Row) -> None:
        """Delete the files of a row that another take has beaten; the row stays."""
        self.put(replace(row, files={}, dropped=(*row.dropped, *row.files)))
        self.sweep(row.id)

    def sweep(self, unit_id: str) -> None:
        """Delete what a row says is dropped, as far as it is still there."""
        row = self.get(unit_id)
        for name in row.dropped if row else ():
            (self.out / name).unlink(missing_ok=True)


def _read(path: Path) -> Row:
    try:
        data = unsealed(json.loads(path.read_text(encoding="utf-8")))
        scores = data.pop("scores")
        data["dropped"] = tuple(data["dropped"])
        return Row(**data, scores=None if scores is None else Scores(**scores))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise A2VError(
            f"{path} is no row of a batch ({error}): it was changed, or another version wrote it. Delete it "
            "and the files of its run, or name another --out"
        ) from error
