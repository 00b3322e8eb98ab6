"""CLIPSIM: mean CLIP ViT-B/32 similarity of a video's frames and a text.

Legend: F frames, H W size in pixels, D width of the joint embedding space.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as nnf

from ...errors import CheckpointError
from .weights import CLIP_FOLDER, weights_path

_MEAN = (0.48145466, 0.4578275, 0.40821073)
_DEVIATION = (0.26862954, 0.26130258, 0.27577711)
_FRAMES_AT_ONCE = 32


@dataclass(frozen=True)
class ClipSim:
    """CLIP and its tokenizer, as transformers loads them."""

    model: Any
    tokenizer: Any

    @torch.no_grad()
    def score(self, frames: torch.Tensor, text: str) -> float:
        """Mean cosine, -1..1, between `text` and the frames [F, H, W, 3] in 0..1. Source: Wu et al., 2021
        (GODIVA).

        Papers that report values near 0.6 have scaled it; 2.5 x the cosine (CLIPScore) is common.
        """
        tokens = self.tokenizer([text], padding=True, truncation=True, return_tensors="pt")
        text_features = self.model.text_model(**tokens).pooler_output
        text_features = nnf.normalize(self.model.text_projection(text_features), dim=-1)
        cosines = []
        for part in frames.split(_FRAMES_AT_ONCE):
            image_features = self.model.vision_model(pixel_values=self._prepare(part)).pooler_output
            image_features = nnf.normalize(self.model.visual_projection(image_features), dim=-1)
            cosines.append((image_features @ text_features.T)[:, 0])
        return float(torch.cat(cosines).mean())

    def _prepare(self, frames: torch.Tensor) -> torch.Tensor:
        """[F, 3, S, S] as CLIP was trained: shorter side to S by bicubic, centre crop, normalised."""
        side = int(self.model.config.vision_config.image_size)
        pixels = frames.to(torch.float32).permute(0, 3, 1, 2)
        scale = side / min(pixels.shape[2:])
        size = [max(side, round(length * scale)) for length in pixels.shape[2:]]
        pixels = nnf.interpolate(
            pixels, size=size, mode="bicubic", align_corners=False, antialias=True
        ).clamp(0, 1)
        top, left = ((length - side) // 2 for length in size)
        square = pixels[:, :, top : top + side, left : left + side]
        return (square - torch.tensor(_MEAN)[:, None, None]) / torch.tensor(_DEVIATION)[:, None, None]


def load_clip(folder: Path) -> ClipSim:
    """CLIP from `folder`/clip-vit-base-patch32; MissingWeights or CheckpointError."""
    path = weights_path(folder, CLIP_FOLDER)
    from transformers import CLIPModel, CLIPTokenizer

    try:
        model = CLIPModel.from_pretrained(path, local_files_only=True).train(False)
        tokenizer = CLIPTokenizer.from_pretrained(path, local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise CheckpointError(
            f"{path}: is not a CLIP folder ({error}). It must hold config.json, the weights as safetensors "
            f"and "
            "the tokenizer files."
        ) from error
    return ClipSim(model, tokenizer)
