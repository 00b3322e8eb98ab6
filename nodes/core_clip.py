"""The text encoder of a text-to-video model as core's own CLIP, whatever its size and vocabulary.

Core's tokenizing, weights such as (word:1.2), embeddings and long prompts are core's; states come from the
model's own encoder, which is not loaded a second time.

Legend: N texts, L text positions, D token width, C text width.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import comfy.sd
import comfy.sd1_clip
import folder_paths
import torch
import torch.nn.functional as nnf
from torch import Tensor, nn

from ..a2v_core.backbones.clip_unet import CLIPUNet
from ..a2v_core.backbones.wan import PaddedCLIP
from ..a2v_core.prompts import encode_embeddings, text_body, text_length, text_width
from . import runtime

_SD15_WIDTH = 768
# Core loads a CLIP at once that starts on its device; this one is loaded by its own patcher.
_NOWHERE = {"initial_device": torch.device("meta")}


class CoreText(NamedTuple):
    """What core's CLIP is made of.

    encoder: a CLIPTextModel. name: core's name of it. length: positions of a text, above which core makes two
    of it. width: of the states C; zeros lie behind what the encoder gives. zeros: also after a text's end.
    """

    encoder: Any
    tokenizer: Any
    name: str
    length: int
    width: int
    zeros: bool = False


def text_of(backbone: CLIPUNet) -> CoreText:
    """The text encoder of a UNet: that of SD 1.5 ("l") by its width, else that of SD 2.x ("h")."""
    encoder, tokenizer = backbone.text_encoder, backbone.tokenizer
    width = text_width(encoder)
    name = "l" if width == _SD15_WIDTH else "h"
    return CoreText(encoder, tokenizer, name, text_length(encoder, tokenizer), width)


def padded_text(clip: PaddedCLIP, tokenizer: Any) -> CoreText:
    """A text encoder in the place of Wan's, with zeros where Wan has them."""
    return CoreText(clip.encoder, tokenizer, "l", clip.POSITIONS, clip.width, zeros=True)


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

    def __init__(self, text: CoreText) -> None:
        super().__init__()
        self.text_model = text_body(text.encoder)
        self._call = (text.encoder,)  # in a tuple: no second name for the weights
        self._width = text.width
        self.num_layers = int(text.encoder.config.num_hidden_layers)

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
        return self._wide(found.last), None if inner is None else self._wide(inner), pooled, pooled

    def _wide(self, states: Tensor) -> Tensor:
        return nnf.pad(states, (0, self._width - states.shape[-1]))


class _Loaded:
    """Gives core's tokenizer the one that is loaded already, in the place of its class."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def from_pretrained(self, path: str, **options: Any) -> Any:
        return self._tokenizer


class _Target:
    """How core builds a CLIP: the classes of its two parts."""

    def __init__(self, text: CoreText) -> None:
        self.params: dict[str, Any] = {}
        self._text = text

    def clip(self, **options: Any) -> Any:
        made = comfy.sd1_clip.SD1ClipModel(clip_name=self._text.name, clip_model=self._states, **options)
        made.disable_offload = True  # newer versions: its layers cannot fetch their weights one by one
        return made

    def tokenizer(self, **options: Any) -> Any:
        return comfy.sd1_clip.SD1Tokenizer(clip_name=self._text.name, tokenizer=self._tokens, **options)

    def _states(self, **options: Any) -> Any:
        marks = {"start": "bos_token_id", "end": "eos_token_id", "pad": "pad_token_id"}
        return comfy.sd1_clip.SDClipModel(
            textmodel_json_config={},
            special_tokens={name: getattr(self._text.tokenizer, mark) for name, mark in marks.items()},
            model_class=lambda *built: _Encoder(self._text),
            zero_out_masked=self._text.zeros,
            **options,
        )

    def _tokens(self, **options: Any) -> Any:
        return comfy.sd1_clip.SDTokenizer(
            tokenizer_path="",
            tokenizer_class=_Loaded(self._text.tokenizer),
            max_length=self._text.length,
            pad_token=self._text.tokenizer.pad_token_id,
            embedding_size=text_width(self._text.encoder),
            embedding_key=f"clip_{self._text.name}",
            **options,
        )


def text_home(text: CoreText) -> runtime.Home:
    """Where ComfyUI keeps the text encoder: under the names that core's LoRAs of text encoders have."""
    names = [f"clip_{text.name}", "transformer"]
    root = runtime.named_like(text.encoder, nn.Module)()
    inner = root
    for name in names:
        inner.add_module(name, nn.Module())
        inner = inner.get_submodule(name)
    inner.add_module("text_model", text_body(text.encoder))
    return runtime.Home(root, ".".join([*names, "text_model", ""]))


def core_clip(text: CoreText, managed: runtime.Managed) -> Any:
    """The CLIP of a text encoder that lies in `text_home`: the same weights."""
    folders = folder_paths.get_folder_paths("embeddings")
    options = {"dtype": next(text.encoder.parameters()).dtype, **_NOWHERE}
    clip = comfy.sd.CLIP(_Target(text), embedding_directory=folders, model_options=options)
    patcher = managed.patcher.clone()
    patcher.is_clip, patcher.hook_mode = True, clip.patcher.hook_mode
    clip.patcher = patcher
    return clip
