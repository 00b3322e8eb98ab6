"""The text of a clip as the diffusion model sees it: text-encoder states for every frame.

Frames here are those of the latents: in a model whose latent frames stand for several video frames, so do
the rows of its contexts.

Legend: B branches of guidance or clips, F frames, U distinct texts, L text positions, C text width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..errors import A2VError


@dataclass(frozen=True)
class FrameContext:
    """Text-encoder states of the distinct frames of a clip, and which frame has which.

    states: [U, L, C], one for every distinct text, in order of first appearance.
    index: int64 [F], the row of `states` for every frame.
    audio: [F, n, D] audio tokens beside the text, for models with frame attention; None without a sound.
    """

    states: Tensor
    index: Tensor
    audio: Tensor | None = None

    def __post_init__(self) -> None:
        if self.states.ndim != 3 or self.index.ndim != 1 or self.index.numel() == 0:
            raise A2VError(
                f"A frame context needs states [U, L, C] and an index [F] with F >= 1; got states "
                f"{list(self.states.shape)} and index {list(self.index.shape)}"
            )

    @property
    def num_frames(self) -> int:
        return int(self.index.shape[0])

    @property
    def per_frame(self) -> Tensor:
        """States of every frame, [F, L, C]; a view when all frames share one text."""
        if self.states.shape[0] == 1:
            return self.states.expand(self.num_frames, -1, -1)
        return self.states[self.index.to(self.states.device)]


@dataclass(frozen=True)
class ContextBatch:
    """Text states of the branches or clips that are denoised in one batch.

    states: [B, F, L, C]; a view when the frames of every clip share one text, and it stays one.
    audio: [B, F, n, D] audio tokens beside the text, and gate: [B, 1], 0 for what has no sound and else 1.
    None where nothing has a sound.
    """

    states: Tensor
    audio: Tensor | None = None
    gate: Tensor | None = None

    @classmethod
    def of(cls, contexts: Sequence[FrameContext]) -> ContextBatch:
        """Contexts of B branches or clips of one length, on the device and in the dtype of the last."""
        last = contexts[-1].states
        alone = all(len(context.states) == 1 for context in contexts)
        states = torch.stack(
            [(c.states if alone else c.per_frame).to(last.device, last.dtype) for c in contexts]
        ).expand(-1, contexts[-1].num_frames, -1, -1)
        audio = [context.audio for context in contexts if context.audio is not None]
        if not audio:
            return cls(states)
        silent = torch.zeros_like(audio[0])
        tokens = [silent if context.audio is None else context.audio.to(silent) for context in contexts]
        gate = [[float(context.audio is not None)] for context in contexts]
        return cls(states, torch.stack(tokens), torch.tensor(gate, device=silent.device))

    def __len__(self) -> int:
        return len(self.states)

    @property
    def num_frames(self) -> int:
        return int(self.states.shape[1])

    def rows(self, rows: Sequence[int]) -> ContextBatch:
        """A selection of the B texts."""
        chosen = list(rows)
        return self if chosen == list(range(len(self))) else self._each(lambda tensor: tensor[chosen])

    def frames(self, index: Tensor) -> ContextBatch:
        """A selection of the frames, such as those of a window, by an index int64 [n]."""
        audio = None if self.audio is None else self.audio[:, index.to(self.audio.device)]
        if self._one_text:
            return replace(self, states=self.states[:, :1].expand(-1, len(index), -1, -1), audio=audio)
        return replace(self, states=self.states[:, index.to(self.states.device)], audio=audio)

    def to(self, device: torch.device | str, dtype: torch.dtype | None = None) -> ContextBatch:
        """The same on `device`, in `dtype` if given."""
        return self._each(lambda tensor: tensor.to(device, dtype))

    @property
    def _one_text(self) -> bool:
        """Whether the frames of every clip share one text: copies of it would take F times the memory."""
        return self.states.stride(1) == 0

    def _each(self, change: Callable[[Tensor], Tensor]) -> ContextBatch:
        """All tensors changed in another dimension than that of the frames."""
        if self._one_text:
            states = change(self.states[:, :1]).expand(-1, self.num_frames, -1, -1)
        else:
            states = change(self.states)
        audio = None if self.audio is None else change(self.audio)
        return ContextBatch(states, audio, None if self.gate is None else change(self.gate))
