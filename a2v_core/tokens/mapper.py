"""AudioMapper: audio features -> a pseudo-word token per frame -> temporal context pooling.

Two layouts, part of a checkpoint and never guessed:

* `reference`, as published: 24 frames a chunk. Every (step, frequency) patch is a token of its own; the
  tokens of a chunk, time-major with frequency fastest, are cut into 24 equal groups and averaged between the
  last but one linear layer and its GELU. Windows are half-open and end at the chunk; `class` is pooled per
  chunk.
* `time_aligned`: frequency is averaged first, steps are interpolated to the middle of every frame, windows
  are symmetric and `class` is pooled over the whole clip.

Legend: B clips, L encoder layers, T audio steps, Q frequency patches, F frames, G frames made (F, in
`reference` the next multiple of 24), D token width. Times in seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch
import torch.nn.functional as nnf
from torch import Tensor, nn

from ..errors import A2VError
from .config import MapperConfig
from .pooling import AttentivePooling
from .timing import CHUNK_FRAMES, chunk_steps, frames_for, interpolate_steps
from .types import AudioTokens, FrameTokens
from .windows import half_open_mean, symmetric_mean

if TYPE_CHECKING:
    from ..audio import AudioFeatures


class AudioMapper(nn.Module):
    """The trained part of the method: an MLP and attentive pooling.

    With the default config its state dict has the 17 keys of the published `learned_embeds.pth`; a mapper
    trained with condition dropout also has `no_sound` [D]. Training calls it on a batch of clips;
    inference takes `frame_tokens` and `pool` apart, on the same code.
    """

    def __init__(self, config: MapperConfig | None = None) -> None:
        super().__init__()
        self.config = config or MapperConfig()
        widths = self.config.widths
        for number in range(self.config.depth):
            self.add_module(f"fc{number + 1}", nn.Linear(widths[number], widths[number + 1]))
        self.fga = AttentivePooling(self.config.output_size)
        if self.config.no_sound:
            self.no_sound = nn.Parameter(0.02 * torch.randn(self.config.output_size))

    def forward(self, features: Tensor, times: Tensor, num_frames: int, fps: float) -> dict[str, Tensor]:
        """B clips at once, differentiable: features [B, T, Q, L*D_layer], times [T] -> word -> [B, F, D].

        `features` comes from `stack_layers`; in `time_aligned` Q may already be averaged to 1. `times` holds
        the start of every step and is shared by the clips. Raises A2VError for features of another width.
        """
        words = self.pool_words(self.map_features(features, times, num_frames, fps))
        return {word: tokens[:, :num_frames] for word, tokens in words.items()}

    def map_features(self, features: Tensor, times: Tensor, num_frames: int, fps: float) -> Tensor:
        """features [B, T, Q, L*D_layer], times [T] -> tokens [B, G, D], before temporal context pooling."""
        self._check_features(features)
        if num_frames < 1:
            raise A2VError(f"num_frames is {num_frames}; expected at least 1 here")
        frames_for(0.0, fps, num_frames)
        if self.config.layout == "reference":
            return self._chunked_tokens(features, times, num_frames, fps)
        return self._aligned_tokens(features, times, num_frames, fps)

    def pool_words(self, tokens: Tensor) -> dict[str, Tensor]:
        """Temporal context pooling: tokens [B, G, D] -> word -> [B, G, D], for the words of the config."""
        if self.config.layout == "time_aligned":
            return self._pool_piece(tokens)
        whole = tokens.shape[1] // CHUNK_FRAMES * CHUNK_FRAMES
        pieces = [self._pool_chunks(tokens[:, :whole])] if whole else []
        if whole < tokens.shape[1]:
            pieces.append(self._pool_piece(tokens[:, whole:]))
        return {word: torch.cat([piece[word] for piece in pieces], dim=1) for word in pieces[0]}

    def attention(self, tokens: Tensor) -> Tensor:
        """How much every frame counts in `class`: tokens [B, G, D] -> [B, G]; 1 = as much as the mean frame.

        The weights of attentive pooling (equation 4, a softmax over frames) times the number of frames that
        are pooled together, so that clips of any length compare.
        """
        whole = tokens.shape[1] // CHUNK_FRAMES * CHUNK_FRAMES if self.config.layout == "reference" else 0
        chunks = tokens[:, :whole].reshape(-1, CHUNK_FRAMES, tokens.shape[-1])
        pieces = [self._relative_weights(chunks).reshape(-1, whole)] if whole else []
        if whole < tokens.shape[1]:
            pieces.append(self._relative_weights(tokens[:, whole:]))
        return torch.cat(pieces, dim=1)

    def drop_sound(self, tokens: Tensor, dropped: Tensor) -> Tensor:
        """Tokens [B, G, D] with the "no sound" token at every frame of the clips in `dropped`, bool [B].

        Every word of such a clip is this token: windows and attentive pooling average like with like. Raises
        A2VError for a mapper that holds none.
        """
        self._check_no_sound()
        return torch.where(dropped[:, None, None].to(tokens.device), self.no_sound.to(tokens), tokens)

    @torch.no_grad()
    def no_sound_tokens(self, num_frames: int, fps: float) -> FrameTokens:
        """The tokens of no sound, for the unconditional branch of guidance. A2VError as `drop_sound`."""
        self._check_no_sound()
        frames = frames_for(0.0, fps, num_frames)
        return FrameTokens(self.no_sound.detach().repeat(frames, 1), float(fps), self.config.layout)

    @torch.no_grad()
    def frame_tokens(
        self, features: AudioFeatures, num_frames: int, fps: float, index: int = 0
    ) -> FrameTokens:
        """The tokens of one sound of the batch: [F, D] at `fps`, `num_frames` 0 = as long as the sound.

        Past the end of the sound its last step is repeated. Raises A2VError for another encoder's features,
        an index that is not in the batch, and an invalid fps or frame count.
        """
        if not 0 <= index < len(features.layers):
            raise A2VError(
                f"batch index is {index}, but there are {len(features.layers)} sounds, counted from 0"
            )
        frames = frames_for(features.duration, fps, num_frames)
        layers = features.layers[index : index + 1]
        if self.config.layout == "time_aligned":
            layers = layers.mean(dim=3, keepdim=True)
        stacked = stack_layers(layers, self.config.layers).to(self._like)
        tokens = self.map_features(stacked, features.times, frames, fps)[0]
        return FrameTokens(tokens[:frames], float(fps), self.config.layout, tail=tokens[frames:])

    @torch.no_grad()
    def pool(self, frame_tokens: FrameTokens) -> AudioTokens:
        """Temporal context pooling of one sound. Raises A2VError for tokens of another layout or width."""
        made, own = (frame_tokens.layout, frame_tokens.width), (self.config.layout, self.config.output_size)
        if made != own:
            raise A2VError(
                f"frame tokens of layout {made[0]} and width {made[1]} do not fit this AudioMapper of layout "
                f"{own[0]} and width {own[1]}; use the mapper that made them"
            )
        tokens = frame_tokens.tokens
        if frame_tokens.tail is not None:
            tokens = torch.cat([tokens, frame_tokens.tail])
        clip, frames = tokens[None].to(self._like), frame_tokens.num_frames
        words = {word: pooled[0, :frames] for word, pooled in self.pool_words(clip).items()}
        attention = self.attention(clip)[0, :frames] if "class" in words else None
        return AudioTokens(words, frame_tokens.fps, attention)

    def _chunked_tokens(self, features: Tensor, times: Tensor, num_frames: int, fps: float) -> Tensor:
        batch, patches = features.shape[0], features.shape[2]
        index = chunk_steps(times, num_frames, fps, patches).to(features.device)
        # The MLP runs once per step, however many chunks share it.
        steps, position = index.unique(return_inverse=True)
        hidden = self._layers(features[:, steps], 1, self.config.depth - 1)
        grouped = hidden[:, position].reshape(batch, position.shape[0] * CHUNK_FRAMES, -1, hidden.shape[-1])
        return self._layers(nnf.gelu(grouped.mean(dim=2)), self.config.depth, self.config.depth)

    def _aligned_tokens(self, features: Tensor, times: Tensor, num_frames: int, fps: float) -> Tensor:
        # The first layer is linear and interpolation weights sum to 1, so interpolating after it gives the
        # same numbers at the price of one product per step instead of one per frame.
        hidden = self._layers(features.mean(dim=2), 1, 1)
        return self._layers(nnf.gelu(interpolate_steps(hidden, times, num_frames, fps)), 2, self.config.depth)

    def _layers(self, x: Tensor, first: int, last: int) -> Tensor:
        """Linear layers `first` to `last` (counted from 1) with a GELU between each two."""
        for number in range(first, last + 1):
            x = self.get_submodule(f"fc{number}")(x)
            x = nnf.gelu(x) if number < last else x
        return x

    def _pool_chunks(self, tokens: Tensor) -> dict[str, Tensor]:
        """[B, n * 24, D]: every 24 frames on their own, as separate runs of the published code."""
        chunks = tokens.reshape(-1, CHUNK_FRAMES, tokens.shape[-1])
        return {word: pooled.reshape(tokens.shape) for word, pooled in self._pool_piece(chunks).items()}

    def _relative_weights(self, tokens: Tensor) -> Tensor:
        return self.fga.weights(tokens) * tokens.shape[1]

    def _pool_piece(self, tokens: Tensor) -> dict[str, Tensor]:
        """[B, F, D] -> word -> [B, F, D], no chunks."""
        mean = half_open_mean if self.config.layout == "reference" else symmetric_mean
        words = {}
        for word in self.config.words:
            if word == "temp":
                words[word] = tokens
            elif word == "class":
                words[word] = self.fga(tokens)[:, None].expand_as(tokens)
            else:
                words[word] = mean(tokens, self.config.windows[int(word.removeprefix("local")) - 1])
        return words

    @property
    def _like(self) -> Tensor:
        """A weight, for its device and dtype."""
        return cast(Tensor, self.get_submodule("fc1").weight)

    def _check_no_sound(self) -> None:
        if not self.config.no_sound:
            raise A2VError(
                "this AudioMapper holds no 'no sound' token; use one that was trained with condition dropout"
            )

    def _check_features(self, features: Tensor) -> None:
        if features.ndim != 4 or not features.shape[1] or features.shape[-1] != self.config.input_size:
            raise A2VError(
                f"audio features [clips, steps, patches, width] of shape {list(features.shape)} do not fit "
                f"this AudioMapper, whose input width is {self.config.input_size} (layers x layer width); "
                "encode the sound with the BEATs model that the mapper was trained with"
            )


def stack_layers(layers: Tensor, used: tuple[int, ...] = ()) -> Tensor:
    """[B, L, T, Q, D_layer] -> [B, T, Q, L*D_layer]: encoder layers side by side.

    `used` counts layers from 0, empty = all. Raises A2VError when the encoder has fewer layers.
    """
    if used:
        if max(used) >= layers.shape[1]:
            raise A2VError(
                f"AudioMapper uses encoder layer {max(used)}, the audio encoder has {layers.shape[1]}"
            )
        layers = layers[:, list(used)]
    return layers.permute(0, 2, 3, 1, 4).flatten(3)
