"""python -m benchmarks.signals_study [--kits FOLDER] [--scenes N] [--only NAME ...] [--json]

How right the signals of a sound are where the truth is known. A few minutes; nothing is written.

onsets     hit times of the demo world's held-out sets: ours, and AV-Align's (librosa's defaults)
drums      the same on recorded drums of sample kits, those that settings were chosen on and others
classes    the name of each hit, by the bundled BEATs
schedules  frames of the peaks over ten minutes, by sample rate, container and frame rate
tempo      beats of drum patterns of known tempo

drums and tempo need --kits: a folder of Hydrogen kits, as in Debian's hydrogen-drumkits and hydrogen-data.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from .studies import STUDIES, WITH_KITS


def main(arguments: list[str] | None = None) -> int:
    """Run the studies and print them; exit code 0."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.signals_study", description="How right the signals of a sound are."
    )
    parser.add_argument("--kits", type=Path, help="folder with drum kits")
    parser.add_argument(
        "--scenes", type=int, default=40, help="scenes of each set; a tenth of it of each kit"
    )
    parser.add_argument("--only", nargs="+", choices=list(STUDIES), metavar="NAME", help="only these studies")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    options = parser.parse_args(arguments)
    if options.scenes < 1:
        parser.error("--scenes must be 1 or more")
    chosen = options.only or [name for name in STUDIES if options.kits is not None or name not in WITH_KITS]
    if options.kits is None and set(chosen) & WITH_KITS:
        parser.error("drums and tempo need --kits FOLDER")
    tables = {}
    for name in chosen:
        tables[name] = STUDIES[name](options.scenes, options.kits)
        if not options.json:
            print(_text(name, tables[name]), flush=True)
    if options.json:
        print(json.dumps(tables, indent=1))
    return 0


def _text(name: str, rows: dict[str, dict[str, Any]]) -> str:
    lines = [name]
    for row, facts in rows.items():
        shown = (
            f"{key} {value:.3f}" if isinstance(value, float) else f"{key} {value}"
            for key, value in facts.items()
        )
        lines.append(f"  {row:34s} " + "  ".join(shown))
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
