"""Progress display of a run: a bar for the nodes and one for the steps of the current node."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Protocol, TextIO

from ...texts import ESCAPE


class Progress(Protocol):
    """Callbacks for the events of a run; ids are node ids."""

    def uploaded(self, path: Path, name: str) -> None:
        """A file was uploaded; `name` is its name on the server."""

    def begin(self, titles: dict[str, str]) -> None:
        """The prompt is queued; `titles` by node id."""

    def cached(self, ids: list[str]) -> None:
        """The outputs of these nodes are cached."""

    def node(self, node_id: str) -> None:
        """This node starts."""

    def step(self, node_id: str, value: float, total: float) -> None:
        """Within this node, `value` of `total` steps are done."""

    def end(self, success: bool) -> None:
        """The run has ended, with or without success."""


class Silent:
    """No display."""

    def uploaded(self, path: Path, name: str) -> None: ...

    def begin(self, titles: dict[str, str]) -> None: ...

    def cached(self, ids: list[str]) -> None: ...

    def node(self, node_id: str) -> None: ...

    def step(self, node_id: str, value: float, total: float) -> None: ...

    def end(self, success: bool) -> None: ...


class _Printing(Silent):
    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stderr

    def uploaded(self, path: Path, name: str) -> None:
        if name != path.name:
            shown = str(path).encode(errors=ESCAPE).decode()  # the name may be undecodable
            print(f"{shown} is {name} on the server", file=self.stream, flush=True)


class Lines(_Printing):
    """One line per node, for logs."""

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__(stream)
        self.titles: dict[str, str] = {}
        self.done = 0

    def begin(self, titles: dict[str, str]) -> None:
        self.titles, self.done = titles, 0

    def cached(self, ids: list[str]) -> None:
        self.done += len(ids)

    def node(self, node_id: str) -> None:
        self.done += 1
        print(
            f"[{self.done}/{len(self.titles)}] {self.titles.get(node_id, node_id)}",
            file=self.stream,
            flush=True,
        )


class Bars(_Printing):
    """Two tqdm bars, for a terminal."""

    def __init__(self, stream: TextIO | None = None) -> None:
        from tqdm import tqdm

        super().__init__(stream)
        self.make: Any = tqdm
        self.titles: dict[str, str] = {}
        self.nodes: Any = None
        self.working = False
        self.steps: Any = None

    def begin(self, titles: dict[str, str]) -> None:
        self.titles = titles
        self.nodes = self.make(total=len(titles), unit="node", file=self.stream, dynamic_ncols=True)

    def cached(self, ids: list[str]) -> None:
        self.nodes.update(len(ids))

    def node(self, node_id: str) -> None:
        self._close_steps()
        self.nodes.set_description(self.titles.get(node_id, node_id), refresh=False)
        self.nodes.update(int(self.working))
        self.working = True

    def step(self, node_id: str, value: float, total: float) -> None:
        if self.steps is None or self.steps.total != total or value < self.steps.n:
            self._close_steps()
            self.steps = self.make(
                total=total, unit="step", file=self.stream, dynamic_ncols=True, leave=False, position=1
            )
        self.steps.update(value - self.steps.n)

    def end(self, success: bool) -> None:
        self._close_steps()
        if self.nodes is not None:
            self.nodes.update(self.nodes.total - self.nodes.n if success else 0)
            self.nodes.close()

    def _close_steps(self) -> None:
        if self.steps is not None:
            self.steps.close()
            self.steps = None


def for_terminal(stream: TextIO | None = None) -> Progress:
    """Bars on a terminal, lines elsewhere."""
    stream = stream or sys.stderr
    return Bars(stream) if stream.isatty() else Lines(stream)
