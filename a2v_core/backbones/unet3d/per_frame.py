"""A different text for every video frame in a stock UNet3DConditionModel.

The published code of TempoTokens vendors the UNet to drop one line, which repeats the text for all frames
(diffusers, unet_3d_condition.py: `encoder_hidden_states.repeat_interleave(num_frames)`). Here the UNet stays
stock: forward pre-hooks on the blocks that hold the spatial transformers swap the repeated text for one row
of text per frame. The temporal layers never see text, before or after.

The text reaches a block as an ordinary keyword argument. So gradients flow into it, and checkpointing a
block's forward (`clip_unet/patches.py`) recomputes it with the same text without any hook being active.

Legend: B batch, F video frames, L text positions, C text width, h w latent size.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from ...errors import A2VError
from ..clip_unet import blocks, sees_text

_INSTALLED = "_a2v_per_frame_text"


class PerFrameText:
    """The hooks of one UNet; made by ``per_frame_text``. ``remove()`` makes the UNet stock again.

    Usable as a context manager that removes the hooks at its end.
    """

    def __init__(self, unet: nn.Module) -> None:
        self._rows: Tensor | None = None
        self._unet = unet
        self._handles = [
            unet.register_forward_pre_hook(self._take_text, with_kwargs=True),
            unet.register_forward_hook(self._drop_text, always_call=True),
        ]
        self._handles += [
            block.register_forward_pre_hook(self._give_text, with_kwargs=True) for block in text_blocks(unet)
        ]

    def _take_text(
        self, unet: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Keeps per-frame text [B, F, L, C] aside and lets the UNet repeat one row of it instead."""
        text = kwargs["encoder_hidden_states"] if "encoder_hidden_states" in kwargs else args[2]
        if text.ndim != 4:
            self._rows = None
            return args, kwargs
        latents = kwargs["sample"] if "sample" in kwargs else args[0]
        if tuple(text.shape[:2]) != (latents.shape[0], latents.shape[2]):
            raise A2VError(
                f"Per-frame text of {text.shape[0]} clips x {text.shape[1]} frames does not fit latents of "
                f"{latents.shape[0]} clips x {latents.shape[2]} frames. Encode the prompt for as many "
                "frames as are sampled."
            )
        # One short row is enough for the repetition inside the UNet; nothing reads the result.
        placeholder = text[:, 0, :1].detach()
        self._rows = text.flatten(0, 1)
        if "encoder_hidden_states" in kwargs:
            return args, {**kwargs, "encoder_hidden_states": placeholder}
        return (*args[:2], placeholder, *args[3:]), kwargs

    def _give_text(
        self, block: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        if self._rows is None:
            return None
        return args, {**kwargs, "encoder_hidden_states": self._rows}

    def _drop_text(self, unet: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        # Runs after an error too: neither memory nor an autograd graph outlives the call.
        self._rows = None

    def remove(self) -> None:
        """Takes the hooks out."""
        for handle in self._handles:
            handle.remove()
        self._handles = []
        if getattr(self._unet, _INSTALLED, None) is self:
            delattr(self._unet, _INSTALLED)

    def __enter__(self) -> PerFrameText:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()


def text_blocks(unet: nn.Module) -> list[nn.Module]:
    """The blocks of a UNet3DConditionModel that hand text to spatial transformers, in order of execution."""
    return [block for block in blocks(unet) if sees_text(block)]


def per_frame_text(unet: nn.Module) -> PerFrameText:
    """Lets ``unet(latents, t, text)`` take text [B, F, L, C], one per frame, beside the stock [B, L, C].

    Installing twice is the same as once. Works in training and inference, in any dtype, under torch.compile.
    """
    installed = getattr(unet, _INSTALLED, None)
    if isinstance(installed, PerFrameText):
        return installed
    hooks = PerFrameText(unet)
    # Not a submodule and not in the state dict: a plain attribute.
    object.__setattr__(unet, _INSTALLED, hooks)
    return hooks


def denoise(unet: nn.Module, latents: Tensor, t: Tensor | float, context: Tensor) -> Tensor:
    """What the UNet predicts (noise or velocity) for noisy latents, with a text for every frame.

    latents [B, 4, F, h, w], or [1, 4, F, h, w] for all B; t one timestep or [B]; context [B, F, L, C].
    Latents and context are moved to the device and dtype of the UNet; the result keeps that dtype. Gradients
    flow into latents and context.
    Returns [B, 4, F, h, w]. A2VError when context and latents disagree on clips or frames.
    """
    per_frame_text(unet)
    weight = next(unet.parameters())
    if isinstance(t, Tensor):
        t = t.to(weight.device)
    if len(latents) == 1:
        latents = latents.expand(len(context), -1, -1, -1, -1)
    prediction: Tensor = unet(
        latents.to(weight.device, weight.dtype), t, context.to(weight.device, weight.dtype), return_dict=False
    )[0]
    return prediction
