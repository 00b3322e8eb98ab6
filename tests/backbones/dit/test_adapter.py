"""Frame attention in a real, tiny Wan: without effect at the start and at gate 0, local to frames after."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from a2v_core.backbones.dit import AudioAdapter, audio_in_blocks
from a2v_core.errors import A2VError
from a2v_core.tokens import AudioMapper, MapperConfig
from tests.backbones.dit.tiny import (
    KINDS,
    SPEC,
    TOKEN_WIDTH,
    WIDTH,
    tiny_adapter,
    tiny_config,
    tiny_wan,
    trained,
    words_of_clip,
)
from tests.golden_recipe import recipe
from tests.tiny_wan import CHANNELS, LAYERS, TEXT_WIDTH

FRAMES, LATENT_FRAMES = 9, 3


@pytest.fixture(scope="module")
def wan() -> Any:
    return tiny_wan()


def predict(wan: Any, rows: int = 1) -> Tensor:
    x = recipe("x", (1, CHANNELS, LATENT_FRAMES, 4, 4)).repeat(rows, 1, 1, 1, 1) * 10
    text = recipe("text", (1, 5, TEXT_WIDTH)).repeat(rows, 1, 1)
    predicted: Tensor = wan(x, torch.full((rows,), 500), text, return_dict=False)[0]
    return predicted


def test_an_untrained_adapter_changes_nothing(wan: Any) -> None:
    adapter = tiny_adapter()
    tokens = adapter.tokens(words_of_clip(FRAMES), SPEC)
    expected = predict(wan)
    with torch.no_grad(), audio_in_blocks(wan.blocks, adapter, tokens, torch.ones(1, 1)):
        assert torch.equal(predict(wan), expected)
    assert torch.equal(predict(wan), expected)


@pytest.mark.parametrize("kind", [{}, {"route": "bias"}, {"has_bias": False}])
def test_a_gate_of_zero_is_the_base_model(wan: Any, kind: dict[str, Any]) -> None:
    adapter = trained(tiny_adapter(**kind))
    tokens = adapter.tokens(words_of_clip(FRAMES), SPEC).repeat(2, 1, 1, 1)
    expected = predict(wan, 2)
    with torch.no_grad(), audio_in_blocks(wan.blocks, adapter, tokens, torch.tensor([[1.0], [0.0]])):
        found = predict(wan, 2)
    assert torch.equal(found[1], expected[1])
    assert float((found[0] - expected[0]).abs().max()) > 0.01


@pytest.mark.parametrize("kind", [{}, {"route": "bias"}])
def test_a_latent_frame_has_the_audio_of_its_own_frames(kind: dict[str, Any]) -> None:
    adapter = trained(tiny_adapter(**kind))
    x = recipe("tokens", (1, LATENT_FRAMES * 4, WIDTH)) * 30
    words = words_of_clip(FRAMES)
    before = adapter.inject(0, x, adapter.tokens(words, SPEC), torch.ones(1, 1))
    words["local1"] = words["local1"].clone()
    words["local1"][:, 6] *= -1  # a frame of the last latent frame
    after = adapter.inject(0, x, adapter.tokens(words, SPEC), torch.ones(1, 1))
    assert torch.equal(before[:, :8], after[:, :8])
    assert float((before[:, 8:] - after[:, 8:]).detach().abs().mean()) > 1e-4


def test_a_gate_for_every_latent_frame() -> None:
    adapter = trained(tiny_adapter())
    x = recipe("tokens", (1, LATENT_FRAMES * 4, WIDTH)) * 30
    tokens = adapter.tokens(words_of_clip(FRAMES), SPEC)
    whole = adapter.inject(2, x, tokens, torch.ones(1, 1)) - x
    half = adapter.inject(2, x, tokens, torch.tensor([[0.0, 0.5, 1.0]])) - x
    scales = torch.tensor([0.0, 0.5, 1.0]).repeat_interleave(4)[None, :, None]
    torch.testing.assert_close(half, whole * scales, atol=1e-5, rtol=1e-5)


def test_tokens_that_are_not_of_the_video_stay(wan: Any) -> None:
    adapter = trained(tiny_adapter())
    tokens = adapter.tokens(words_of_clip(FRAMES), SPEC)
    video = recipe("tokens", (1, LATENT_FRAMES * 4, WIDTH)) * 30
    before, after = recipe("before", (1, 5, WIDTH)), recipe("after", (1, 2, WIDTH))
    found = adapter.inject(0, torch.cat([before, video, after], 1), tokens, torch.ones(1, 1), offset=5)
    assert torch.equal(found[:, :5], before)
    assert torch.equal(found[:, -2:], after)
    assert torch.equal(found[:, 5:-2], adapter.inject(0, video, tokens, torch.ones(1, 1)))
    assert adapter.inject(1, video, tokens, torch.ones(1, 1)) is video


def test_it_is_attention_as_written_down() -> None:
    """Against softmax(q k / sqrt(e)) v by hand, for one latent frame."""
    adapter = trained(tiny_adapter(has_bias=False))
    layer: Any = adapter.attention["0"]
    x, tokens = recipe("tokens", (1, 4, WIDTH)) * 30, recipe("audio", (1, 1, 12, TOKEN_WIDTH)) * 10
    normed = (x - x.mean(-1, keepdim=True)) / (x.var(-1, unbiased=False, keepdim=True) + 1e-5).sqrt()
    q, k, v = layer.q(normed)[0], layer.k(tokens)[0, 0], layer.v(tokens)[0, 0]
    heads = []
    for part in (slice(0, 12), slice(12, 24)):
        rms = [rows[:, part] / rows[:, part].square().mean(-1, keepdim=True).sqrt() for rows in (q, k)]
        scores = (rms[0] * layer.q_norm.weight) @ (rms[1] * layer.k_norm.weight).T / 12**0.5
        heads.append(scores.softmax(-1) @ v[:, part])
    expected = layer.out(torch.cat(heads, -1))
    torch.testing.assert_close(layer(x, tokens)[0, 0], expected, atol=1e-4, rtol=1e-4)


def test_gradients_reach_every_weight_but_the_base(wan: Any) -> None:
    adapter = trained(tiny_adapter()).train()
    tokens = adapter.tokens(words_of_clip(FRAMES), SPEC)
    with audio_in_blocks(wan.blocks, adapter, tokens, torch.ones(1, 1)):
        predict(wan).square().mean().backward()
    own = {name: p.grad for name, p in adapter.named_parameters() if not name.startswith("mapper")}
    assert [name for name, grad in own.items() if grad is None or not float(grad.abs().max())] == [
        # A shift of all keys changes no softmax.
        *(name for name in own if name.endswith("k.bias") and not float(own[name].abs().max()))  # type: ignore[union-attr]
    ]
    assert all(p.grad is None for p in wan.parameters())


def test_hooks_go_after_an_error(wan: Any) -> None:
    adapter = trained(tiny_adapter())
    tokens = adapter.tokens(words_of_clip(FRAMES), SPEC)
    expected = predict(wan)
    with (
        pytest.raises(KeyboardInterrupt),
        audio_in_blocks(wan.blocks, adapter, tokens, torch.ones(1, 1)),
    ):
        raise KeyboardInterrupt
    assert torch.equal(predict(wan), expected)


def test_what_does_not_fit_is_refused_with_both_numbers() -> None:
    config = tiny_config()
    config.check_fits(WIDTH, LAYERS, SPEC)
    with pytest.raises(A2VError, match=r"tiny Wan \(Wan\): its width is 48, that of the connected model 64"):
        config.check_fits(64, LAYERS, SPEC)
    with pytest.raises(A2VError, match="its number of blocks is 3, that of the connected model 30"):
        config.check_fits(WIDTH, 30, SPEC)
    with pytest.raises(A2VError, match="tokens 9 wide, the audio adapter takes 8"):
        AudioAdapter(config, AudioMapper(MapperConfig(input_size=3, hidden_size=3, output_size=9)))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"blocks": (2, 0)}, "blocks are some of 0 to 2, ascending"),
        ({"blocks": (0, 3)}, "blocks are some of 0 to 2, ascending"),
        ({"blocks": ()}, "it has blocks"),
        ({"heads": 5}, "heads divide inner"),
        ({"route": "smell"}, "route is one of frame_attention, bias, words"),
        ({"route": "words"}, "route words, and no other, has a text_width"),
        ({"text_width": 24}, "route words, and no other, has a text_width"),
        ({"width": 0}, "sizes are positive"),
        ({"kinds": ()}, "it has a kind of word"),
    ],
)
def test_configs_that_make_no_adapter(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(A2VError, match=says):
        tiny_config(**changes)


def test_words_keep_their_kind() -> None:
    """Two kinds with the same numbers are told apart by their embedding."""
    adapter = tiny_adapter()
    same = recipe("same", (1, FRAMES, TOKEN_WIDTH))
    tokens = adapter.tokens(dict.fromkeys(KINDS, same), SPEC).unflatten(2, (4, 3))
    torch.testing.assert_close(
        tokens[:, :, :, 1] - tokens[:, :, :, 0],
        (adapter.kind[1] - adapter.kind[0]).expand(1, LATENT_FRAMES, 4, -1),
    )
