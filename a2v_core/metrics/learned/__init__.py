"""Measures that need weights of the user's own: FVD, Inception Score, CLIPSIM. Nothing is ever downloaded.

The weights lie in one folder:

    i3d_torchscript.pt         I3D (Kinetics-400) as TorchScript, the file of StyleGAN-V: FVD, Inception Score
    c3d_ucf101.pt              C3D (UCF-101) as TorchScript, of the same project: the paper's Inception Score
    clip-vit-base-patch32/     CLIP ViT-B/32, the folder from the Hugging Face hub: CLIPSIM
"""

from .clipsim import ClipSim, load_clip
from .frechet import frechet_distance, frechet_of_features
from .inception import inception_score
from .video_nets import VideoNet, load_c3d, load_i3d
from .weights import C3D_FILE, MissingWeights

__all__ = [
    "C3D_FILE",
    "ClipSim",
    "MissingWeights",
    "VideoNet",
    "frechet_distance",
    "frechet_of_features",
    "inception_score",
    "load_c3d",
    "load_clip",
    "load_i3d",
]
