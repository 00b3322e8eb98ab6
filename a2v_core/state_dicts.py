"""State dicts as people's PyTorch files hold them, under the names that the bare model gives its weights.

A file holds a bare state dict; or one beside other things, as BEATs was published and trainers save; or
T2V-Turbo's list of low-rank updates. The wrappers of training leave their names in the keys.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from torch import Tensor

_NESTED = ("model", "state_dict", "model_state_dict", "module", "params")
_AVERAGED = ("ema", "model_ema", "ema_model", "ema_state_dict", "params_ema")
# Where a state dict stands in the file of a trainer. Averaged weights count where there are no others.

# Names that only wrappers give: torch.compile, FSDP, activation checkpointing. kohya's keys have no dots.
_WRAPPER = re.compile(
    r"(?<![^.])(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\.|(?<=^lora_unet_)_orig_mod_"
    r"|(?<=^lycoris_)_orig_mod_"
)
_PARALLEL = "module."  # of DataParallel, DDP and AveragedModel; could be a name of the model's own
_AVERAGE_COUNT = "n_averaged"  # stands beside the weights in an AveragedModel of torch.optim.swa_utils


def state_dict_of(content: object) -> tuple[dict[str, Tensor], dict[str, object]] | None:
    """The tensors in what a PyTorch file holds, and what stands beside them; None when it is none."""
    if isinstance(content, list) and _are_updates(content):
        return _named(content), {}
    if not isinstance(content, dict):
        return None
    for key in (*_NESTED, *_AVERAGED):
        if isinstance(inner := content.get(key), dict) and (tensors := _tensors_of(inner)):
            return tensors, {str(k): v for k, v in content.items() if k != key}
    return _tensors_of(content), {str(k): v for k, v in content.items() if not isinstance(v, Tensor)}


def unwrapped(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under the names that the bare model gives them; unchanged where two would get one name."""
    bare = {key: _WRAPPER.sub("", key) for key in tensors}
    while (inner := [key for key in bare if bare[key] != _AVERAGE_COUNT]) and all(
        bare[key].startswith(_PARALLEL) for key in inner
    ):
        bare = {key: bare[key].removeprefix(_PARALLEL) for key in inner}
    if len(set(bare.values())) < len(bare):
        return tensors
    return {name: tensors[key] for key, name in bare.items()}


def _are_updates(content: Sequence[object]) -> bool:
    """Whether a list holds low-rank updates as T2V-Turbo saves them: up [O, r, ...], down [r, I, ...], ..."""
    tensors = [value for value in content if isinstance(value, Tensor) and value.ndim >= 2]
    pairs = zip(tensors[0::2], tensors[1::2], strict=False)
    whole = bool(content) and len(content) == len(tensors) and len(content) % 2 == 0
    return whole and all(up.shape[1] == down.shape[0] for up, down in pairs)


def _named(updates: Sequence[Tensor]) -> dict[str, Tensor]:
    """The tensors of such a list, in its order, under names of their own."""
    ends = ("lora_up", "lora_down")
    return {f"{n // 2}.{ends[n % 2]}": tensor.detach() for n, tensor in enumerate(updates)}


def _tensors_of(mapping: Mapping[object, object]) -> dict[str, Tensor]:
    return {str(key): value.detach() for key, value in mapping.items() if isinstance(value, Tensor)}
