"""A text-to-video UNet with a CLIP text encoder and a VAE of pictures: all but how it denoises.

Legend: B clips, c latent channels, F frames (of video and latents alike), h w latent size, H W picture size,
D token width.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ...devices import free_bytes
from ...layers import in_bfloat16, use_onednn_layers
from ...prompts import ContextBatch, FrameContext, encode_clips, encode_prompt
from ...schedules import DEFAULT_SCHEDULER, NoiseSchedule
from .. import image_vae
from ..contract import BackboneSpec, Grid, LongWork, Part
from ..feature_cache import FeatureCache
from ..fingerprint import fingerprint_of
from ..windows import Windows
from . import chunked
from .patches import checkpoint_blocks, checkpoint_layers, compile_blocks, offload_weights
from .temporal import Plan
from .units import attention_layers
from .whole import evaluate, understands

if TYPE_CHECKING:
    from ...tokens import AudioTokens

# Room for work per latent pixel and byte of precision: ComfyUI's estimates for SD 1.x, twice as much for the
# UNet, whose temporal layers keep every frame.
UNET_BYTES = 21000
VAE_BYTES = 2178 * 64


@dataclass
class CLIPUNet(ABC):
    """A text-to-video model as `Backbone` asks for it, but for `denoise`. What was not loaded is None.

    unet: a UNet of diffusers. vae: AutoencoderKL. text_encoder: transformers CLIPTextModel. tokenizer:
    CLIPTokenizer. scheduler_config: the noise schedule that the UNet was trained on.
    """

    unet: Any
    vae: Any
    text_encoder: Any
    tokenizer: Any
    scheduler_config: Mapping[str, Any]
    spec: BackboneSpec

    def __post_init__(self) -> None:
        if self.unet is not None:
            use_onednn_layers(self.unet)

    @property
    def device(self) -> torch.device:
        device: torch.device = next((self.vae if self.unet is None else self.unet).parameters()).device
        return device

    def parts(self) -> Mapping[Part, Sequence[nn.Module]]:
        """See `Backbone.parts`."""
        parts: dict[Part, Any] = {"text": self.text_encoder, "denoiser": self.unet, "vae": self.vae}
        return {name: (network,) for name, network in parts.items() if network is not None}

    def encode_prompt(self, prompt: str, audio_tokens: AudioTokens | None, num_frames: int) -> FrameContext:
        """See `prompts.encode_prompt`."""
        return encode_prompt(self.text_encoder, self.tokenizer, prompt, audio_tokens, num_frames)

    def encode_texts(self, prompts: Sequence[str], words: Mapping[str, Tensor]) -> ContextBatch:
        """See `prompts.encode_clips`."""
        return ContextBatch(encode_clips(self.text_encoder, self.tokenizer, prompts, words))

    def denoise_cached(self, x: Tensor, t: Tensor, context: ContextBatch, cache: FeatureCache) -> Tensor:
        """See `FeatureReuse`."""
        if not understands(self.unet):
            return self.denoise(x, t, context)
        with cache.attention(attention_layers(self.unet)):
            return evaluate(self.unet, *self._ready(x, t, context), cache)

    def denoise_windowed(
        self, x: Tensor, t: Tensor, context: ContextBatch, windows: Windows, long: LongWork
    ) -> Tensor:
        """See `WindowedAttention`: as many frames at once as all texts of one window have together."""
        run = self._denoise_long
        if len(x) == 1:
            return run(x, t, context.states, windows, long)
        parts = [slice(b, b + 1) for b in range(len(x))]
        return torch.cat([run(x[b], t, context.states[b], windows, long) for b in parts])

    def word_embeddings(self, words: Sequence[str]) -> Tensor:
        """See `WordEmbeddings`."""
        table: Tensor = self.text_encoder.get_input_embeddings().weight
        tokens = [self.tokenizer(word, add_special_tokens=False).input_ids for word in words]
        return torch.stack([table[ids].sum(0) for ids in tokens]).detach()

    def schedule(self, name: str = DEFAULT_SCHEDULER, steps: int = 1, seed: int = 0) -> NoiseSchedule:
        """See `Backbone.schedule`."""
        return NoiseSchedule(self.scheduler_config, name, steps, seed, self.device)

    def work_bytes(self, part: Part, grid: Grid, branches: int = 1) -> int:
        """See `Backbone.work_bytes`."""
        pixels = grid.frames * grid.height * grid.width
        if part == "text":
            return 0
        if part == "vae":
            return pixels * VAE_BYTES * int(self.vae.dtype.itemsize)
        return branches * pixels * UNET_BYTES * int(self.unet.dtype.itemsize)

    def cancel_points(self) -> Iterable[nn.Module]:
        """See `Backbone.cancel_points`."""
        blocks = [*self.unet.down_blocks, *self.unet.up_blocks]
        # Long videos go through the parts of the blocks one by one, chunk by chunk.
        return [*blocks, *(resnet for block in blocks for resnet in block.resnets)]

    def fingerprint(self) -> bytes:
        """See `Backbone.fingerprint`: of the UNet as it is now, patches on its weights included."""
        return fingerprint_of(self.unet, {**self.unet.config, "schedule": dict(self.scheduler_config)})

    def bfloat16(self, part: Part) -> AbstractContextManager[None]:
        """See `HalfPrecision`."""
        return in_bfloat16(self.parts()[part][0])

    def recompute_activations(self) -> Callable[[], None]:
        """See `Recompute`: of the UNet's blocks and the text encoder's layers, which run once per frame."""
        undo = checkpoint_blocks(self.unet), checkpoint_layers(self.text_encoder)

        def undo_both() -> None:
            for one in undo:
                one()

        return undo_both

    def compile_blocks(self) -> Callable[[], None]:
        """See `CompiledBlocks`."""
        return compile_blocks(self.unet)

    def offload_weights(self, device: torch.device | str) -> Callable[[], None]:
        """See `OffloadedWeights`."""
        return offload_weights(self.unet, device)

    @abstractmethod
    def denoise(self, x: Tensor, t: Tensor, context: ContextBatch) -> Tensor:
        """See `Backbone.denoise`."""

    def decode(self, latents: Tensor, chunk: int = 8) -> Iterator[Tensor]:
        """See `image_vae.decode_chunks`."""
        return image_vae.decode_chunks(self.vae, latents[0].transpose(0, 1), chunk)

    def encode(self, frames: Tensor, chunk: int = 8) -> Tensor:
        """See `image_vae.encode`."""
        return image_vae.encode(self.vae, frames, chunk).transpose(0, 1)[None]

    def _ready(self, x: Tensor, t: Tensor, context: ContextBatch) -> tuple[Tensor, Tensor, Tensor]:
        weight = next(self.unet.parameters())
        states = context.states.to(weight.device, weight.dtype)
        return x.to(weight.device, weight.dtype), torch.as_tensor(t).to(weight.device), states

    def _denoise_long(self, x: Tensor, t: Tensor, texts: Tensor, windows: Windows, long: LongWork) -> Tensor:
        device, frames = self.device, x[0].transpose(0, 1)
        on_cpu = long.on_cpu
        if on_cpu is None:
            on_cpu = chunked.activation_bytes(self.unet, frames) > free_bytes(device) / 2
        kept_on = torch.device("cpu") if on_cpu else device
        plan = Plan(windows.to(device), long.window * len(texts), device, kept_on, long.closed_loop)
        predicted = chunked.denoise_long(self.unet, frames, torch.as_tensor(t), texts, plan)
        return predicted.transpose(1, 2).to(x.device)


def spec_of(
    family: str,
    frames: int,
    pixels: int,
    unet: Mapping[str, Any],
    vae: Mapping[str, Any],
    token_width: int,
) -> BackboneSpec:
    """The facts of a model, from the configs of its UNet and VAE and the width of its text embeddings.

    `frames` of the clips that the family was trained on; `pixels` of their sides where the config says none.
    """
    factor = image_vae.scale_factor(vae)
    size = unet.get("sample_size") or pixels // factor
    height, width = (size, size) if isinstance(size, int) else size
    return BackboneSpec(
        family=family,
        latent_channels=int(unet["in_channels"]),
        space=factor,
        size_multiple=factor,
        native_frames=frames,
        native_size=(width * factor, height * factor),
        token_width=token_width,
        latent_format="SD15",
        latent_scale=float(vae["scaling_factor"]),
    )
