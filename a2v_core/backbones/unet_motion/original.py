"""AnimateDiff of two files: Stable Diffusion 1.5 in its original layout, and motion modules.

A checkpoint holds UNet, VAE and text encoder under the names of the published code and no settings: sizes
follow from the weights, the rest is the same in all models of that kind. diffusers' converters give the
weights their names in its networks. The tokenizer's vocabulary is in neither file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from ...checkpoints import read_checkpoint
from ...comfyui import clip_tokenizer, find_comfyui
from ...errors import CheckpointError, WorkflowError
from ...places import ALL_IN_ONE, MOTION_ADAPTER, describe, weight_files
from ..clip_unet import built_text_encoder
from ..diffusers_folder import built
from .adapter import Adapter, adapter_of
from .original_config import text_config, unet_config, vae_config

UNET, VAE, TEXT = "model.diffusion_model.", "first_stage_model.", "cond_stage_model.transformer."
_MODELS = "use a checkpoint of Stable Diffusion 1.5, for which AnimateDiff's motion modules are made"

# Of Stable Diffusion, with the betas of all published motion modules.
SCHEDULE: Mapping[str, Any] = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "linear",
    "clip_sample": False,
    "set_alpha_to_one": False,
    "steps_offset": 1,
    "prediction_type": "epsilon",
}


class Original(NamedTuple):
    """A checkpoint: its networks, without memory for their weights, and its state dict."""

    path: Path
    tensors: Mapping[str, Tensor]
    unet: Any
    vae: Any
    text_encoder: Any

    def unet_weights(self) -> dict[str, Tensor]:
        """Under diffusers' names. CheckpointError when there are some that no UNet of this kind has."""
        from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint

        return _converted(self.path, convert_ldm_unet_checkpoint, self._part(UNET), self.unet.config)

    def vae_weights(self) -> dict[str, Tensor]:
        """Under diffusers' names. CheckpointError as `unet_weights`."""
        from diffusers.loaders.single_file_utils import convert_ldm_vae_checkpoint

        return _converted(self.path, convert_ldm_vae_checkpoint, self._part(VAE), self.vae.config)

    def text_weights(self) -> dict[str, Tensor]:
        """Under the names of transformers."""
        return bare(self.tensors, TEXT)

    def _part(self, prefix: str) -> dict[str, Tensor]:
        return {key: value for key, value in self.tensors.items() if key.startswith(prefix)}


def find_files(folder: Path) -> tuple[Original, Adapter]:
    """The checkpoint and the motion modules in a folder, whatever their names.

    CheckpointError when there is not one of each, and for a file that is something else or broken.
    """
    found: dict[str, list[tuple[Path, dict[str, Tensor]]]] = {ALL_IN_ONE: [], MOTION_ADAPTER: []}
    for name in weight_files(path.name for path in folder.iterdir()):
        tensors = read_checkpoint(folder / name).tensors
        if (kind := describe(tensors)) not in found:
            raise CheckpointError(f"{folder / name}: is a file of the kind: {kind}; {_expected(folder)}")
        found[kind].append((folder / name, tensors))
    for kind, files in found.items():
        if len(files) != 1:
            names = ", ".join(path.name for path, _ in files) or "none"
            raise CheckpointError(f"{folder}: files of the kind '{kind}': {names}; {_expected(folder)}")
    return original_of(*found[ALL_IN_ONE][0]), adapter_of(*found[MOTION_ADAPTER][0])


def original_of(path: Path, tensors: Mapping[str, Tensor]) -> Original:
    """The networks of a checkpoint that was read. CheckpointError for another than Stable Diffusion 1.x."""
    from diffusers import AutoencoderKL, UNet2DConditionModel

    for prefix, what in ((UNET, "UNet"), (VAE, "VAE"), (TEXT, "CLIP text encoder")):
        if not any(key.startswith(prefix) for key in tensors):
            raise CheckpointError(f"{path}: has no {what} of Stable Diffusion 1.x ({prefix}*); {_MODELS}")
    unet, vae, text = (bare(tensors, prefix) for prefix in (UNET, VAE, TEXT))
    return Original(
        path,
        tensors,
        built(path, lambda: UNet2DConditionModel(**unet_config(unet))),
        built(path, lambda: AutoencoderKL(**vae_config(vae))),
        built(path, lambda: built_text_encoder(path, text_config(text))),
    )


def find_tokenizer(folder: Path, given: Path | None) -> Path:
    """The folder of CLIP's tokenizer: in the model's folder, else `given`, else that of a ComfyUI.

    CheckpointError when there is none.
    """
    own = [place for place in (folder / "tokenizer", folder) if (place / "vocab.json").is_file()]
    try:
        found = own[0] if own else given or clip_tokenizer(find_comfyui())
    except WorkflowError:
        found = folder / "tokenizer"
    if not found.is_dir():
        raise CheckpointError(
            f"{folder}: holds no tokenizer, and there is no ComfyUI with one; put CLIP's vocab.json and "
            "merges.txt there (ComfyUI has them in comfy/sd1_tokenizer), or name a ComfyUI in COMFYUI_PATH"
        )
    return found


def bare(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors of a part, without the prefix of their names."""
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def _converted(
    path: Path, convert: Callable[..., dict[str, Tensor | None]], part: dict[str, Tensor], config: Any
) -> dict[str, Tensor]:
    try:
        made = convert(dict(part), dict(config))
    except (KeyError, AttributeError) as error:
        raise CheckpointError(f"{path}: is damaged, {error} is missing; get the file again") from error
    found = {key: value for key, value in made.items() if value is not None}
    if len(found) < len(part):
        raise CheckpointError(
            f"{path}: {len(part) - len(found)} of {len(part)} weights are of no network of Stable Diffusion "
            f"1.x, such as {sorted(part)[-1]}; {_MODELS}"
        )
    return found


def _expected(folder: Path) -> str:
    return (
        f"expected in {folder.name} a checkpoint of Stable Diffusion 1.5 and a file of motion modules, such "
        "as v3_sd15_mm.ckpt, and no other"
    )
