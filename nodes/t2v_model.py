"""What flows through the A2V_T2V_MODEL socket: a backbone whose three networks ComfyUI keeps.

Legend: F video frames, h w latent size.
"""

from __future__ import annotations

import copy
from collections.abc import Generator, Mapping
from dataclasses import replace
from pathlib import Path

from torch import Tensor

from ..a2v_core.backbones.unet3d import NATIVE_FRAMES, UNet3DBackbone
from ..a2v_core.prompts import FrameContext, PromptMemory
from ..a2v_core.sampling import (
    EXACT,
    NEGATIVE,
    PROMPT,
    TEXT,
    SampleSettings,
    StepCallback,
    find_speed,
    in_precision_of,
)
from ..a2v_core.sampling.long import LongSettings, Progress, sample_long
from ..a2v_core.tokens import AudioTokens, audio_words, without_words
from . import runtime
from .lora import lora_patches

# Room for work per latent pixel and byte of precision: ComfyUI's estimates for SD 1.x, twice as much for the
# UNet, whose temporal layers keep every frame.
_UNET_BYTES = 21000
_VAE_BYTES = 2178 * 64

# Pictures decoded at once where memory is no matter: more bring nothing (a CPU's caches are full before).
_MOST_ON_CPU, _MOST_ON_GPU = 8, 32

_SD_SIZE = 32  # in latent pixels: ModelScope's 256 x 256, for a config that does not say


class ManagedT2V:
    """Text encoder, UNet and VAE are loaded one after the other, each when its turn comes."""

    def __init__(self, backbone: UNet3DBackbone) -> None:
        self.backbone = backbone
        text_devices = runtime.text_devices()
        if text_devices[0].type == "cpu":
            backbone.text_encoder.float()  # half precision is slow there
        self._text = runtime.Managed(backbone.text_encoder, text_devices)
        self._unet = runtime.Managed(backbone.unet, runtime.unet_devices())
        self._vae = runtime.Managed(backbone.vae, runtime.vae_devices())
        self._memory = PromptMemory()
        self._base: ManagedT2V | None = None  # keeps what `loaded.py` finds again

    def with_lora(self, path: Path | None, strength: float) -> ManagedT2V:
        """The same model, its networks shared, with a LoRA on the UNet while it samples; None: without."""
        twin = copy.copy(self)
        twin._base = self
        if path is not None:
            twin._unet = self._unet.patched(lora_patches(path, self.backbone.unet, self._unet, strength))
        return twin

    @property
    def native_size(self) -> tuple[int, int]:
        """Width and height in pixels of the clips that the UNet was trained on, as its config says."""
        size, factor = self.backbone.unet.config.sample_size or _SD_SIZE, self.backbone.vae_scale_factor
        height, width = (size, size) if isinstance(size, int) else size
        return width * factor, height * factor

    @property
    def latent_scale(self) -> float:
        """What ComfyUI's LATENT is multiplied with before the UNet sees it."""
        return float(self.backbone.vae.config.scaling_factor)

    def encode_prompt(self, prompt: str, audio_tokens: AudioTokens | None, num_frames: int) -> FrameContext:
        """States of a prompt for every frame; what was encoded for an earlier run is not encoded again."""
        known = self._memory.find(prompt, audio_tokens, num_frames)
        if known is not None:
            return known
        self._text.load()
        return self._memory.encode(self.backbone, prompt, audio_tokens, num_frames)

    def encode_prompts(
        self, prompt: str, negative: str, audio_tokens: AudioTokens | None, settings: SampleSettings
    ) -> dict[str, FrameContext]:
        """States of what guidance needs of the prompt, the negative prompt and the text without its sound."""
        words = () if audio_tokens is None else tuple(audio_tokens.words)
        texts = {PROMPT: prompt, NEGATIVE: negative, TEXT: without_words(prompt, words)}
        contexts = {}
        for name in (PROMPT, *(branch for branch in settings.branches if branch != PROMPT)):
            text = texts[name]
            heard = audio_tokens if name == PROMPT or audio_words(text) else None
            contexts[name] = self.encode_prompt(text, heard, settings.num_frames)
        return contexts

    def sample(
        self,
        contexts: Mapping[str, FrameContext],
        settings: SampleSettings,
        callback: StepCallback,
        long: LongSettings | None = None,
        progress: Progress | None = None,
    ) -> Tensor:
        """Latents [F, 4, h, w] as the UNet sees them. `callback` and Cancel end it, also within a step."""
        unet, factor = self.backbone.unet, self.backbone.vae_scale_factor
        # The working memory of a long video is that of a window; what waits for its layer finds a place.
        at_once = settings.num_frames if long is None else min(settings.num_frames, NATIVE_FRAMES)
        pixels = at_once * settings.width * settings.height / factor**2
        needed = len(settings.branches) * pixels * _UNET_BYTES * unet.dtype.itemsize
        self._unet.load(needed)
        settings = replace(settings, batch_guidance=runtime.free_memory(self.backbone.device) >= needed)
        blocks = [*unet.down_blocks, *unet.up_blocks]
        # Long videos go through the parts of the blocks one by one, chunk by chunk.
        with runtime.cancel_points([*blocks, *(resnet for block in blocks for resnet in block.resnets)]):
            latents = sample_long(
                self.backbone,
                contexts[PROMPT],
                contexts.get(NEGATIVE),
                settings,
                long,
                callback,
                text=contexts.get(TEXT),
                progress=progress,
            )
        return latents[0].movedim(0, 1)

    def decode(self, latents: Tensor, chunk: int = 0, speed: str = EXACT) -> Generator[Tensor, None, None]:
        """Latents [F, 4, h, w] as the UNet sees them to pictures [n, H, W, 3], n <= `chunk` at a time.

        `chunk` 0 = as many as fit into the memory that is free. `speed` says in which precision; close it to
        have the VAE back in its own.
        """
        vae = self.backbone.vae
        frame = latents.shape[-1] * latents.shape[-2] * _VAE_BYTES * vae.dtype.itemsize
        self._vae.load((chunk or 1) * frame)
        device = next(vae.parameters()).device
        most = _MOST_ON_CPU if device.type == "cpu" else _MOST_ON_GPU
        fitting = chunk or min(most, max(1, int(runtime.free_memory(device) / frame)))
        with in_precision_of(find_speed(speed), self.backbone, "vae"):
            yield from self.backbone.decode_chunks(latents, fitting)
