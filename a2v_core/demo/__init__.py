"""The small trained models and sounds that ship with the pack, so that a fresh install runs at once.

They are trained on the world of `training/demo_world`: six objects, each with its own sound, at 64 x 64
pixels and 12 frames per second.
"""

from __future__ import annotations

from pathlib import Path

from ..errors import A2VError

__all__ = ["DEMO", "FPS", "SIZE", "demo_path"]

DEMO = Path(__file__).parent
"""The folder of the bundled files, also where they are missing."""
_NAMES = {"beats": "beats.safetensors", "mapper": "mapper.safetensors", "few_steps": "few_steps.safetensors"}

FPS = 12.0
SIZE = 64


def demo_path(name: str) -> Path:
    """Path of a bundled file: "beats", "mapper", "t2v" (a diffusers folder), "few_steps" (its LoRA for few
    steps), "wan" (transformer and VAE as ComfyUI reads them and audio adapter, each in a folder called as
    ComfyUI's for such files), "sounds" or "sounds/<file>.wav".

    A2VError when it is not there, which means that the pack was not copied whole.
    """
    path = DEMO / _NAMES.get(name, name)
    if not path.exists():
        raise A2VError(
            f"The bundled demo file {path} is missing: the pack was not copied whole. Install it again, "
            "with the folder a2v_core/demo."
        )
    return path
