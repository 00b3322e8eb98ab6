"""A text-to-video model of any family from a local folder."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from ..errors import A2VError, CheckpointError
from ..places import ADAPTER_FOLDER, PICTURE_DENOISER
from .contract import PARTS, Backbone, Part
from .diffusers_folder import (
    check_folder,
    denoiser_class,
    denoiser_folder,
    is_of_files,
)
from .dtypes import DTYPES
from .unet3d import load_unet3d
from .unet_motion import load_files, load_unet_motion
from .wan import load_wan

# By the class of the denoiser (`places.T2V_DENOISERS`).
FAMILIES: Mapping[str, Callable[[Path, str, Collection[Part]], Backbone]] = {
    "UNet3DConditionModel": load_unet3d,
    "UNetMotionModel": load_unet_motion,
    "WanTransformer3DModel": load_wan,
}


def load_t2v(
    folder: str | Path,
    dtype: str = "fp32",
    parts: Collection[Part] = PARTS,
    tokenizer: Path | None = None,
) -> Backbone:
    """Load a text-to-video model in the diffusers layout, or AnimateDiff of two files, on the CPU.

    `dtype` "fp32", "fp16" or "bf16", or "fp8": bfloat16 with a denoiser whose weights are stored in 8 bits
    (`layers.store_fp8`), half the memory for some rounding.
    `tokenizer`: folder with CLIP's, for files that come without one; None: that of the ComfyUI used here.
    `parts`: only these networks are loaded, such as the denoiser and text for training from a cache.
    CheckpointError names the part or file that is missing, broken, of another kind, or of another model.
    """
    if dtype not in DTYPES:
        raise A2VError(f"Unknown dtype {dtype!r}: choose one of {', '.join(DTYPES)}")
    folder = Path(folder)
    if is_of_files(folder):
        return load_files(folder, dtype, parts, tokenizer)
    check_folder(folder)
    found = denoiser_class(folder) or next(iter(FAMILIES))
    if found not in FAMILIES:
        adapter = f", or give it a motion adapter in {ADAPTER_FOLDER}" if found == PICTURE_DENOISER else ""
        raise CheckpointError(
            f"{denoiser_folder(folder)}: is a {found}, expected one of {', '.join(FAMILIES)}; use a "
            "text-to-video model of that kind, such as ModelScope text-to-video 1.7b, Zeroscope v2, "
            f"Wan 2.1 or AnimateDiff{adapter}"
        )
    return FAMILIES[found](folder, dtype, parts)
