"""Paths of this pack and of the ComfyUI that it runs in."""

from __future__ import annotations

import os
from pathlib import Path

from .errors import WorkflowError

PACK = Path(__file__).resolve().parents[1]
PINNED = PACK / ".comfyui" / "0.3.75"


def clip_tokenizer(comfyui: Path) -> Path:
    """The folder in which a ComfyUI keeps the tokenizer of CLIP ViT-L, that of Stable Diffusion 1.x."""
    return comfyui / "comfy" / "sd1_tokenizer"


def find_comfyui(given: str | os.PathLike[str] | None = None) -> Path:
    """The ComfyUI to start: the given folder, else COMFYUI_PATH, else the one that this pack is installed in,
    else the one that `make setup` unpacked. Raises WorkflowError when there is none."""
    chosen = given or os.environ.get("COMFYUI_PATH", "").strip()
    if chosen:
        path = Path(chosen).expanduser().resolve()
        if not (path / "main.py").is_file():
            source = "--comfyui" if given else "COMFYUI_PATH"
            raise WorkflowError(
                f"{source} names {path}, where there is no main.py: name the folder of a ComfyUI"
            )
        return path
    for path in (PACK.parent.parent, PINNED):
        if (path / "main.py").is_file() and (path / "comfy").is_dir():
            return path
    raise WorkflowError(
        "no ComfyUI found. Attach to a running one with --server URL, name a folder with --comfyui DIR or "
        "COMFYUI_PATH, or run `make setup` to get the pinned one."
    )
