"""The product's loss: the pull of its L1 term, its prompts, and gradients over processes and layers."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn

from training.config import make_config
from training.loop.gradients import flat_gradient, set_gradient
from training.loop.loss import gradient_ratio
from training.loop.setup import load_frozen
from training.prompts import prompt_of


def test_strength_of_the_l1_term_is_exact() -> None:
    torch.manual_seed(0)
    tokens = torch.randn(2, 6, 4, requires_grad=True)
    goal = torch.randn(2, 6, 4)
    first = (tokens[:, :5] - goal[:, :5]).square().mean()
    second = 0.3 * tokens[:, :5].abs().mean()
    expected = [torch.autograd.grad(part, tokens, retain_graph=True)[0] for part in (first, second)]
    (first + second).backward()
    assert tokens.grad is not None
    ratio = gradient_ratio(tokens.grad, tokens, num_frames=5, l1_weight=0.3)
    assert ratio == pytest.approx(float(expected[1].norm() / expected[0].norm()), rel=1e-4)
    only = 0.3 * tokens.detach().sign() / tokens.numel()
    assert math.isnan(gradient_ratio(only, tokens, num_frames=6, l1_weight=0.3))


def test_gradients_of_all_processes() -> None:
    module = nn.Linear(2, 1)
    module.weight.grad = torch.tensor([[1.0, 2.0]])
    flat = flat_gradient(module.parameters())
    assert flat.tolist() == [1.0, 2.0, 0.0]
    set_gradient(module.parameters(), flat * 2)
    assert module.weight.grad.tolist() == [[2.0, 4.0]]
    assert module.bias.grad is not None
    assert module.bias.grad.tolist() == [0.0]


def test_prompts(values: dict[str, Any]) -> None:
    words = ("temp", "class")
    data = make_config(values).data
    assert prompt_of(data, "", words) == "a video of <temp> <class>"
    assert prompt_of(data, "a bell", words) == "a video of <temp> <class>, a bell"
    assert prompt_of(data, "<Temp> rings", words) == "<Temp> rings"
    assert prompt_of(data, "{audio} rings", words) == "<temp> <class> rings"
    values["data"] |= {"prompt": "<temp>", "caption_prompt": "{audio}: {caption}"}
    data = make_config(values).data
    assert prompt_of(data, "", words) == "<temp>"
    assert prompt_of(data, "rain", words) == "<temp> <class>: rain"


def test_checkpointing_changes_no_gradient(values: dict[str, Any]) -> None:
    gradients = []
    for on in (True, False):
        values["run"] |= {"gradient_checkpointing": on}
        backbone = load_frozen(make_config(values), torch.device("cpu"))
        torch.manual_seed(0)
        words = {word: torch.randn(1, 3, 32, requires_grad=True) for word in ("temp", "class")}
        context = backbone.encode_texts(["a <temp> <class>"], words)
        calls = _layer_calls(backbone.parts()["text"][0])
        backbone.denoise(torch.randn(1, 4, 3, 2, 2), torch.tensor(500), context).square().sum().backward()
        assert len(calls) == (2 if on else 0)
        gradients.append([words[word].grad for word in words])
    for one, two in zip(*gradients, strict=True):
        assert one is not None
        torch.testing.assert_close(one, two)


def _layer_calls(text_encoder: Any) -> list[str]:
    """Fills while layers of the text encoder run: in backward, where they are checkpointed."""
    calls: list[str] = []
    for layer in text_encoder.modules():
        if type(layer).__name__ == "CLIPMLP":
            layer.register_forward_pre_hook(lambda *_: calls.append("layer"))
    return calls
