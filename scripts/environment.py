"""Shared by the set-ups: a virtual environment with its pip, and errors that name the step.

Runs with the system's Python: standard library only.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST_PYTHON = (3, 11)
HINT_VENV = "On Debian and Ubuntu the module is a package of its own: apt-get install python3-venv."
HINT_REGISTRY = "pip's own message is above. Is a package registry reachable, and is there 8 GB of free disk?"
NO_VERSION = ("No matching distribution found", "ResolutionImpossible")


class SetupError(Exception):
    """A step of the set-up failed; the message says which and why."""


class NoVersionError(SetupError):
    """pip found no compatible set of versions for this Python."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment in the checkout, which may not exist yet."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def make(self, python: Path) -> None:
        """Create it with `python`. SetupError, with the folder removed, if that fails."""
        say("virtual environment", f"making {show(self.folder)}")
        command = [str(python), "-m", "venv", str(self.folder)]
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        if done.returncode:
            self.remove()
            raise SetupError(f"step 'virtual environment': {done.stdout.strip()[-2000:]}\n{HINT_VENV}")

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def pip(self, step: str, *arguments: str) -> None:
        """Run pip with our stdout and stderr. NoVersionError or SetupError when it fails."""
        command = [str(self.python), "-m", "pip", "--disable-pip-version-check", *arguments]
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
        print(done.stderr, end="", file=sys.stderr, flush=True)
        if done.returncode:
            kind = NoVersionError if any(text in done.stderr for text in NO_VERSION) else SetupError
            raise kind(f"step '{step}': pip ended with code {done.returncode}. {HINT_REGISTRY}")

    def packages(self) -> dict[str, str]:
        """Installed packages: normalised name -> version."""
        command = [str(self.python), "-m", "pip", "--disable-pip-version-check", "list", "--format=json"]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            raise SetupError(f"step 'list of packages': pip ended with code {done.returncode}")
        return {package_name(entry["name"]): entry["version"] for entry in json.loads(done.stdout)}

    def check_torch(self) -> None:
        """torch, torchvision and torchaudio must be a matched trio, else importing the latter two fails."""
        code = "import torch, torchvision, torchaudio; print('torch', torch.__version__)"
        done = subprocess.run([str(self.python), "-c", code], capture_output=True, text=True, check=False)
        if done.returncode:
            raise SetupError(
                f"step 'torch': the installed trio does not import:\n{done.stderr.strip()[-2000:]}"
            )
        say("torch", done.stdout.strip())


def package_name(line: str) -> str:
    """The normalised package name at the start of a requirement line."""
    name = re.match(r"[A-Za-z0-9._-]*", line.strip())
    return re.sub(r"[-_.]+", "-", name.group(0) if name else "").lower()


def dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def say(step: str, text: str) -> None:
    print(f"[set-up: {step}] {text}", flush=True)


def show(path: Path) -> str:
    return os.path.relpath(path, ROOT) if path.is_relative_to(ROOT) else str(path)
