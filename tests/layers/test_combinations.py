"""Every cell of the table in `a2v_core/layers/__init__.py`, on a real small network."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import torch
from torch import Tensor, nn

import a2v_core.layers
from a2v_core.errors import A2VError
from a2v_core.layers import (
    KeptOutputs,
    checkpoint_modules,
    compile_modules,
    in_bfloat16,
    offload_weights,
    store_fp8,
    use_onednn_layers,
)
from a2v_core.layers.onednn import OneDNNLinear
from a2v_core.layers.stored import FP8, StoredLinear
from tests.layers.small import Small, small_input, small_network

ROUNDING = ("fp8", "bfloat16")
ON_MODULES = ("compile", "checkpoint", "keep")


def table() -> dict[tuple[str, str], str]:
    """(row, column) -> cell, the upper half."""
    lines = [line.split() for line in (a2v_core.layers.__doc__ or "").splitlines()]
    start = next(place for place, words in enumerate(lines) if words[:2] == ["oneDNN", "fp8"])
    names = lines[start]
    cells: dict[tuple[str, str], str] = {}
    for place, name in enumerate(names):
        row, *found = lines[start + 1 + place]
        assert row == name
        cells |= {(name, other): cell for other, cell in zip(names[place:], found, strict=True)}
    return cells


TABLE = table()
EQUAL = [pair for pair, cell in TABLE.items() if cell == "="]
BY_MODULE = [pair for pair, cell in TABLE.items() if cell == "(1)"]
# bfloat16 is a matter of one run: changes to weights come before it.
BOTH_ORDERS = [
    pair
    for pair in [*EQUAL, *(pair[::-1] for pair in EQUAL if pair[0] != pair[1])]
    if not (pair[0] == "bfloat16" and pair[1] in ("fp8", "offload"))
]


class Changed:
    """A small network with some changes to it, and to its module `inner` those that are named there."""

    def __init__(self, stack: ExitStack) -> None:
        self.network, self.outputs, self._stack = small_network(), KeptOutputs(), stack
        self.outputs.begin(("prompt",), reuse=False)

    def change(self, name: str, inner: bool = False) -> None:
        module: nn.Module = self.network.inner if inner else self.network
        changes: dict[str, Callable[[], object]] = {
            "oneDNN": lambda: use_onednn_layers(self.network),
            "fp8": lambda: store_fp8(self.network),
            "offload": lambda: offload_weights(self.network, "cpu"),
            "bfloat16": lambda: self._stack.enter_context(in_bfloat16(self.network)),
            "compile": lambda: compile_modules([module], "eager"),
            "checkpoint": lambda: checkpoint_modules([module]),
            "keep": lambda: self._stack.enter_context(self.outputs.active([module])),
        }
        changes[name]()

    def run(self, seed: int = 1) -> Tensor:
        with torch.no_grad():
            found: Tensor = self.network(small_input(seed).to(self.network.norm.weight.dtype))
        return found.float()

    def gradient(self) -> Tensor:
        x = small_input().requires_grad_()
        self.network(x.to(self.network.norm.weight.dtype)).float().square().sum().backward()
        assert x.grad is not None
        return x.grad


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    with ExitStack() as stack:
        yield stack


def assert_equal(changed: Changed, *names: str) -> None:
    """The results are those of the network with nothing but the changes by rounding."""
    with ExitStack() as stack:
        expected = Changed(stack)
        for name in dict.fromkeys(name for name in names if name in ROUNDING):
            expected.change(name)
        near = 0.02 if "bfloat16" in names else 1e-5
        torch.testing.assert_close(changed.run(), expected.run(), atol=near, rtol=near)
        torch.testing.assert_close(changed.gradient(), expected.gradient(), atol=10 * near, rtol=10 * near)


def assert_effect(changed: Changed, name: str, inner: bool = False, compiles: bool = True) -> None:
    """A change does what it is there for."""
    network: Small = changed.network
    module: nn.Module = network.inner if inner else network
    if name == "oneDNN":
        assert isinstance(network.inner.wide, OneDNNLinear | StoredLinear)
    elif name == "fp8":
        assert network.inner.wide.weight.dtype == FP8
    elif name == "offload":
        assert isinstance(network.inner.wide, StoredLinear)
    elif name == "bfloat16":
        assert network.norm.weight.dtype == torch.bfloat16
    elif name == "compile":
        assert bool(torch._dynamo.utils.counters["stats"]["unique_graphs"]) == compiles
    elif name == "checkpoint":
        calls: list[int] = []
        handle = network.inner.wide.register_forward_hook(lambda *_: calls.append(1))
        changed.gradient()
        handle.remove()
        assert len(calls) == 2  # forward, and once more in backward
    else:
        changed.outputs.begin(("prompt",), reuse=True)
        assert changed.outputs.find(module) is not None
        if not inner:
            assert torch.equal(changed.run(2), changed.run(3))


def test_the_table_has_all_pairs() -> None:
    names = list(dict.fromkeys(row for row, _ in TABLE))
    assert len(names) == 7
    assert list(TABLE) == list(itertools.combinations_with_replacement(names, 2))
    assert sorted(EQUAL + BY_MODULE) == sorted(TABLE)
    assert list(itertools.combinations(ON_MODULES, 2)) == BY_MODULE


@pytest.mark.parametrize(("first", "second"), BOTH_ORDERS)
def test_both_do_what_they_do_alone(first: str, second: str, stack: ExitStack) -> None:
    changed = Changed(stack)
    changed.change(first)
    changed.change(second)
    assert_equal(changed, first, second)
    for name in (first, second):
        assert_effect(changed, name)


@pytest.mark.parametrize(("first", "second"), [*BY_MODULE, *(pair[::-1] for pair in BY_MODULE)])
def test_on_different_modules_both_do_what_they_do_alone(first: str, second: str, stack: ExitStack) -> None:
    """The first on the network, the second on a module inside it."""
    changed = Changed(stack)
    changed.change(first)
    changed.change(second, inner=True)
    assert_equal(changed, first, second)
    assert_effect(changed, first, compiles=False)
    assert_effect(changed, second, inner=True)


@pytest.mark.parametrize(("first", "second"), [*BY_MODULE, *(pair[::-1] for pair in BY_MODULE)])
def test_on_the_same_module_the_second_is_refused(first: str, second: str, stack: ExitStack) -> None:
    changed = Changed(stack)
    changed.change(first)
    with pytest.raises(A2VError, match=r"Small: its forward is replaced by .* already"):
        changed.change(second)
    assert_equal(changed, first)
    assert_effect(changed, first)


def test_changes_by_rounding_change_something(stack: ExitStack) -> None:
    plain = Changed(stack).run()
    for name in ROUNDING:
        changed = Changed(stack)
        changed.change(name)
        assert 0 < float((changed.run() - plain).abs().max()) < 0.2
