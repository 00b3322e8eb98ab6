"""The archive of a release on the node registry: lists its files, or writes it.

    python -m scripts.archive [--out FILE.zip] [--json]

As `comfy node pack` makes it: the files that git tracks, less those that .comfyignore names.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from pathspec import PathSpec

ROOT = Path(__file__).resolve().parents[1]


def archive_files(root: Path = ROOT) -> list[str]:
    """The archive's files, as sorted paths relative to `root`, which has to be a git checkout."""
    command = ["git", "-C", str(root), "ls-files", "-z"]
    done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=60)
    tracked = [name for name in done.stdout.split("\0") if name and (root / name).is_file()]
    lines = (root / ".comfyignore").read_text(encoding="utf-8").splitlines()
    patterns = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    ignored = PathSpec.from_lines("gitignore", patterns)
    return sorted(name for name in tracked if not ignored.match_file(name))


def archive_bytes(root: Path = ROOT) -> bytes:
    """The archive itself, a zip."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in archive_files(root):
            archive.write(root / name, name)
    return stream.getvalue()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m scripts.archive", description="The registry's archive.")
    parser.add_argument("--out", type=Path, metavar="FILE.zip", help="write it there, too")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    sizes = {name: (ROOT / name).stat().st_size for name in archive_files()}
    packed = archive_bytes()
    if options.out is not None:
        options.out.write_bytes(packed)
    if options.json:
        facts = {"files": sizes, "bytes": sum(sizes.values()), "zip_bytes": len(packed)}
        print(json.dumps(facts, indent=1))
        return 0
    for name, size in sizes.items():
        print(f"{size:10,}  {name}")
    print(f"{sum(sizes.values()):10,}  bytes in {len(sizes)} files; {len(packed):,} as a zip")
    return 0


if __name__ == "__main__":
    sys.exit(main())
