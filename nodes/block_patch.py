"""Frame attention after a block of one of ComfyUI's own models, by way of its `patches_replace`.

Legend: b of B rows of the batch, N tokens of the stream, T latent frames of the video, n audio tokens of
each, D their width, C model width.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from torch import Tensor

from . import runtime
from .adapter import ManagedAdapter
from .core_dit import VideoTokens


class Heard(NamedTuple):
    """What the blocks of one call hear: tokens [b, T, n, D] and gate [b, T] of the rows that hear at all."""

    tokens: Tensor
    gate: Tensor
    rows: list[int]
    video: VideoTokens


class BlockPatch:
    """What runs in the place of a block: whatever ran there, then this block's frame attention."""

    def __init__(self, key: str, adapter: ManagedAdapter, block: int, previous: Any) -> None:
        self._key, self._adapter, self._block, self._previous = key, adapter, block, previous

    def __deepcopy__(self, memo: Any) -> BlockPatch:
        return self

    def models(self) -> list[Any]:
        """What ComfyUI has to load beside the model."""
        before = self._previous.models() if hasattr(self._previous, "models") else []
        return [*before, self._adapter.patcher]

    def to(self, target: Any) -> BlockPatch:
        """ComfyUI asks before sampling: whatever ran here before may have tensors to move or cast."""
        if not hasattr(self._previous, "to"):
            return self
        return BlockPatch(self._key, self._adapter, self._block, self._previous.to(target))

    def __call__(self, args: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
        run = extra["original_block"]
        out: dict[str, Any] = run(args) if self._previous is None else self._previous(args, extra)
        heard = args.get("transformer_options", {}).get(self._key)
        if heard is None:
            return out
        runtime.stop_if_cancelled()
        return {**out, "img": self._with_audio(out["img"], heard)}

    def _with_audio(self, stream: Tensor, heard: Heard) -> Tensor:
        """The stream [B, N, C] with audio in the video tokens of those rows that hear any."""
        rows = slice(None) if len(heard.rows) == len(stream) else heard.rows
        place = rows, slice(heard.video.first, heard.video.first + heard.video.number)
        video = stream[place]
        tokens, gate = heard.tokens.to(video), heard.gate.to(video)
        changed = self._adapter.inject(self._block, video, tokens, gate)
        if changed.shape == stream.shape:
            return changed
        whole = stream.clone()
        whole[place] = changed
        return whole
