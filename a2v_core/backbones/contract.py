"""What a text-to-video model offers to sampler, nodes and training: its facts and one small protocol.

Legend: B branches of guidance or clips, c latent channels, F video frames, f latent frames, H W picture size
in pixels, h w latent size, L text positions, C text width, D token width.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor, nn

from ..errors import A2VError
from ..prompts import ContextBatch, FrameContext
from ..schedules import Schedule
from .feature_cache import FeatureCache
from .windows import Windows

if TYPE_CHECKING:
    from ..tokens import AudioTokens
    from .dit import AudioAdapter

Part = Literal["text", "denoiser", "vae"]
PARTS: tuple[Part, ...] = ("text", "denoiser", "vae")


class Grid(NamedTuple):
    """The shape of a clip's latents [1, c, f, h, w]."""

    channels: int
    frames: int
    height: int
    width: int

    @classmethod
    def of(cls, latents: Tensor) -> Grid:
        """That of latents [1, c, f, h, w]."""
        return cls(*latents.shape[1:])

    @property
    def shape(self) -> tuple[int, int, int, int, int]:
        """[1, c, f, h, w]."""
        return 1, *self

    def of_frames(self, frames: int) -> Grid:
        """The same for another number of latent frames."""
        return self._replace(frames=frames)


@dataclass(frozen=True)
class BackboneSpec:
    """The facts of a text-to-video model that others need.

    family         what it is called in messages
    latent_channels, space, time   channels of its latents; pixels and frames of one of them
    first_alone    the first latent frame stands for one video frame, as in models of time-causal VAEs
    size_multiple  width and height in pixels are divisible by it
    native_frames, native_size     frames, and width and height in pixels, of the clips that it was trained on
    token_width    width of the audio words in its prompts; None: the sound comes in beside the text, by frame
                   attention of an adapter, whose audio tokens are as wide as it likes
    latent_format  ComfyUI's name of the latents (`comfy.latent_formats`), for previews
    latent_scale   what latents at ComfyUI's sockets are multiplied by before the denoiser sees them
    """

    family: str
    latent_channels: int
    space: int
    size_multiple: int
    native_frames: int
    native_size: tuple[int, int]
    token_width: int | None
    latent_format: str
    latent_scale: float = 1.0
    time: int = 1
    first_alone: bool = False

    @property
    def audio(self) -> Literal["words", "frame_attention"]:
        """How the sound comes in: as words in the prompt, or beside the text."""
        return "frame_attention" if self.token_width is None else "words"

    @property
    def word_width(self) -> int:
        """Width of the audio words. A2VError for a model that has none in its prompts."""
        if self.token_width is None:
            raise A2VError(
                f"{self.family} has no audio words in its prompts: sound comes in through an audio adapter. "
                "Load one, or choose a model with audio words (ModelScope, Zeroscope, AnimateDiff)"
            )
        return self.token_width

    def grid(self, frames: int, width: int, height: int) -> Grid:
        """The latents of a clip. A2VError for a length or size that cannot be, with the nearest that can."""
        if frames < 1:
            raise A2VError(f"num_frames is {frames}: a video needs at least 1 frame")
        nearest = self.nearest_frames(frames)
        if frames != nearest:
            kind = f"{self.time}n{'+1' if self.first_alone else ''}"
            raise A2VError(
                f"num_frames is {frames}: {self.family} makes videos of {kind} frames, such as {nearest}"
            )
        check_size(width, height, self.size_multiple)
        latent_frames = self.latent_frames(frames)
        return Grid(self.latent_channels, latent_frames, height // self.space, width // self.space)

    def nearest_frames(self, frames: int) -> int:
        """The length nearest to `frames` of a video that can be made."""
        extra = 1 if self.first_alone else 0
        return max(round((frames - extra) / self.time), 1 - extra) * self.time + extra

    def frames_of(self, latent_frame: int) -> range:
        """The video frames that a latent frame stands for."""
        if self.first_alone:
            start = (latent_frame - 1) * self.time + 1
            return range(start, start + self.time) if latent_frame else range(1)
        return range(latent_frame * self.time, (latent_frame + 1) * self.time)

    def latent_frames(self, frames: int) -> int:
        """Latent frames that stand for the first `frames` video frames, at least 1."""
        extra = 1 if self.first_alone else 0
        return max(1, extra + -(-(frames - extra) // self.time))


class Backbone(Protocol):
    """A frozen text-to-video diffusion model that takes a text for every frame.

    Its networks are plain modules that may be moved, cast and patched from outside: device and dtype are read
    from their parameters at every call. `encode_texts` and `denoise` are differentiable.
    """

    @property
    def spec(self) -> BackboneSpec:
        """Its facts."""

    @property
    def device(self) -> torch.device:
        """Where denoising runs now."""

    def parts(self) -> Mapping[Part, Sequence[nn.Module]]:
        """The networks of every part that was loaded, as a memory manager keeps them."""

    def encode_prompt(self, prompt: str, audio_tokens: AudioTokens | None, num_frames: int) -> FrameContext:
        """The text of every latent frame, with audio tokens in the place of audio words."""

    def encode_texts(self, prompts: Sequence[str], words: Mapping[str, Tensor]) -> ContextBatch:
        """The texts of B clips, one prompt each, with words -> [B, F, D]; gradients flow into the words."""

    def denoise(self, x: Tensor, t: Tensor, context: ContextBatch) -> Tensor:
        """What the model predicts [B, c, f, h, w] for noisy latents under B texts.

        x [B, c, f, h, w], or [1, c, f, h, w] for all texts; t one timestep, or [B]. Moved to the model's
        device and dtype.
        """

    def decode(self, latents: Tensor, chunk: int) -> Iterator[Tensor]:
        """Latents [1, c, f, h, w] to frames [n, H, W, 3], float32 0..1 on the CPU, piece by piece.

        `chunk` latent frames at once, which changes memory, not the picture.
        """

    def encode(self, frames: Tensor, chunk: int) -> Tensor:
        """Frames [F, H, W, 3] in 0..1 to latents [1, c, f, h, w], float32 on the CPU.

        `chunk` latent frames at once, as in `decode`.
        """

    def schedule(self, name: str, steps: int, seed: int) -> Schedule:
        """A new schedule of the noise that the model was trained on, by a solver's name. A2VError for one
        that does not solve this kind of model."""

    def work_bytes(self, part: Part, grid: Grid, branches: int = 1) -> int:
        """About the memory that a part works in, weights apart, for latents of this shape."""

    def cancel_points(self) -> Iterable[nn.Module]:
        """Modules of the denoiser that run often enough for a user who waits for Cancel."""

    def fingerprint(self) -> bytes:
        """Says models apart whose predictions may differ: by their kind, settings and weights."""


@runtime_checkable
class FeatureReuse(Protocol):
    """A backbone that can take some results of a step from an earlier one."""

    def denoise_cached(self, x: Tensor, t: Tensor, context: ContextBatch, cache: FeatureCache) -> Tensor:
        """As `Backbone.denoise`, without gradients; keeps results in `cache`, or takes them from it."""


@runtime_checkable
class WindowedAttention(Protocol):
    """A backbone whose temporal attention can look at windows; the rest sees each frame once."""

    def denoise_windowed(
        self, x: Tensor, t: Tensor, context: ContextBatch, windows: Windows, long: LongWork
    ) -> Tensor:
        """As `Backbone.denoise` for any f, without gradients, with the working memory of one window."""


@runtime_checkable
class HalfPrecision(Protocol):
    """A backbone that can compute in bfloat16 for a while."""

    def bfloat16(self, part: Part) -> AbstractContextManager[None]:
        """While it lasts, a part of a model on a CPU computes in bfloat16; then its weights are as before."""


@runtime_checkable
class Recompute(Protocol):
    """A backbone that can be trained through in little memory (gradient checkpointing)."""

    def recompute_activations(self) -> Callable[[], None]:
        """From now on activations are computed again in backward; returns what undoes it."""


@runtime_checkable
class CompiledBlocks(Protocol):
    """A backbone whose denoiser can run through torch.compile."""

    def compile_blocks(self) -> Callable[[], None]:
        """From now on the denoiser's blocks run compiled without gradients; returns what undoes it.

        The first clip of a size takes minutes. Needs a C++ compiler on a CPU, Triton on a GPU.
        """


@runtime_checkable
class OffloadedWeights(Protocol):
    """A backbone whose denoiser can run on a device that is too small for its weights."""

    def offload_weights(self, device: torch.device | str) -> Callable[[], None]:
        """The denoiser runs on `device`, its large weights stay in the CPU's memory and are copied layer by
        layer; returns what undoes it."""


@runtime_checkable
class WordEmbeddings(Protocol):
    """A backbone whose words have embeddings that audio tokens can be compared with."""

    def word_embeddings(self, words: Sequence[str]) -> Tensor:
        """Of every word the sum of its tokens' embeddings, [N, D]."""


class BlockStack(NamedTuple):
    """The blocks of a video DiT: their number, width C of their video tokens, and of the text."""

    number: int
    width: int
    text_width: int


@runtime_checkable
class AudioAdapted(Protocol):
    """A backbone whose sound comes in beside the text, through an audio adapter (`backbones.dit`).

    Its texts are the same whatever the sound is, and can be kept.
    """

    @property
    def block_stack(self) -> BlockStack:
        """What an adapter has to fit."""

    def use_adapter(self, adapter: AudioAdapter | None) -> None:
        """From now on sound comes in through this adapter; None: there is no sound. A2VError for one that
        does not fit."""

    def encode_captions(self, prompts: Sequence[str]) -> Tensor:
        """The states of B texts alone [B, L, C], without gradients."""

    def context_of(self, states: Tensor, words: Mapping[str, Tensor], gate: Tensor) -> ContextBatch:
        """`Backbone.encode_texts` of captions that are encoded already: states [B, L, C] with
        word -> [B, F, D] beside them, and a gate [B, 1]."""


class LongWork(NamedTuple):
    """How windowed work is done: latent frames of a window, whether the last frame meets the first, and
    whether activations are kept in CPU memory between layers (None: where the GPU's is too small)."""

    window: int
    closed_loop: bool = False
    on_cpu: bool | None = None


Capability = TypeVar("Capability")


def require(backbone: Backbone, capability: type[Capability], what: str) -> Capability:
    """The backbone as one with a capability; A2VError that names what asks for it and the family."""
    if not isinstance(backbone, capability):
        raise A2VError(
            f"{what}: {backbone.spec.family} cannot do that (it lacks {capability.__name__}); choose another "
            "setting, or another text-to-video model"
        )
    return backbone


def networks(backbone: Backbone) -> list[nn.Module]:
    """The networks of all parts that were loaded."""
    return [network for part in backbone.parts().values() for network in part]


def to_device(backbone: Backbone, device: torch.device | str) -> None:
    """Move all networks that were loaded."""
    for network in networks(backbone):
        network.to(device)


def check_size(width: int, height: int, multiple: int) -> None:
    """A2VError when a picture size is not positive and divisible by `multiple`; names the nearest that is."""
    for name, value in (("width", width), ("height", height)):
        if value < multiple or value % multiple:
            nearest = max(multiple, multiple * round(value / multiple))
            raise A2VError(f"{name} is {value} pixels: it must be divisible by {multiple}, such as {nearest}")
