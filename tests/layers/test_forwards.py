"""Replaced forwards: put in, refused, taken out, copied with their module."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import nn

from a2v_core.errors import A2VError
from a2v_core.layers.forwards import Replacement, is_replaced, replace_forwards


@dataclass(frozen=True)
class Times(Replacement):
    about = "a product"
    factor: int

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.factor * self.original(*args, **kwargs)


X = torch.ones(3)


def layer() -> nn.Module:
    return nn.Identity()


def test_put_in_and_taken_out() -> None:
    one, other = layer(), layer()
    undo = replace_forwards(Times(module, 2) for module in (one, other))
    assert is_replaced(one)
    assert torch.equal(one(X) + other(X), 4 * X)
    assert torch.equal(one.forward(X), 2 * X)
    undo()
    assert not is_replaced(one)
    assert torch.equal(one(X), X)
    undo()
    assert torch.equal(one(X), X)


def test_the_same_again_changes_nothing() -> None:
    one = layer()
    undo = replace_forwards([Times(one, 2)])
    again = replace_forwards([Times(one, 2)])
    assert torch.equal(one(X), 2 * X)
    again()
    assert is_replaced(one), "the second call put nothing in"
    undo()
    assert not is_replaced(one)


def test_another_one_is_refused_before_anything_is_changed() -> None:
    one, other = layer(), layer()
    replace_forwards([Times(other, 2)])
    with pytest.raises(
        A2VError,
        match=r"Identity: its forward is replaced by a product already; undo that before .*a product",
    ):
        replace_forwards([Times(one, 3), Times(other, 3)])
    assert not is_replaced(one)
    assert torch.equal(other(X), 2 * X)


def test_what_others_put_there_stays() -> None:
    one = layer()
    one.forward = lambda x: 5 * x
    with pytest.raises(A2VError, match="replaced by other code already"):
        replace_forwards([Times(one, 2)])
    undo = replace_forwards([Times(other := layer(), 2)])
    other.forward = one.forward
    undo()
    assert torch.equal(other(X), 5 * X)


def test_a_copy_has_its_own() -> None:
    one = nn.Linear(3, 3, bias=False).requires_grad_(False)
    undo = replace_forwards([Times(one, 2)])
    twin = copy.deepcopy(one)
    expected = twin(X)
    undo()
    one.weight.zero_()
    assert expected.abs().sum() > 0
    assert torch.equal(twin(X), expected)
    assert is_replaced(twin)


def test_hooks_stay_outside() -> None:
    one = layer()
    one.register_forward_hook(lambda module, args, output: output + 1)
    replace_forwards([Times(one, 2)])
    assert torch.equal(one(X), 2 * X + 1)
