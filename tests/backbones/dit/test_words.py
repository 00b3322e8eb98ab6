"""Audio tokens as pseudo-words in the frozen text attention of a real, tiny Wan."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import pytest
import torch
import torch.nn.functional as nnf
from torch import Tensor

from a2v_core.backbones import BlockStack
from a2v_core.backbones.dit import (
    AdapterConfig,
    AudioAdapter,
    FrozenText,
    audio_in_blocks,
    load_adapter,
    place_blocks,
    save_adapter,
)
from a2v_core.errors import A2VError
from a2v_core.layers import checkpoint_modules
from tests.backbones.dit.tiny import SPEC, WIDTH, tiny_adapter, tiny_wan, words_of_clip
from tests.golden_recipe import recipe
from tests.tiny_wan import CHANNELS, HEADS, TEXT_WIDTH

FRAMES, LATENT_FRAMES = 9, 3


@pytest.fixture(scope="module")
def wan() -> Any:
    return tiny_wan()


def adapter_of(scale: float) -> AudioAdapter:
    adapter = tiny_adapter(route="words", text_width=TEXT_WIDTH)
    for block in ("0", "2"):
        torch.nn.init.constant_(adapter.attention[block].scale, scale)  # type: ignore[arg-type]
    return adapter


def predict(wan: Any, adapter: AudioAdapter | None, gate: float = 1.0, words: Any = None) -> Tensor:
    x = recipe("x", (1, CHANNELS, LATENT_FRAMES, 4, 4)) * 10
    states = recipe("text", (1, 5, TEXT_WIDTH))

    def run() -> Tensor:
        predicted: Tensor = wan(x, torch.tensor([500]), states, return_dict=False)[0]
        return predicted

    if adapter is None:
        return run()
    text = FrozenText(wan.condition_embedder.text_embedder, attrgetter("attn2"))
    tokens = adapter.tokens(words_of_clip(FRAMES) if words is None else words, SPEC)
    with audio_in_blocks(wan.blocks, adapter, tokens, torch.full((1, 1), gate), text):
        return run()


@torch.no_grad()
def test_without_effect_at_the_start_and_at_gate_zero(wan: Any) -> None:
    expected = predict(wan, None)
    assert torch.equal(predict(wan, adapter_of(0.0)), expected)
    assert torch.equal(predict(wan, adapter_of(0.1), gate=0.0), expected)
    assert float((predict(wan, adapter_of(0.1)) - expected).abs().max()) > 1e-3


@torch.no_grad()
def test_a_block_sees_the_words_of_its_own_latent_frame(wan: Any) -> None:
    """With a whole scale, against softmax over the text and the words of the frame, by hand."""
    adapter = adapter_of(0.1)
    tokens = adapter.tokens(words_of_clip(FRAMES), SPEC)
    attention, embed = wan.blocks[0].attn2, wan.condition_embedder.text_embedder
    x, states = recipe("in", (1, LATENT_FRAMES * 4, WIDTH)) * 9, recipe("s", (1, 5, WIDTH)) * 9
    text = FrozenText(embed, attrgetter("attn2"))
    with audio_in_blocks(wan.blocks, adapter, tokens, torch.ones(1, 1), text):
        found = attention(x, states)
    words = embed(adapter.attention.project(tokens))  # type: ignore[operator]
    for frame in range(LATENT_FRAMES):
        rows = slice(4 * frame, 4 * frame + 4)
        seen = torch.cat([states[0], words[0, frame]])
        q = attention.norm_q(attention.to_q(x[0, rows])).view(4, HEADS, -1).transpose(0, 1)
        k, v = (
            part.view(len(seen), HEADS, -1).transpose(0, 1)
            for part in (attention.norm_k(attention.to_k(seen)), attention.to_v(seen))
        )
        weights = (q @ k.transpose(1, 2) / q.shape[-1] ** 0.5).softmax(-1)
        expected = attention.to_out[0]((weights @ v).transpose(0, 1).flatten(1))
        torch.testing.assert_close(found[0, rows], expected, atol=1e-5, rtol=1e-4)


def test_recomputed_activations_hear_the_words_too(wan: Any) -> None:
    """Hooks of one call are gone in backward, and back for what is recomputed."""

    def gradients(adapter: AudioAdapter) -> dict[str, Tensor]:
        predict(wan, adapter).square().mean().backward()
        return {
            name: parameter.grad
            for name, parameter in adapter.named_parameters()
            if parameter.grad is not None
        }

    expected = gradients(adapter_of(0.05))
    undo = checkpoint_modules(wan.blocks)
    try:
        found = gradients(adapter_of(0.05))
    finally:
        undo()
    assert {name for name in expected if name.startswith("attention")} == {
        *("attention.0.scale", "attention.2.scale", "attention.project.weight", "attention.project.bias")
    }
    for name, gradient in expected.items():
        assert float(gradient.abs().max()) > 0
        torch.testing.assert_close(found[name], gradient, atol=1e-7, rtol=1e-4)
    assert all(not module._forward_hooks for module in wan.modules())


def test_it_is_saved_and_refused_by_name(tmp_path: Any) -> None:
    adapter = adapter_of(0.1)
    save_adapter(tmp_path / "words.safetensors", adapter)
    found = load_adapter(tmp_path / "words.safetensors")
    assert (found.config.route, found.config.text_width) == ("words", TEXT_WIDTH)
    assert torch.equal(found.attention.project.weight, adapter.attention.project.weight)  # type: ignore[arg-type, union-attr]
    tokens = adapter.tokens(words_of_clip(FRAMES), SPEC)
    with pytest.raises(A2VError, match="the audio adapter has the route words"):
        adapter.inject(0, torch.zeros(1, 12, WIDTH), tokens, torch.ones(1, 1))
    with (
        pytest.raises(A2VError, match="route words needs the text's way"),
        audio_in_blocks([], adapter, tokens, torch.ones(1, 1)),
    ):
        pass


@pytest.mark.parametrize(
    ("name", "blocks"),
    [
        ("every_third", (0, 3, 6)),
        ("early", (0, 1, 2)),
        ("all", tuple(range(8))),
        ([1, 4], (1, 4)),
    ],
)
def test_blocks_by_name(name: Any, blocks: tuple[int, ...]) -> None:
    assert place_blocks(name, 8) == blocks


def test_config_of_a_model_takes_its_sizes() -> None:
    stack = BlockStack(8, 24, TEXT_WIDTH)
    options: dict[str, Any] = {"base_model": "m", "token_width": 16, "inner": 8, "heads": 2}
    config = AdapterConfig.for_model(SPEC, stack, "early", **options)
    assert (config.family, config.width, config.layers, config.blocks) == (SPEC.family, 24, 8, (0, 1, 2))
    assert (config.time, config.first_alone, config.text_width) == (SPEC.time, SPEC.first_alone, 0)
    assert AdapterConfig.for_model(SPEC, stack, [7], **options, route="words").text_width == TEXT_WIDTH
    with pytest.raises(A2VError, match="blocks are some of 0 to 7"):
        AdapterConfig.for_model(SPEC, stack, [8], **options)


@pytest.mark.parametrize("route", [{}, {"route": "bias"}, {"route": "words", "text_width": TEXT_WIDTH}])
def test_a_model_in_half_precision_with_weights_in_float32(wan: Any, route: dict[str, Any]) -> None:
    half = tiny_wan().to(torch.bfloat16)
    adapter = tiny_adapter(**route)
    for name, parameter in adapter.attention.named_parameters():
        torch.nn.init.normal_(parameter, std=0.02 if name.endswith("scale") else 0.3)
    tokens = adapter.tokens(words_of_clip(FRAMES), SPEC)
    text = FrozenText(half.condition_embedder.text_embedder, attrgetter("attn2"))
    x = recipe("x", (1, CHANNELS, LATENT_FRAMES, 4, 4)) * 10
    states = recipe("text", (1, 5, TEXT_WIDTH))

    def run(model: Any, dtype: torch.dtype) -> Tensor:
        predicted: Tensor = model(x.to(dtype), torch.tensor([500]), states.to(dtype), return_dict=False)[0]
        return predicted.float()

    exact = predict_with(wan, adapter, tokens, run)
    silent = run(half, torch.bfloat16)
    with audio_in_blocks(half.blocks, adapter, tokens.bfloat16(), torch.ones(1, 1).bfloat16(), text):
        found = run(half, torch.bfloat16)
    with audio_in_blocks(half.blocks, adapter, tokens.bfloat16(), torch.zeros(1, 1).bfloat16(), text):
        assert torch.equal(run(half, torch.bfloat16), silent)
    change, expected = (found - silent).detach(), (exact - run(wan, torch.float32)).detach()
    assert float(expected.abs().mean()) > 0.01
    assert float(nnf.cosine_similarity(change.flatten(), expected.flatten(), dim=0)) > 0.95
    found.square().mean().backward()
    kinds = {
        parameter.grad.dtype for parameter in adapter.attention.parameters() if parameter.grad is not None
    }
    assert kinds == {torch.float32}


def predict_with(wan: Any, adapter: AudioAdapter, tokens: Tensor, run: Any) -> Tensor:
    text = FrozenText(wan.condition_embedder.text_embedder, attrgetter("attn2"))
    with audio_in_blocks(wan.blocks, adapter, tokens, torch.ones(1, 1), text):
        predicted: Tensor = run(wan, torch.float32)
    return predicted
