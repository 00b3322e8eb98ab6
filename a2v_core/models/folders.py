"""Model folders of a ComfyUI."""

from __future__ import annotations

from pathlib import Path

from ..comfyui import find_comfyui
from ..errors import A2VError, WorkflowError
from ..places import place_called
from .catalogue import Kind


def folder_for(kind: Kind, comfyui: str = "", dest: str = "") -> Path:
    """The folder for models of a kind: `dest` itself, else that of the ComfyUI which headless runs would use.

    A2VError when there is no ComfyUI.
    """
    if dest:
        return Path(dest).expanduser().absolute()
    return comfyui_folder(comfyui) / "models" / place_called(kind).folder


def comfyui_folder(given: str = "") -> Path:
    """The ComfyUI named by the user, by COMFYUI_PATH, around this pack, or of the stand-alone set-up."""
    try:
        return find_comfyui(given or None)
    except WorkflowError as error:
        raise A2VError(
            f"where should the model go? {error} Name the folder with --dest, or a ComfyUI with --comfyui"
        ) from error
