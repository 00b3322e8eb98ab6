"""What flows through the A2V_T2V_MODEL socket: a text-to-video model whose networks ComfyUI keeps.

Legend: c latent channels, f latent frames, h w latent size, H W picture size.
"""

from __future__ import annotations

import copy
from collections.abc import Generator, Mapping
from dataclasses import replace
from pathlib import Path

from torch import Tensor

from ..a2v_core.backbones import Backbone, BackboneSpec, Grid, Part
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

# Pictures decoded at once where memory is no matter: more bring nothing (a CPU's caches are full before).
_MOST_ON_CPU, _MOST_ON_GPU = 8, 32


class ManagedT2V:
    """Text encoder, denoiser and VAE are loaded one after the other, each when its turn comes."""

    def __init__(self, backbone: Backbone) -> None:
        self.backbone = backbone
        devices = {
            "text": runtime.text_devices(),
            "denoiser": runtime.unet_devices(),
            "vae": runtime.vae_devices(),
        }
        parts = backbone.parts()
        if devices["text"][0].type == "cpu":
            for network in parts["text"]:
                network.float()  # half precision is slow there
        self._parts: dict[Part, list[runtime.Managed]] = {
            part: [runtime.Managed(network, devices[part]) for network in networks]
            for part, networks in parts.items()
        }
        self._memory = PromptMemory()
        self._base: ManagedT2V | None = None  # keeps what `loaded.py` finds again

    @property
    def spec(self) -> BackboneSpec:
        """The facts of the model."""
        return self.backbone.spec

    def with_lora(self, path: Path | None, strength: float) -> ManagedT2V:
        """The same model, its networks shared, with a LoRA on the denoiser while it samples; or none."""
        twin = copy.copy(self)
        twin._base = self
        if path is not None:
            networks = self.backbone.parts()["denoiser"]
            patched = [
                managed.patched(lora_patches(path, network, managed, strength))
                for network, managed in zip(networks, self._parts["denoiser"], strict=True)
            ]
            twin._parts = {**self._parts, "denoiser": patched}
        return twin

    def encode_prompt(self, prompt: str, audio_tokens: AudioTokens | None, num_frames: int) -> FrameContext:
        """States of a prompt for every frame; what was encoded for an earlier run is not encoded again."""
        known = self._memory.find(prompt, audio_tokens, num_frames)
        if known is not None:
            return known
        self._load("text", 0)
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
        """Latents [1, c, f, h, w] as the denoiser sees them. `callback` and Cancel end it, in a step too."""
        settings = settings.resolved(self.spec)
        grid = settings.grid(self.spec)
        # The working memory of a long video is that of a window; what waits for its layer finds a place.
        window = grid.frames if long is None else self.spec.latent_frames(self.spec.native_frames)
        at_once = grid.of_frames(min(grid.frames, window))
        needed = self.backbone.work_bytes("denoiser", at_once, len(settings.branches))
        self._load("denoiser", needed)
        settings = replace(settings, batch_guidance=runtime.free_memory(self.backbone.device) >= needed)
        with runtime.cancel_points(self.backbone.cancel_points()):
            return sample_long(
                self.backbone,
                contexts[PROMPT],
                contexts.get(NEGATIVE),
                settings,
                long,
                callback,
                text=contexts.get(TEXT),
                progress=progress,
            )

    def decode(self, latents: Tensor, chunk: int = 0, speed: str = EXACT) -> Generator[Tensor, None, None]:
        """Latents [1, c, f, h, w] as the denoiser sees them to pictures [n, H, W, 3], piece by piece.

        At most `chunk` latent frames at a time, 0 = as many as fit into the memory that is free. `speed` says
        in which precision; close it to have the VAE back in its own.
        """
        frame = self.backbone.work_bytes("vae", Grid.of(latents).of_frames(1))
        self._load("vae", (chunk or 1) * frame)
        device = self._parts["vae"][0].device
        most = _MOST_ON_CPU if device.type == "cpu" else _MOST_ON_GPU
        fitting = chunk or min(most, max(1, int(runtime.free_memory(device) / frame)))
        with in_precision_of(find_speed(speed), self.backbone, "vae"):
            yield from self.backbone.decode(latents, fitting)

    def _load(self, part: Part, memory: float) -> None:
        for managed in self._parts[part]:
            managed.load(memory)
