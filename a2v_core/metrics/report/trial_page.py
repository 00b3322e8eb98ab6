"""The HTML report of a self-test."""

from __future__ import annotations

from ..selftest import SelfTest, selftest_cells
from .parts import bad_list, page, plural, table

_READING = (
    "<p>Each clip is scored with its own sound and with wrong ones. A cell says how often the own sound "
    "scored higher, with its 95 % interval: 0.5 is guessing, and a tie or an undefined score counts as "
    "wrong. <b>told from</b> is the shortest shift in milliseconds from which on all are told in 95 % of the "
    "trials.</p>"
)


def selftest_page(test: SelfTest) -> str:
    """The report: what was tried, and how often each score was right."""
    head, *rows = selftest_cells(test.results)
    body = [
        f"<p>{plural(len(test.clips), 'clip', 'clips')}, {plural(len(test.bad), 'file', 'files')} not "
        "readable.</p>",
        _READING,
        table(head, rows),
        bad_list(test.bad),
    ]
    return page("Self-test of AV-Align", body)
