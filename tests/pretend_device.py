"""A device that is not the CPU, on a machine that has no other: its tensors say that they lie elsewhere, and
hold theirs on the CPU. Whatever mixes the two fails, as it would on a GPU; results are those of a CPU.

It calls itself "meta", the one kind of device that PyTorch lets anybody make tensors of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map, tree_unflatten

DEVICE = torch.device("meta")
aten = torch.ops.aten
# May take tensors of both: a copy, and what is indexed by positions on the CPU.
MIXING = {
    aten.copy_.default,
    aten._to_copy.default,
    aten.index.Tensor,
    aten.index_put_.default,
    aten.index_put.default,
    aten._index_put_impl_.default,
}


class Elsewhere(Tensor):
    """A tensor of the device; `held` is what it holds."""

    held: Tensor

    @staticmethod
    def __new__(cls, held: Tensor) -> Elsewhere:
        made: Elsewhere = Tensor._make_wrapper_subclass(
            cls,
            held.shape,
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            layout=held.layout,
            device=DEVICE,
            requires_grad=held.requires_grad,
        )
        made.held = held
        return made

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        return dispatch(func, args, dict(kwargs or {}))


class Mixed(RuntimeError):
    """Tensors of two devices in one operation."""


def dispatch(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    flat, spec = tree_flatten((args, kwargs))
    ours = [value for value in flat if isinstance(value, Elsewhere)]
    others = [value for value in flat if isinstance(value, Tensor) and not isinstance(value, Elsewhere)]
    if ours and func not in MIXING and (wide := [value for value in others if value.ndim]):
        shapes = [list(value.shape) for value in (*ours, *wide)]
        raise Mixed(f"{func}: tensors of the device and of the CPU together, {shapes}")
    target = kwargs.get("device")
    there = target == DEVICE if target is not None else bool(ours)
    if func is aten.copy_.default:
        there = isinstance(args[0], Elsewhere)
    if func in (aten.index.Tensor, aten.index_put.default, aten.index_put_.default):
        there = isinstance(args[0], Elsewhere)
        if not there and ours:
            raise Mixed(f"{func}: a tensor of the CPU is indexed by one of the device")
    inner_args, inner_kwargs = tree_unflatten(
        [value.held if isinstance(value, Elsewhere) else value for value in flat], spec
    )
    if target is not None:
        inner_kwargs["device"] = torch.device("cpu")
    inner_kwargs.pop("pin_memory", None)
    result = func(*inner_args, **inner_kwargs)
    if not there:
        return result
    by_inner = {id(value.held): value for value in ours}

    def placed(value: Any) -> Any:
        if not isinstance(value, Tensor) or isinstance(value, Elsewhere):
            return value
        return by_inner[id(value)] if id(value) in by_inner else Elsewhere(value)

    return tree_map(placed, result)


class _Operations(TorchDispatchMode):
    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        return dispatch(func, args, dict(kwargs or {}))


class _Constructors(TorchFunctionMode):
    """`torch.tensor`, and indexing by a list, write numbers past all operations: they are made on the CPU."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        if func in (torch.tensor, torch.as_tensor) and kwargs.get("device") is not None:
            device = torch.device(kwargs.pop("device"))
            return func(*args, **kwargs).to(device)
        if func in (Tensor.__getitem__, Tensor.__setitem__):
            args = (args[0], _as_tensors(args[1]), *args[2:])
        return func(*args, **kwargs)


def _as_tensors(index: Any) -> Any:
    if isinstance(index, tuple):
        return tuple(_as_tensors(part) for part in index)
    return torch.tensor(index) if isinstance(index, list) else index


class pretend_device(ExitStack):
    """While it lasts, `DEVICE` is a device like any other."""

    def __enter__(self) -> pretend_device:
        super().__enter__()
        self.enter_context(_Constructors())
        self.enter_context(_Operations())
        return self
