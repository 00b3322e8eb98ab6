"""Everything that the pack claims of a GPU, in minutes: is it right, is it fast, what breaks.

    python -m benchmarks.gpu [--minutes 9] [--only NAME ...] [--json] [--out DIR] [--tiny] [--device cpu]

Seven parts, the most important first, each in a process of its own with a limit of time; what they find is
written to DIR as it comes, and a part that fails does not end the others. It needs no network; large models
have random weights, since speed does not depend on what weights say. A package that is missing is named, and
what does not need it goes on.

    DIR/report.json   card, driver, versions, and `parts`: each with `ok`, `seconds`, its `goals` and its
                      `steps` with their numbers; seconds, bytes
    DIR/report.md     the same as tables
    DIR/NAME.log      what a part printed

`--tiny` runs the same code on models of some thousand weights: a test of this command, whose numbers say
nothing.
The exit status is 0 where all parts are ok. Goals that are missed are no faults.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .parts import PARTS
from .report import as_markdown
from .runner import Plan, run

TINY_MINUTES = 25.0  # limits are for GPUs: a busy machine must not end a test


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = [part.name for part in PARTS]
    parser.add_argument("--minutes", type=float, default=9.0, metavar="N", help="for all (default: 9)")
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", help=f"of {', '.join(names)}")
    parser.add_argument("--json", action="store_true", help="print the report as one JSON object")
    parser.add_argument("--out", type=Path, default=Path("out/gpu"), metavar="DIR")
    parser.add_argument("--tiny", action="store_true", help="a test of the command itself")
    parser.add_argument("--device", default="cuda")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: what is done is kept
    options.out.mkdir(parents=True, exist_ok=True)
    parts = [part for part in PARTS if part.name in (options.only or names)]
    with tempfile.TemporaryDirectory(prefix="a2v-gpu-") as models:
        seconds = 60 * (max(options.minutes, TINY_MINUTES) if options.tiny else options.minutes)
        plan = Plan(options.out.resolve(), Path(models), seconds, options.device, options.tiny)
        report = run(parts, plan, lambda line: print(line, file=sys.stderr, flush=True))
    text = as_markdown(report)
    (options.out / "report.md").write_text(text, encoding="utf-8")
    print(json.dumps(report, indent=1) if options.json else text)
    return 130 if report["stopped"] else int(not report["ok"])


if __name__ == "__main__":
    sys.exit(main())
