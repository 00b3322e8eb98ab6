"""Computing in bfloat16 for a while, with weights that come back as they were."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def in_bfloat16(module: nn.Module, kept: Collection[str] = ()) -> Iterator[None]:
    """While it lasts, a module's weights are rounded to bfloat16; then the original ones are put back.

    So are tables of numbers that are no weights, such as fixed position embeddings. Weights in 8 bits are
    left alone: their layers compute in the dtype of their input. So is what has one of `kept` between the
    points of its name. Only on a CPU: a module on a GPU stays as it was loaded. Not for two threads at once.
    Where gradients are needed, backward has to run before it ends.
    """
    first = next(module.parameters())
    stays = first.dtype == torch.bfloat16 or first.device.type != "cpu"
    # New parameters instead of new data: those of a model loaded in inference mode take no other data.
    before = (
        [] if stays else [(n, m, dict(m._parameters), dict(m._buffers)) for n, m in module.named_modules()]
    )
    rounded: dict[nn.Parameter, nn.Parameter] = {}

    def stays_as_it_is(place: str, name: str) -> bool:
        return not set(kept).isdisjoint([*place.split("."), name])

    try:
        for place, owner, weights, tables in before:
            for name, weight in weights.items():
                if weight is not None and weight.element_size() > 1 and not stays_as_it_is(place, name):
                    half = rounded.get(weight)
                    half = nn.Parameter(weight.to(torch.bfloat16), False) if half is None else half
                    rounded[weight] = owner._parameters[name] = half
            for name, table in tables.items():
                is_wide = table is not None and table.is_floating_point() and table.element_size() > 1
                if is_wide and not stays_as_it_is(place, name):
                    owner._buffers[name] = table.to(torch.bfloat16)
        yield
    finally:
        for _, owner, weights, tables in before:
            owner._parameters.update(weights)
            owner._buffers.update(tables)
