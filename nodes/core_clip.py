"""The text encoder of a text-to-video model as core's own CLIP, whatever its size and vocabulary.

Core's tokenizing, weights such as (word:1.2), embeddings and long prompts are core's; states come from the
model's own encoder, which is not loaded a second time.

Legend: N texts, L text positions, D token width, C text width.
"""

from __future__ import annotations

from typing import Any

import comfy.sd
import comfy.sd1_clip
import folder_paths
import torch
from torch import Tensor, nn

from ..a2v_core.backbones.clip_unet import CLIPUNet
from ..a2v_core.prompts import encode_embeddings, text_body, text_length, text_width
from . import runtime

_SD15_WIDTH = 768
# Core loads a CLIP at once that starts on its device; this one is loaded by its own patcher.
_NOWHERE = {"initial_device": torch.device("meta")}


class _Embeddings:
    """A table of token embeddings as core asks for it."""

    def __init__(self, table: nn.Module) -> None:
        self._table = table

    @property
    def weight(self) -> Any:
        return self._table.weight

    def __call__(self, ids: Tensor, out_dtype: torch.dtype | None = None) -> Tensor:
        embedded: Tensor = self._table(ids)
        return embedded if out_dtype is None else embedded.to(out_dtype)


class _Encoder(nn.Module):
    """transformers' CLIPTextModel as core's text encoders are called; weights have core's names in it."""

    def __init__(self, text_encoder: Any) -> None:
        super().__init__()
        self.text_model = text_body(text_encoder)
        self._call = (text_encoder,)  # in a tuple: no second name for the weights
        self.num_layers = int(text_encoder.config.num_hidden_layers)

    def get_input_embeddings(self) -> _Embeddings:
        return _Embeddings(self._call[0].get_input_embeddings())

    def forward(
        self,
        tokens: None,
        attention_mask: Tensor | None,
        embeds: Tensor,
        num_tokens: list[int],
        intermediate_output: int | None = None,
        final_layer_norm_intermediate: bool = True,
        **other: Any,
    ) -> tuple[Tensor, Tensor | None, Tensor, Tensor]:
        """Embeddings [N, L, D] to states [N, L, C], those behind another layer, and two times [N, C]: the
        states at the end token, since these models have no projection."""
        found = encode_embeddings(self._call[0], embeds, intermediate_output)
        inner = found.inner
        if inner is not None and final_layer_norm_intermediate:
            inner = self.text_model.final_layer_norm(inner)
        ends = [count - 1 for count in num_tokens]
        pooled = found.last[list(range(len(ends))), ends]
        return found.last, inner, pooled, pooled


class _Loaded:
    """Gives core's tokenizer the one that is loaded already, in the place of its class."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def from_pretrained(self, path: str, **options: Any) -> Any:
        return self._tokenizer


class _Target:
    """How core builds a CLIP: the classes of its two parts."""

    def __init__(self, backbone: CLIPUNet) -> None:
        self.params: dict[str, Any] = {}
        self._encoder, self._tokenizer = backbone.text_encoder, backbone.tokenizer
        self._name = clip_name(backbone)

    def clip(self, **options: Any) -> Any:
        made = comfy.sd1_clip.SD1ClipModel(clip_name=self._name, clip_model=self._states, **options)
        made.disable_offload = True  # newer versions: its layers cannot fetch their weights one by one
        return made

    def tokenizer(self, **options: Any) -> Any:
        return comfy.sd1_clip.SD1Tokenizer(clip_name=self._name, tokenizer=self._tokens, **options)

    def _states(self, **options: Any) -> Any:
        marks = {"start": "bos_token_id", "end": "eos_token_id", "pad": "pad_token_id"}
        return comfy.sd1_clip.SDClipModel(
            textmodel_json_config={},
            special_tokens={name: getattr(self._tokenizer, mark) for name, mark in marks.items()},
            model_class=lambda *built: _Encoder(self._encoder),
            **options,
        )

    def _tokens(self, **options: Any) -> Any:
        return comfy.sd1_clip.SDTokenizer(
            tokenizer_path="",
            tokenizer_class=_Loaded(self._tokenizer),
            max_length=text_length(self._encoder, self._tokenizer),
            pad_token=self._tokenizer.pad_token_id,
            embedding_size=text_width(self._encoder),
            embedding_key=f"clip_{self._name}",
            **options,
        )


def clip_name(backbone: CLIPUNet) -> str:
    """Core's name of the text encoder: that of SD 1.5 ("l") by its width, else that of SD 2.x ("h")."""
    return "l" if text_width(backbone.text_encoder) == _SD15_WIDTH else "h"


def text_home(backbone: CLIPUNet) -> runtime.Home:
    """Where ComfyUI keeps the text encoder: under the names that core's LoRAs of text encoders have."""
    names = [f"clip_{clip_name(backbone)}", "transformer"]
    root = runtime.named_like(backbone.text_encoder, nn.Module)()
    inner = root
    for name in names:
        inner.add_module(name, nn.Module())
        inner = inner.get_submodule(name)
    inner.add_module("text_model", text_body(backbone.text_encoder))
    return runtime.Home(root, ".".join([*names, "text_model", ""]))


def core_clip(backbone: CLIPUNet, managed: runtime.Managed) -> Any:
    """The CLIP of a text encoder that lies in `text_home`: the same weights."""
    folders = folder_paths.get_folder_paths("embeddings")
    options = {"dtype": next(backbone.text_encoder.parameters()).dtype, **_NOWHERE}
    clip = comfy.sd.CLIP(_Target(backbone), embedding_directory=folders, model_options=options)
    patcher = managed.patcher.clone()
    patcher.is_clip, patcher.hook_mode = True, clip.patcher.hook_mode
    clip.patcher = patcher
    return clip
