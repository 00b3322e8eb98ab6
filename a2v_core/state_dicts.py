"""State dicts of PyTorch files, with the keys of the bare model.

A file holds a bare state dict; or one beside other entries, as BEATs was published and trainers save; or
T2V-Turbo's list of low-rank updates. Wrappers of training leave prefixes in the keys.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from torch import Tensor

_NESTED = ("model", "state_dict", "model_state_dict", "module", "params")
_AVERAGED = ("ema", "model_ema", "ema_model", "ema_state_dict", "params_ema")
# Entries of a trainer's file that hold a state dict. Averaged weights count where there are no others.

# Key parts that only wrappers add: torch.compile, FSDP, activation checkpointing. kohya's keys have no dots.
_WRAPPER = re.compile(
    r"(?<![^.])(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\.|(?<=^lora_unet_)_orig_mod_"
    r"|(?<=^lycoris_)_orig_mod_"
)
_PARALLEL = "module."  # of DataParallel, DDP and AveragedModel; may also be a name in the model itself
_AVERAGE_COUNT = "n_averaged"  # a buffer of AveragedModel in torch.optim.swa_utils


def state_dict_of(content: object) -> tuple[dict[str, Tensor], dict[str, object]] | None:
    """The state dict in the content of a PyTorch file, and the other entries; None when there is none."""
    if isinstance(content, list) and _is_turbo_lora(content):
        return _turbo_keys(content), {}
    if not isinstance(content, dict):
        return None
    for key in (*_NESTED, *_AVERAGED):
        if isinstance(inner := content.get(key), dict) and (tensors := _tensors_of(inner)):
            return tensors, {str(k): v for k, v in content.items() if k != key}
    return _tensors_of(content), {str(k): v for k, v in content.items() if not isinstance(v, Tensor)}


def unwrapped(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under the keys of the bare model; unchanged where two would get the same key."""
    bare = {key: _WRAPPER.sub("", key) for key in tensors}
    while (inner := [key for key in bare if bare[key] != _AVERAGE_COUNT]) and all(
        bare[key].startswith(_PARALLEL) for key in inner
    ):
        bare = {key: bare[key].removeprefix(_PARALLEL) for key in inner}
    if len(set(bare.values())) < len(bare):
        return tensors
    return {name: tensors[key] for key, name in bare.items()}


def _is_turbo_lora(content: Sequence[object]) -> bool:
    """Whether a list holds low-rank updates as T2V-Turbo saves them: up [O, r, ...], down [r, I, ...], ..."""
    tensors = [value for value in content if isinstance(value, Tensor) and value.ndim >= 2]
    pairs = zip(tensors[0::2], tensors[1::2], strict=False)
    whole = bool(content) and len(content) == len(tensors) and len(content) % 2 == 0
    return whole and all(up.shape[1] == down.shape[0] for up, down in pairs)


def _turbo_keys(updates: Sequence[Tensor]) -> dict[str, Tensor]:
    """The tensors of such a list under the keys `0.lora_up`, `0.lora_down`, `1.lora_up`, ..."""
    ends = ("lora_up", "lora_down")
    return {f"{n // 2}.{ends[n % 2]}": tensor.detach() for n, tensor in enumerate(updates)}


def _tensors_of(mapping: Mapping[object, object]) -> dict[str, Tensor]:
    return {str(key): value.detach() for key, value in mapping.items() if isinstance(value, Tensor)}
