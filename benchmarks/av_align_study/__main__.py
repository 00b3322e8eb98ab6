"""python -m benchmarks.av_align_study [--out FOLDER] [--clips N] [--json]: is the metric right?

Scores clips whose events are known while one thing after another is changed, and draws a curve of each. A few
minutes; nothing is read and, without --out, nothing written.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from .charts import Chart, Line, write_svg
from .studies import Table, studies


def main(arguments: list[str] | None = None) -> int:
    """Run all studies and print them; exit code 0."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.av_align_study", description="How the scores of AV-Align behave."
    )
    parser.add_argument(
        "--clips", type=int, default=60, help="pairs for the AUROC; a third of it for each curve"
    )
    parser.add_argument("--out", type=Path, help="folder for av_align_*.svg and av_align_sensitivity.json")
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", choices=sorted(studies(6)), help="only these studies"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    options = parser.parse_args(arguments)
    if options.clips < 6:
        parser.error("--clips must be 6 or more")
    tables: Table = {}
    for name, (title, run) in studies(options.clips).items():
        if options.only and name not in options.only:
            continue
        table = run()
        tables[name] = {"title": title, **table}
        if not options.json:
            print(_text(title, table), flush=True)
    if options.out is not None:
        write(options.out, tables)
    if options.json:
        print(json.dumps(tables, indent=1))
    return 0


def write(folder: Path, tables: Table) -> None:
    """The numbers as JSON and a chart of every curve."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "av_align_sensitivity.json").write_text(json.dumps(tables, indent=1) + "\n", encoding="utf-8")
    for name, table in tables.items():
        if "x" in table:
            lines = [Line(measure_name, table["lines"][measure_name]) for measure_name in table["drawn"]]
            values = [v for line in lines for v in line.values if v is not None]
            chart = Chart(
                table["title"],
                table.get("x_name", table["title"]),
                table["x"],
                lines,
                low=-0.2 if min(values) < 0 else 0.0,
                even=name not in ("shift", "tolerance"),
            )
            write_svg(folder / f"av_align_{name}.svg", chart)


def _text(title: str, table: Table) -> str:
    lines = ["", title]
    if "x" in table:
        names = [name for name in table["lines"] if name not in ("lag", "p")]
        lines.append(" " * 8 + "".join(name[:20].rjust(22) for name in names))
        for number, x in enumerate(table["x"]):
            lines.append(f"{x:8g}" + "".join(_cell(table["lines"][name][number]).rjust(22) for name in names))
    for kind, row in table.get("rows", {}).items():
        lines.append(f"{kind:32s}" + "  ".join(f"{name} {_cell(value)}" for name, value in row.items()))
    return "\n".join(lines)


def _cell(value: Any) -> str:
    return "-" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
