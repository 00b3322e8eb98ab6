"""What a batch tells on stderr: a bar on a terminal, a line for every run elsewhere."""

from __future__ import annotations

import sys
from typing import Any, TextIO

from .rows import Row


class Display:
    """`total` runs, of which `done` were done before."""

    def __init__(self, total: int, done: int, stream: TextIO | None = None) -> None:
        from tqdm import tqdm

        self.stream = stream or sys.stderr
        self.total, self.done = total, done
        quiet = not self.stream.isatty()
        self._bar: Any = tqdm(
            total=total, initial=done, unit="run", file=self.stream, dynamic_ncols=True, disable=quiet
        )
        if quiet and done:
            self._print(f"{done} of {total} runs are done already")

    def finished(self, row: Row) -> None:
        """A run has its row."""
        self.done = min(self.total, self.done + 1)
        what = f"{row.seconds:.1f} s" if row.status == "done" else f"failed: {row.error}"
        if self._bar.disable or row.status != "done":
            self._print(f"[{self.done}/{self.total}] {row.id}: {what}")
        self._bar.update(self.done - self._bar.n)

    def notice(self, text: str) -> None:
        """Something about a server."""
        self._print(text)

    def close(self) -> None:
        """Leave the bar as it is."""
        self._bar.close()

    def _print(self, text: str) -> None:
        from tqdm import tqdm

        tqdm.write(text, file=self.stream)
        self.stream.flush()
