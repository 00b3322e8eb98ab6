"""A text-to-video model with all that it takes to draw a request, stage by stage or in one call.

Legend: F video frames, H W picture size in pixels, c latent channels, f latent frames, h w latent size.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import replace

import torch
from torch import Tensor

from ..backbones import Backbone, BackboneSpec, Grid
from ..prompts import FrameContext, PromptCache
from ..sampling import EXACT, NEGATIVE, TEXT, Speed, find_speed, in_precision_of
from ..sampling.long import LongSettings, Progress, sample_long
from ..tokens import AudioTokens, audio_words, without_words
from .memory import InPlace, MemoryManager
from .request import Contexts, Video, VideoRequest

# Latent frames decoded at once where memory is no matter: more bring nothing (a CPU's caches are full).
MOST_ON_CPU, MOST_ON_GPU = 8, 32
SEEDS = 2**64  # there are that many


class Watcher:
    """Looks on while a video is made, such as a progress bar. Whatever a method raises ends the run."""

    def take(self, number: int) -> None:
        """A take begins, counted from 0."""

    def sampled(self, step: int, total: int, estimate: Tensor, latents: Tensor) -> None:
        """A step is done, counted from 0; an estimate of the clean latents [1, c, f, h, w], and the noisy
        ones."""

    def decoded(self, done: int, total: int) -> None:
        """So many of all frames are decoded."""


class VideoPipeline:
    """Prompt and audio tokens -> frames, by one frozen text-to-video model.

    `memory` brings the parts of the model to where they run; the default leaves them where they are.
    Prompts that were encoded for an earlier video are not encoded again.
    """

    def __init__(self, backbone: Backbone, memory: MemoryManager | None = None) -> None:
        self.backbone = backbone
        self.memory = InPlace(backbone) if memory is None else memory
        self._prompts = PromptCache()

    @property
    def spec(self) -> BackboneSpec:
        """The facts of the model."""
        return self.backbone.spec

    def generate(
        self,
        request: VideoRequest,
        watcher: Watcher | None = None,
        *,
        progress: Progress | None = None,
        room: Callable[[tuple[int, ...]], Tensor] = torch.empty,
    ) -> Video:
        """Make a video.

        progress  where the steps of a long video are kept until it is done, so that a run can be resumed
        room      makes the tensor of a shape that the frames are put into
        A2VError for a request that does not fit the model, and as `sample_long`.
        """
        request = request.resolved(self.spec)
        latents = self.sample(request, self.encode(request), watcher, progress)
        frames = self.decode_all(request, latents, watcher, room)
        if progress is not None:
            progress.finish()
        return Video(frames, latents, request.fps, request.sound)

    def generate_takes(
        self,
        request: VideoRequest,
        takes: int,
        watcher: Watcher | None = None,
        *,
        progress: Progress | None = None,
        room: Callable[[tuple[int, ...]], Tensor] = torch.empty,
    ) -> Iterator[Video]:
        """Make several videos of a request, with its seed and those after it, one after the other.

        Sound and prompts are encoded once. Arguments as in `generate`.
        """
        request = request.resolved(self.spec)
        for number in range(takes):
            if watcher is not None:
                watcher.take(number)
            settings = replace(request.settings, seed=(request.settings.seed + number) % SEEDS)
            yield self.generate(replace(request, settings=settings), watcher, progress=progress, room=room)

    def encode_prompt(self, prompt: str, tokens: AudioTokens | None, num_frames: int) -> FrameContext:
        """The states of a prompt for every frame. See `Backbone.encode_prompt`."""
        known = self._prompts.find(prompt, tokens, num_frames)
        if known is not None:
            return known
        with self.memory.loaded("text", 0):
            return self._prompts.encode(self.backbone, prompt, tokens, num_frames)

    @torch.no_grad()
    def encode(self, request: VideoRequest) -> Contexts:
        """The texts that sampling a request needs, no others."""
        settings = request.settings_for(self.spec)
        frames, branches = settings.num_frames, settings.branches
        words = () if request.tokens is None else tuple(request.tokens.words)
        prompt = self.encode_prompt(request.prompt, request.tokens, frames)
        negative = text = None
        if NEGATIVE in branches:
            negative = self.encode_prompt(request.negative_prompt, self._negative_tokens(request), frames)
        if TEXT in branches:
            plain = without_words(request.prompt, words)
            tokens = request.tokens if self._has_words(plain) else None
            text = self.encode_prompt(plain, tokens, frames)
        return Contexts(prompt, negative, text)

    def _negative_tokens(self, request: VideoRequest) -> AudioTokens | None:
        if self._has_words(request.negative_prompt):
            return request.negative_tokens or request.tokens
        # Beside a text without words they are heard all the same.
        return None if self.spec.audio == "words" else request.negative_tokens

    def _has_words(self, text: str) -> bool:
        """Whether the text is one that needs audio tokens."""
        return self.spec.audio == "words" and bool(audio_words(text))

    def sample(
        self,
        request: VideoRequest,
        contexts: Contexts,
        watcher: Watcher | None = None,
        progress: Progress | None = None,
    ) -> Tensor:
        """Latents [1, c, f, h, w] of a request, as the denoiser sees them."""
        settings = request.settings_for(self.spec)
        needed = self.backbone.work_bytes(
            "denoiser", self._at_once(settings.grid(self.spec), request.long), len(settings.branches)
        )
        with self.memory.loaded("denoiser", needed):
            batched = settings.batch_guidance and self.memory.free("denoiser") >= needed
            return sample_long(
                self.backbone,
                contexts.prompt,
                contexts.negative,
                replace(settings, batch_guidance=batched),
                request.long,
                None if watcher is None else watcher.sampled,
                text=contexts.text,
                progress=progress,
            )

    def decode(
        self, latents: Tensor, chunk: int = 0, speed: str | Speed = EXACT
    ) -> Generator[Tensor, None, None]:
        """Latents [1, c, f, h, w], as the denoiser sees them, to frames [n, H, W, 3], piece by piece.

        At most `chunk` latent frames at a time, 0 = as many as fit into memory. `speed` says in which
        precision; close the generator to have the VAE back in its own.
        """
        frame = self.backbone.work_bytes("vae", Grid.of(latents).of_frames(1))
        with (
            self.memory.loaded("vae", (chunk or 1) * frame),
            in_precision_of(find_speed(speed), self.backbone, "vae"),
        ):
            yield from self.backbone.decode(latents, chunk or self._fitting(frame))

    def decode_all(
        self,
        request: VideoRequest,
        latents: Tensor,
        watcher: Watcher | None = None,
        room: Callable[[tuple[int, ...]], Tensor] = torch.empty,
    ) -> Tensor:
        """All frames [F, H, W, 3] of a request's latents, in the tensor that `room` makes."""
        settings = request.settings_for(self.spec)
        total, done = settings.num_frames, 0
        frames = room((total, settings.height, settings.width, 3))
        with closing(self.decode(latents, request.decode_chunk, settings.speed)) as parts:
            for part in parts:
                frames[done : done + len(part)] = part.to(frames)
                done += len(part)
                if watcher is not None:
                    watcher.decoded(done, total)
        assert done == total
        return frames

    def _at_once(self, grid: Grid, long: LongSettings | None) -> Grid:
        """What the denoiser works on at once: of a long video one window."""
        window = grid.frames if long is None else long.resolved(self.spec).window
        return grid.of_frames(min(grid.frames, window))

    def _fitting(self, frame: float) -> int:
        """Latent frames that can be decoded at once when one takes `frame` bytes."""
        device = next(self.backbone.parts()["vae"][0].parameters()).device
        most = MOST_ON_CPU if device.type == "cpu" else MOST_ON_GPU
        return int(min(most, max(1.0, self.memory.free("vae") / frame)))
