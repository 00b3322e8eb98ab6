"""The VAE of a text-to-video model as core's own VAE, whatever its channels and norms.

Core knows one size of SD VAE and builds it from weights. So it builds the smallest of that kind, with all
that belongs to it (scales, tiling, estimates of memory), and then gets the model's own network in its place.

Legend: F frames, c latent channels, h w latent size, H W picture size.
"""

from __future__ import annotations

from typing import Any

import comfy.ldm.models.autoencoder
import comfy.sd
from torch import Tensor, nn

from ..a2v_core.backbones.clip_unet import CLIPUNet
from . import runtime

_SMALLEST = {
    "embed_dim": 4,
    "ddconfig": {
        "double_z": True,
        "z_channels": 4,
        "resolution": 32,
        "in_channels": 3,
        "out_ch": 3,
        "ch": 32,
        "ch_mult": [1],
        "num_res_blocks": 1,
        "attn_resolutions": [],
        "dropout": 0.0,
    },
}


class _Coder(nn.Module):
    """diffusers' AutoencoderKL as core calls a VAE; latents at the sockets are not scaled."""

    def __init__(self, vae: Any) -> None:
        super().__init__()
        self.vae = vae

    def decode(self, latents: Tensor, **options: Any) -> Tensor:
        """[F, c, h, w] to [F, 3, H, W] in -1..1."""
        pictures: Tensor = self.vae.decode(latents, return_dict=False)[0]
        return pictures

    def encode(self, pictures: Tensor, **options: Any) -> Tensor:
        """[F, 3, H, W] in -1..1 to [F, c, h, w]: the posterior's mean."""
        latents: Tensor = self.vae.encode(pictures).latent_dist.mode()
        return latents


def core_vae(backbone: CLIPUNet, managed: runtime.Managed) -> Any:
    """The VAE of a model: the same weights."""
    smallest = comfy.ldm.models.autoencoder.AutoencoderKL(**_SMALLEST)
    made = comfy.sd.VAE(sd=smallest.state_dict(), config={"params": _SMALLEST})
    made.first_stage_model = _Coder(backbone.vae).eval()
    made.patcher, made.disable_offload = managed.patcher, True
    made.vae_dtype = next(backbone.vae.parameters()).dtype
    made.latent_channels = backbone.spec.latent_channels
    made.downscale_ratio = made.upscale_ratio = backbone.spec.space
    made.size = managed.patcher.model_size()
    return made
