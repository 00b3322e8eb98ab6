"""Files in the folder of weights, and the error for a missing one."""

from __future__ import annotations

from pathlib import Path

from ...errors import A2VError

I3D_FILE = "i3d_torchscript.pt"
C3D_FILE = "c3d_ucf101.pt"
CLIP_FOLDER = "clip-vit-base-patch32"

_SOURCES = {
    I3D_FILE: "FVD and the Inception Score need I3D as TorchScript (StyleGAN-V's i3d_torchscript.pt)",
    C3D_FILE: "the paper's Inception Score needs C3D as TorchScript (StyleGAN-V's c3d_ucf101.pt)",
    CLIP_FOLDER: "CLIPSIM needs the folder of openai/clip-vit-base-patch32 from the Hugging Face hub",
}


class MissingWeights(A2VError):
    """Weights that the user has not put into the folder."""


def weights_path(folder: Path, name: str) -> Path:
    """`folder` / `name`; MissingWeights, with its source and where to put it, if it does not exist."""
    path = folder / name
    if not path.exists():
        raise MissingWeights(f"{path} is not there: {_SOURCES[name]}. Put it there; nothing is downloaded.")
    return path
