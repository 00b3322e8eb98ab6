"""The packages of the tests of Ray, object stores and WebDataset, put into the environment of the set-up.

    python -m scripts.scale     what `make test` does before its first test

Nothing that the set-up has installed moves: the packages of requirements-scale.txt are installed as they are
listed there, with the versions of constraints.txt. A second run finds its stamp and does nothing.
"""

from __future__ import annotations

import hashlib
import sys

from .environment import ROOT, SetupError
from .setup import PACKAGES

REQUIREMENTS, CONSTRAINTS = ROOT / "requirements-scale.txt", ROOT / "constraints.txt"
STAMP = PACKAGES.folder / "a2v-scale.sha256"


def main() -> int:
    """Install what is missing; returns 1 if that fails."""
    stamp = fingerprint()
    if STAMP.is_file() and STAMP.read_text() == stamp:
        return 0
    print("[set-up: scale] installing what the tests of Ray and of object stores need", flush=True)
    try:
        PACKAGES.pip(
            "scale",
            "install",
            "--no-deps",
            "--constraint",
            str(CONSTRAINTS),
            "--requirement",
            str(REQUIREMENTS),
        )
    except SetupError as error:
        print(f"\nset-up failed: {error}", file=sys.stderr)
        return 1
    STAMP.write_text(stamp)
    return 0


def fingerprint() -> str:
    """Hash of everything that determines these packages, and of the environment that they are in."""
    files = (REQUIREMENTS, CONSTRAINTS)
    text = [str(PACKAGES.folder), str(PACKAGES.python.resolve()), *(file.read_text() for file in files)]
    return hashlib.sha256("\0".join(text).encode()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
