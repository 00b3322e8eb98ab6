"""Modules through torch.compile: when they run compiled, and when as they are."""

from __future__ import annotations

import pytest
import torch

from a2v_core.errors import A2VError
from a2v_core.layers import compile_modules, is_replaced
from tests.layers.small import small_input, small_network


def graphs() -> int:
    """How many were traced since the last reset."""
    return int(torch._dynamo.utils.counters["stats"]["unique_graphs"])


@pytest.fixture(autouse=True)
def _nothing_is_traced_yet() -> None:
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()


def test_modules_of_a_class_share_their_graph() -> None:
    one, other = small_network(), small_network()
    expected = one(small_input())
    undo = compile_modules([one, other], "eager")
    with torch.no_grad():
        for _ in range(2):
            assert torch.equal(one(small_input()), expected)
            assert torch.equal(other(small_input()), expected)
    assert graphs() == 1
    undo()
    assert not is_replaced(one)


def test_with_gradients_they_run_as_they_are() -> None:
    one, x = small_network(), small_input().requires_grad_()
    compile_modules([one], "eager")
    one(x).sum().backward()
    assert x.grad is not None
    assert graphs() == 0


def test_another_backend_is_refused() -> None:
    one = small_network()
    compile_modules([one], "eager")
    compile_modules([one], "eager")
    with pytest.raises(A2VError, match="Small: its forward is replaced by compiled code already"):
        compile_modules([one], "aot_eager")
