"""A text-to-video UNet as core's own MODEL: the frames of a video are the batch of an image model.

Core's samplers denoise [frames, c, h, w] for several conditionings in one batch, one behind the other; how
many says `cond_or_uncond`, whatever CFG and memory make of it. What travels at the sockets is in the scale of
SD 1.x: the latents' own factor is part of the latent format.

Legend: n conditionings in a batch, F frames, c latent channels, h w latent size, L text positions, C text
width.
"""

from __future__ import annotations

import logging
from typing import Any

import comfy.latent_formats
import comfy.model_base
import comfy.model_sampling
import comfy.patcher_extension
import comfy.supported_models_base
import torch
from torch import Tensor, nn

from ..a2v_core.backbones import Grid, denoise_rows
from ..a2v_core.backbones.clip_unet import CLIPUNet
from ..a2v_core.errors import A2VError
from . import runtime

PREFIX = "diffusion_model."  # of the names of core's weights

_SAMPLING = {
    "epsilon": comfy.model_sampling.EPS,
    "v_prediction": comfy.model_sampling.V_PREDICTION,
    "sample": comfy.model_sampling.X0,
}
_log = logging.getLogger(__name__)


class FrameBatchUNet(nn.Module):
    """A UNet as core calls one. Its layers have their own names in it, which LoRAs are matched by."""

    def __init__(self, backbone: CLIPUNet) -> None:
        super().__init__()
        self._backbone = backbone
        self._warned = False
        for name, layer in backbone.unet.named_children():
            self.add_module(name, layer)

    @property
    def dtype(self) -> torch.dtype:
        """What it computes in."""
        return next(self.parameters()).dtype

    def forward(
        self,
        x: Tensor,
        timesteps: Tensor,
        context: Tensor | None = None,
        y: Tensor | None = None,
        control: Any = None,
        transformer_options: dict[str, Any] = {},  # noqa: B006 (as core's)
        **other: Any,
    ) -> Tensor:
        """[n*F, c, h, w] to [n*F, c, h, w], through the wrappers that other nodes have put around it."""
        kind = comfy.patcher_extension.WrappersMP.DIFFUSION_MODEL
        wrappers = comfy.patcher_extension.get_all_wrappers(kind, transformer_options)
        run = comfy.patcher_extension.WrapperExecutor.new_class_executor(self._denoise, self, wrappers)
        predicted: Tensor = run.execute(x, timesteps, context, y, control, transformer_options, **other)
        return predicted

    def _denoise(
        self,
        x: Tensor,
        timesteps: Tensor,
        context: Tensor | None,
        y: Tensor | None,
        control: Any,
        transformer_options: dict[str, Any],
        **other: Any,
    ) -> Tensor:
        family = self._backbone.spec.family
        if control is not None:
            raise A2VError(f"{family} takes no ControlNet: disconnect it")
        if context is None:
            raise A2VError(f"{family} needs a text: connect a CONDITIONING from a text encoder")
        self._warn_of_patches(transformer_options)
        clips = len(transformer_options.get("cond_or_uncond", (0,)))
        # All rows of a batch are at one timestep.
        with runtime.cancel_points(self._backbone.cancel_points()):
            return denoise_rows(self._backbone, x, timesteps[0], context, clips)

    def _warn_of_patches(self, transformer_options: dict[str, Any]) -> None:
        patches = {**transformer_options.get("patches", {}), **transformer_options.get("patches_replace", {})}
        if patches and not self._warned:
            self._warned = True
            _log.warning(
                "%s as MODEL: patches for the layers of core's UNet have no effect on it: %s",
                self._backbone.spec.family,
                ", ".join(sorted(patches)),
            )


class FrameBatchModel(comfy.model_base.BaseModel):
    """Core's model around such a UNet, with the noise that it was trained on."""

    def __init__(self, backbone: CLIPUNet) -> None:
        schedule = backbone.schedule()
        velocity = schedule.prediction == "v_prediction"
        kinds = comfy.model_base.ModelType
        super().__init__(_config(backbone), kinds.V_PREDICTION if velocity else kinds.EPS)
        self.diffusion_model = FrameBatchUNet(backbone).eval()
        self.model_sampling = _sampling(schedule.prediction, schedule.sigmas)
        self._backbone = backbone

    def memory_required(self, input_shape: Any, *args: Any, **kwargs: Any) -> int:
        """The backbone's own estimate for so many rows of latents. Samplers ask first of all: A2VError for a
        LATENT of another kind."""
        if len(input_shape) != 4:
            raise A2VError(
                f"{self._backbone.spec.family} as MODEL takes a LATENT [frames, channels, height, width], "
                f"got {len(input_shape)} dimensions: use Empty Latent Image, its batch_size the "
                "number of frames"
            )
        rows, channels, height, width = input_shape
        return self._backbone.work_bytes("denoiser", Grid(channels, rows, height, width))


def denoiser_home(backbone: CLIPUNet) -> runtime.Home:
    """Core's model around the UNet of a backbone: what ComfyUI moves, whichever sampler asks for it."""
    return runtime.Home(runtime.named_like(backbone.unet, FrameBatchModel)(backbone), PREFIX)


def core_model(managed: runtime.Managed) -> Any:
    """The MODEL of a denoiser that lies in `denoiser_home`: the same weights, its LoRA included."""
    return managed.patcher.clone()


def _config(backbone: CLIPUNet) -> Any:
    """What core knows of a model: no file of core's layout is behind it, so there is nothing to build."""
    config = comfy.supported_models_base.BASE({"disable_unet_model_creation": True})
    config.latent_format = comfy.latent_formats.SD15(scale_factor=backbone.spec.latent_scale)
    return config


def _sampling(prediction: str, sigmas: Tensor) -> Any:
    discrete = comfy.model_sampling.ModelSamplingDiscrete
    sampling = type("ModelSampling", (discrete, _SAMPLING[prediction]), {})()
    sampling.set_sigmas(sigmas)
    sampling.num_timesteps = len(sigmas)
    return sampling
