"""Texts that are given by their token embeddings, as ComfyUI's text encoders take them.

Legend: N texts, L text positions, D token width, C text width.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn


class EmbeddedStates(NamedTuple):
    """What a CLIP text encoder makes of texts: last [N, L, C] with its last norm, inner [N, L, C] without.

    `inner` are the states behind one of the layers; None when no layer was asked for.
    """

    last: Tensor
    inner: Tensor | None


def text_body(text_encoder: Any) -> Any:
    """The module that holds `embeddings`, `encoder` and `final_layer_norm` of a transformers CLIPTextModel.

    transformers 4 keeps them one level down, transformers 5 does not.
    """
    return getattr(text_encoder, "text_model", text_encoder)


def encode_embeddings(text_encoder: Any, embeddings: Tensor, layer: int | None = None) -> EmbeddedStates:
    """Text-encoder states of texts whose token embeddings [N, L, D] are given, without positions.

    `layer`: a layer from 0, or from the end below 0, whose states are wanted too. Runs where the text encoder
    is and in its dtype.
    """
    body = text_body(text_encoder)
    kept: list[Tensor] = []
    table = text_encoder.get_input_embeddings()
    given = embeddings.to(table.weight.device, table.weight.dtype)
    handles = [table.register_forward_hook(lambda module, args, output: given)]
    if layer is not None:
        handles.append(body.encoder.layers[layer].register_forward_hook(_keep_in(kept)))
    try:
        ids = torch.zeros(given.shape[:2], dtype=torch.int64, device=given.device)
        last: Tensor = text_encoder(ids).last_hidden_state
    finally:
        for handle in handles:
            handle.remove()
    return EmbeddedStates(last, kept[0] if kept else None)


def _keep_in(kept: list[Tensor]) -> Any:
    def keep(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        kept.append(output[0] if isinstance(output, tuple) else output)

    return keep
