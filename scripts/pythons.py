"""Finds the Python interpreters of a machine: on the path, from pyenv, from uv.

Runs with the system's Python: standard library only.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .environment import OLDEST_PYTHON, SetupError, dotted

# Run by a candidate interpreter: prints path, version and kind; fails without venv and ensurepip.
PROBE = (
    "import ensurepip, json, os, sys, sysconfig, venv; "
    "print(json.dumps([os.path.realpath(sys.executable), sys.version_info[:3], "
    "sys.implementation.name == 'cpython' and sys.version_info[3] == 'final' "
    "and not sysconfig.get_config_var('Py_GIL_DISABLED')]))"
)
PROBE_SECONDS = 30


@dataclass(frozen=True)
class Python:
    """An interpreter that can make virtual environments."""

    version: tuple[int, ...]
    path: Path

    def __str__(self) -> str:
        return f"{dotted(self.version)} ({self.path})"


def offered_pythons(environment: Mapping[str, str] = os.environ) -> list[Python]:
    """One of each minor version from 3.11 on, the newest first; no betas, no free-threaded builds, no PyPy.

    `environment` says where to look. SetupError when there is none.
    """
    found = {known for path in _files(environment) if (known := _probe(path)) is not None}
    best = {python.version[:2]: python for python in sorted(found, key=_order)}
    if not best:
        need = dotted(OLDEST_PYTHON)
        raise SetupError(
            f"step 'Python': no python3.X from {need} on with the modules venv and ensurepip on the path, in "
            f"pyenv's or uv's folder. Install one, or name it: NEWEST_PYTHON=/path/to/python{need}"
        )
    return sorted(best.values(), key=_order, reverse=True)


def named_python(name: str) -> Python:
    """The Python that a user names, by path or as on the command line. SetupError when it will not do."""
    place = shutil.which(os.path.expanduser(name))
    python = None if place is None else _probe(Path(place), any_release=True)
    if python is None:
        raise SetupError(f"step 'Python': NEWEST_PYTHON is {name}: no Python with venv and ensurepip")
    if python.version < OLDEST_PYTHON:
        need = dotted(OLDEST_PYTHON)
        raise SetupError(f"step 'Python': NEWEST_PYTHON is {python}, needed is {need} or newer")
    return python


def _files(environment: Mapping[str, str]) -> Iterable[Path]:
    home = Path(environment.get("HOME", "/"))
    pyenv = Path(environment.get("PYENV_ROOT") or home / ".pyenv") / "versions"
    uv = Path(environment.get("UV_PYTHON_INSTALL_DIR") or home / ".local" / "share" / "uv" / "python")
    folders = [Path(folder) for folder in environment.get("PATH", os.defpath).split(os.pathsep) if folder]
    folders += [*pyenv.glob("*/bin"), *uv.glob("*/bin")]
    for folder in dict.fromkeys(folders):
        for path in folder.glob("python3.*"):
            minor = re.fullmatch(r"python3\.(\d+)", path.name)
            if minor and (3, int(minor[1])) >= OLDEST_PYTHON:
                yield path


def _probe(path: Path, any_release: bool = False) -> Python | None:
    """None if it is no Python, has no venv, or (unless `any_release`) is no final CPython with GIL."""
    try:
        done = subprocess.run(
            [str(path), "-c", PROBE], capture_output=True, text=True, check=False, timeout=PROBE_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode:
        return None
    place, version, is_release = json.loads(done.stdout)
    return Python(tuple(version), Path(place)) if is_release or any_release else None


def _order(python: Python) -> tuple[tuple[int, ...], str]:
    return python.version, str(python.path)
