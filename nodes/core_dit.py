"""ComfyUI's own video DiTs: which family a MODEL is of, and where its video tokens lie between two blocks.

The only file that knows the insides of core's classes (`comfy/ldm/wan/model.py` and
`comfy/ldm/lightricks/model.py`). Those that core gives a sound by itself (S2V, HuMo) and those whose tokens
are of more than the video (LTX-2, Animate) are not here.

Legend: T latent frames of the video, S video tokens of each, B rows of the batch, C model width.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from torch import Tensor

from ..a2v_core.backbones.dit import FAMILIES, INSIDE_ONLY, AdapterConfig, Family, family_of
from ..a2v_core.errors import A2VError

# Class -> family, and the attribute that holds the width of the model.
_CLASSES = {
    "WanModel": ("Wan", "dim"),
    "VaceWanModel": ("Wan", "dim"),
    "LTXVModel": ("LTX-Video", "inner_dim"),
}


class CoreDiT(NamedTuple):
    """What an audio adapter has to fit: family, C, number of blocks."""

    family: Family
    width: int
    layers: int

    def check(self, config: AdapterConfig) -> None:
        """A2VError unless the adapter is for a model like this, and works between its blocks."""
        if config.route == "words":
            raise A2VError(INSIDE_ONLY)
        config.check_fits(self.width, self.layers, self.family.spec)


class VideoTokens(NamedTuple):
    """Where the video is in the stream [B, N, C] between two blocks: from `first` on, T * S tokens."""

    first: int
    number: int


def recognised(model: Any) -> CoreDiT:
    """The video DiT in a MODEL. A2VError for a model of another kind."""
    network = model.get_model_object("diffusion_model")
    kind = type(network).__name__
    if kind not in _CLASSES:
        known = ", ".join(dict.fromkeys(family.title for family in FAMILIES))
        raise A2VError(
            f"the connected model is a {kind}, which takes no audio adapter; those that do are {known}"
        )
    name, width = _CLASSES[kind]
    channels = model.get_model_object("latent_format").latent_channels
    family = family_of(name, channels)
    return CoreDiT(family, getattr(network, width), len(getattr(network, family.blocks)))


def arguments_of(forward: Callable[..., Any], args: Any, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """What a call of the forward function of a diffusion model gets, by name; others come in by keyword."""
    bound = inspect.signature(forward).bind(*args, **kwargs).arguments
    extra = bound.pop("kwargs", {})
    return {**bound, **extra}


def video_frames(arguments: Mapping[str, Any], family: Family) -> int:
    """T of a call: frames of the latent without those of guides, which LTX-Video has at its end."""
    x, guides = arguments["x"], arguments.get("keyframe_idxs")
    frames = int(x.shape[2])
    return frames if guides is None else frames - guides.shape[2] // family.tokens_of_frame(*x.shape[3:])


def video_tokens(network: Any, arguments: Mapping[str, Any], family: Family) -> VideoTokens:
    """Where the video is in the stream of a call. Wan of the Fun series puts a reference picture first;
    whatever else a model adds comes after the video."""
    reference = arguments.get("reference_latent")
    start = 0
    if getattr(network, "ref_conv", None) is not None and isinstance(reference, Tensor):
        start = family.tokens_of_frame(*reference.shape[-2:])
    per_frame = family.tokens_of_frame(*arguments["x"].shape[3:])
    return VideoTokens(start, video_frames(arguments, family) * per_frame)
