"""Parts of the loss and of the optimizer, against their formulas."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn

from a2v_core.backbones.unet3d.load import load_t2v
from a2v_core.backbones.unet3d.per_frame import denoise
from a2v_core.prompts.splice import encode_clips
from training.config import make_config
from training.config.schema import Optimizer
from training.loop.batches import prompt_of
from training.loop.loss import Objective, gradient_ratio
from training.loop.optimize import Average, flat_gradient, learning_rate, set_gradient
from training.loop.setup import load_frozen


def objective(values: dict[str, Any], kind: str, **loss: Any) -> Objective:
    config = make_config(values | {"loss": loss})
    backbone = load_t2v(config.models.t2v, with_vae=False)
    backbone.scheduler_config = {**backbone.scheduler_config, "prediction_type": kind}
    return Objective.of(config, backbone)


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction", "sample"])
def test_min_snr_weights(values: dict[str, Any], kind: str) -> None:
    made = objective(values, kind, min_snr_gamma=5.0)
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2
    alphas = torch.cumprod(1 - betas, dim=0)
    torch.testing.assert_close(made.alphas, alphas)
    t = torch.tensor([0, 100, 400, 999])
    snr = alphas[t] / (1 - alphas[t])
    least = torch.minimum(snr, torch.tensor(5.0))
    weights = {"epsilon": least / snr, "v_prediction": least / (snr + 1), "sample": least}
    torch.testing.assert_close(made._weight(t), weights[kind])
    assert torch.equal(objective(values, kind)._weight(t), torch.ones(4))


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


def test_learning_rate() -> None:
    constant = Optimizer(learning_rate=1.0)
    assert {learning_rate(constant, step, 10) for step in range(10)} == {1.0}
    cosine = Optimizer(learning_rate=2.0, schedule="cosine", warm_up_steps=4, final_share=0.1)
    rates = [learning_rate(cosine, step, 15) for step in range(15)]
    assert rates[:5] == [0.5, 1.0, 1.5, 2.0, 2.0]
    assert rates[9] == pytest.approx(1.1)  # half way: the mean of 2 and 0.2
    assert rates[14] == pytest.approx(0.2)
    assert rates[4:] == sorted(rates[4:], reverse=True)
    assert learning_rate(cosine, 99, 15) == pytest.approx(0.2)


def test_average_and_gradients_of_all_processes() -> None:
    module = nn.Linear(2, 1)
    average = Average(module, decay=0.5)
    start = module.weight.detach().clone()
    with torch.no_grad():
        module.weight += 1
    average.update(module, step=0)  # quick at first: 1 / 10 of the old value
    torch.testing.assert_close(average.values["weight"], start + 0.9)
    average.update(module, step=100)
    torch.testing.assert_close(average.values["weight"], start + 0.95)

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
        context = encode_clips(backbone.text_encoder, backbone.tokenizer, ["a <temp> <class>"], words)
        calls = _layer_calls(backbone.text_encoder)
        denoise(
            backbone.unet, torch.randn(1, 4, 3, 2, 2), torch.tensor(500), context
        ).square().sum().backward()
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
