"""Models that are in memory already: another LoRA, or another strength of it, reads no gigabytes again.

ComfyUI owns what a loader gives, and by default lets go of it as soon as a widget of the loader changes:
after `fingerprint_inputs`, before the node runs. So what will be wanted is held from the one call to the
other, and no longer: nothing here keeps a model that ComfyUI has let go of.
"""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakValueDictionary

from .t2v_model import ManagedT2V

_models: WeakValueDictionary[str, ManagedT2V] = WeakValueDictionary()
_uses: WeakValueDictionary[tuple[str, str], ManagedT2V] = WeakValueDictionary()
_awaited: dict[str, ManagedT2V] = {}


def expect(model: str, use: str) -> None:
    """A run may want this model with this use (a LoRA and its strength). Both are stamps: they say files and
    settings apart."""
    known = _models.get(model)
    if known is not None and (model, use) not in _uses:
        _awaited[model] = known


def load(
    model: str, use: str, read: Callable[[], ManagedT2V], apply: Callable[[ManagedT2V], ManagedT2V]
) -> ManagedT2V:
    """The model for a use: `apply` of what `read` gives, or gave for another use that is in memory.

    `apply` makes another object, which keeps the model; as long as it lives, so does the model.
    """
    try:
        base = _models.get(model) or read()
        _models[model] = base
        made = _uses[model, use] = apply(base)
    finally:
        _awaited.pop(model, None)
    return made
