"""Tiny networks in the layouts of the official files: I3D and C3D as TorchScript, a CLIP folder."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn


class TinyI3D(nn.Module):
    """The call of i3d_torchscript.pt: [B, 3, F, 224, 224] in -1..1 -> logits [B, 400]."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(6, 400)

    def forward(
        self, video: Tensor, rescale: bool = False, resize: bool = False, return_features: bool = False
    ) -> Tensor:
        assert not rescale
        assert not resize
        assert video.shape[1] == 3
        assert video.shape[2] >= 10
        assert video.shape[3] == 224
        assert video.shape[4] == 224
        assert bool((video.abs() <= 1).all())
        logits = self.head(torch.cat([video.mean(dim=[2, 3, 4]), video.std(dim=[2, 3, 4])], dim=1))
        if return_features:
            return logits
        return logits.softmax(dim=1)


class TinyC3D(nn.Module):
    """The call of c3d_ucf101.pt: [B, 3, 16, H, W] in 0..255 -> probabilities [B, 101]."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(3, 101)

    def forward(self, video: Tensor) -> Tensor:
        assert video.shape[2] == 16
        assert bool(video.max() > 2)
        return self.head(video.mean(dim=[2, 3, 4]) / 255).softmax(dim=1)


def write_nets(folder: Path) -> None:
    """i3d_torchscript.pt and c3d_ucf101.pt."""
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.script(TinyI3D()).save(str(folder / "i3d_torchscript.pt"))
        torch.jit.script(TinyC3D()).save(str(folder / "c3d_ucf101.pt"))


def write_clip(folder: Path) -> None:
    """clip-vit-base-patch32 with the file names of the hub and a vocabulary of single letters."""
    from transformers import CLIPConfig, CLIPModel, CLIPTokenizer

    target = folder / "clip-vit-base-patch32"
    target.mkdir()
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)]
    words = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    (target / "vocab.json").write_text(json.dumps({word: number for number, word in enumerate(words)}))
    (target / "merges.txt").write_text("#version: 0.2\n")
    CLIPTokenizer(str(target / "vocab.json"), str(target / "merges.txt")).save_pretrained(target)
    torch.manual_seed(1)
    end = len(words) - 1
    text = {
        "vocab_size": len(words),
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "bos_token_id": end - 1,
        "eos_token_id": end,
        "pad_token_id": end,
    }
    vision = {
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": 32,
        "patch_size": 8,
    }
    CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=8)).save_pretrained(target)
