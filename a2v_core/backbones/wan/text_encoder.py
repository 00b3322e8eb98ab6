"""Text encoders and tokenizers of Wan, from the folders `text_encoder` and `tokenizer` of a model.

UMT5, or a CLIPTextModel in its place, as small models have it: its states are padded with zeros to the width
that the denoiser takes.

Legend: N prompts, L text positions, C text width of the denoiser.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as nnf
from torch import Tensor, nn

from ...checkpoints import load_strict
from ...errors import CheckpointError
from ...files import utf8_path
from ..clip_unet import load_text_encoder, load_tokenizer
from ..diffusers_folder import built, read_json, read_weights

CORE_WIDTH = 4096  # of text, for every Wan that ComfyUI loads
MODELS = "expected an umt5 text encoder, or a clip_text_model"


class PaddedCLIP(nn.Module):
    """A CLIPTextModel whose states are as wide as the denoiser takes text, with zeros behind its own."""

    POSITIONS = 32  # of a text: such models see no longer ones

    def __init__(self, encoder: Any, width: int) -> None:
        super().__init__()
        self.encoder, self.width = encoder, width

    def forward(self, ids: Tensor, mask: Tensor) -> Any:
        """As of any text encoder: ids and mask [N, L] to `last_hidden_state` [N, L, C]."""
        output = self.encoder(ids, attention_mask=mask)
        states = output.last_hidden_state
        output.last_hidden_state = nnf.pad(states, (0, self.width - states.shape[-1]))
        return output


def load_text(folder: Path, width: int, dtype: torch.dtype) -> tuple[Any, Any]:
    """Text encoder and tokenizer of a model whose denoiser takes text of a width.

    CheckpointError when a part is missing, broken or of another kind.
    """
    kind = read_json(folder / "text_encoder" / "config.json").get("model_type", "umt5")
    if kind == "clip_text_model":
        encoder = load_text_encoder(folder / "text_encoder", dtype)
        return PaddedCLIP(encoder, width).eval(), load_tokenizer(folder / "tokenizer")
    if kind != "umt5":
        raise CheckpointError(f"{folder / 'text_encoder'}: is a {kind}, {MODELS}")
    return _umt5(folder / "text_encoder", dtype), _tokenizer(folder / "tokenizer")


def _umt5(folder: Path, dtype: torch.dtype) -> Any:
    from transformers import UMT5Config, UMT5EncoderModel

    config = read_json(folder / "config.json")
    encoder = built(folder / "config.json", lambda: UMT5EncoderModel(UMT5Config.from_dict(config)))
    tensors, path = read_weights(folder, ("model", "pytorch_model"))
    load_strict(encoder.to(dtype), _both_tables(tensors), path, "UMT5 text encoder")
    return encoder.eval().requires_grad_(False)


def _both_tables(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The table of words under both of its names, of which files have one."""
    names = ("shared.weight", "encoder.embed_tokens.weight")
    table = next((tensors[name] for name in names if name in tensors), None)
    return dict(tensors) if table is None else {**tensors, **dict.fromkeys(names, table)}


def _tokenizer(folder: Path) -> Any:
    from transformers import AutoTokenizer

    try:
        with utf8_path(folder) as readable:
            return AutoTokenizer.from_pretrained(str(readable), local_files_only=True)
    except Exception as error:  # every kind of damage surfaces as another type, even a bare Exception
        raise CheckpointError(
            f"{folder}: the tokenizer cannot be read ({error}); download it again"
        ) from error
