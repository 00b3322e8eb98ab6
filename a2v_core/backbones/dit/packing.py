"""How the frames of a video become the latent frames of a video DiT, and audio tokens with them.

Legend: B clips, F video frames, f latent frames, r video frames of a latent frame, K audio words, n = r * K
audio tokens of a latent frame, D token width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from ...errors import A2VError
from ..contract import BackboneSpec


def pack_words(words: Mapping[str, Tensor], kinds: Sequence[str], spec: BackboneSpec) -> Tensor:
    """The audio tokens of every latent frame: word -> [B, F, D] to [B, f, r, K, D], words as in `kinds`.

    Where the first latent frame stands for one video frame, it has that frame's tokens r times. A2VError for
    a word that is missing and for a length that the model does not have.
    """
    if missing := [kind for kind in kinds if kind not in words]:
        raise A2VError(f"the audio adapter needs the words {', '.join(kinds)}; missing: {', '.join(missing)}")
    tokens = torch.stack([words[kind] for kind in kinds], dim=2)
    return tokens[:, frame_index(spec, tokens.shape[1])]


def pack_strengths(strengths: Tensor, spec: BackboneSpec) -> Tensor:
    """A gate [f] of strengths [F]: that of a latent frame is the mean of its video frames'."""
    return strengths[frame_index(spec, len(strengths))].mean(1)


def frame_index(spec: BackboneSpec, num_frames: int) -> Tensor:
    """The r video frames of every latent frame, int64 [f, r]. A2VError for a length that cannot be."""
    nearest = spec.nearest_frames(num_frames)
    if num_frames != nearest:
        raise A2VError(
            f"the audio tokens are for {num_frames} frames; {spec.family} has videos of {nearest} frames, "
            f"but not of so many: set num_frames of AudioMapper to {nearest}"
        )
    rows = []
    for latent_frame in range(spec.latent_frames(num_frames)):
        frames = list(spec.frames_of(latent_frame))
        rows.append(frames * (spec.time // len(frames)))
    return torch.tensor(rows)
