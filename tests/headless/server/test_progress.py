"""What a person sees of a run: the real bars, written into a string."""

from __future__ import annotations

import io
import re

from a2v_core.headless.server.progress import Bars, Lines, Progress, for_terminal


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def play(progress: Progress, *, success: bool) -> None:
    progress.begin({"1": "load", "2": "sample", "3": "save"})
    progress.cached(["1"])
    progress.node("2")
    for step in range(1, 5):
        progress.step("2", step, 4)
    progress.step("2", 1, 4)
    progress.node("3")
    progress.end(success)


def test_bars_on_a_terminal() -> None:
    stream = Terminal()
    progress = for_terminal(stream)
    assert isinstance(progress, Bars)
    play(progress, success=True)
    frames = re.split(r"[\r\n]+", stream.getvalue())
    assert any("3/3" in frame and frame.startswith("save") for frame in frames)
    assert any("/4" in frame and "step" in frame for frame in frames)


def test_a_run_that_fails_does_not_reach_the_end() -> None:
    stream = Terminal()
    play(Bars(stream), success=False)
    assert "3/3" not in stream.getvalue()
    assert "2/3" in stream.getvalue()


def test_a_run_that_never_starts() -> None:
    Bars(Terminal()).end(False)


def test_lines_elsewhere() -> None:
    stream = io.StringIO()
    progress = for_terminal(stream)
    assert isinstance(progress, Lines)
    play(progress, success=True)
    assert stream.getvalue() == "[2/3] sample\n[3/3] save\n"
