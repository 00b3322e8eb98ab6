"""The mapper in both layouts: any length and rate, batches, gradients, depth, bad input."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
import torch

from a2v_core.errors import A2VError
from a2v_core.tokens import AudioMapper, AudioTokens, FrameTokens, Layout, frames_for, stack_layers
from tests.golden_recipe import recipe
from tests.tokens.tiny import sound_of, tiny_config, tiny_mapper

LAYOUTS = get_args(Layout)
both_layouts = pytest.mark.parametrize("layout", LAYOUTS)


@both_layouts
@pytest.mark.parametrize("duration", [0.175, 1.0, 2.0, 3.7, 61.3])
@pytest.mark.parametrize("fps", [7.5, 12.0, 24000 / 1001, 30.0])
@pytest.mark.parametrize("num_frames", [0, 1, 100])
def test_any_length_and_rate(layout: Layout, duration: float, fps: float, num_frames: int) -> None:
    mapper = tiny_mapper(layout)
    frame_tokens = mapper.frame_tokens(sound_of(duration), num_frames, fps)
    tokens = mapper.pool(frame_tokens)
    expected = num_frames or max(1, round(duration * fps))
    assert (frame_tokens.num_frames, frame_tokens.width) == (expected, 8)
    assert (tokens.num_frames, tokens.width, tokens.fps) == (expected, 8, fps)
    assert list(tokens.words) == ["temp", "local1", "local2", "local3", "local4", "class"]
    torch.testing.assert_close(tokens.words["temp"], frame_tokens.tokens)
    assert all(value.isfinite().all() for value in tokens.words.values())
    for piece in tokens.words["class"].split(24 if layout == "reference" else expected):
        assert torch.equal(piece, piece[:1].expand_as(piece))


@both_layouts
def test_a_batch_equals_its_clips_one_by_one(layout: Layout) -> None:
    mapper = tiny_mapper(layout)
    features = sound_of(3.7, batch=3)
    batched = mapper(stack_layers(features.layers), features.times, 37, 10.0)
    for index in range(3):
        alone = mapper.pool(mapper.frame_tokens(features, 37, 10.0, index))
        for word, tokens in alone.words.items():
            torch.testing.assert_close(batched[word][index], tokens, atol=1e-6, rtol=1e-5, msg=word)


@both_layouts
def test_gradient_reaches_all_17_tensors_and_the_features(layout: Layout) -> None:
    mapper = tiny_mapper(layout)
    features = sound_of(2.0, batch=2)
    stacked = stack_layers(features.layers).requires_grad_()
    words = mapper(stacked, features.times, 24, 12.0)
    sum((tokens * recipe(word, tokens.shape)).sum() for word, tokens in words.items()).backward()
    gradients = {name: value.grad for name, value in mapper.named_parameters()}
    assert len(gradients) == 17
    assert [name for name, grad in gradients.items() if grad is None or not grad.abs().sum() > 0] == []
    assert stacked.grad is not None
    assert (stacked.grad.abs().sum(dim=(0, 2, 3)) > 0).all()


def test_class_gradient_equals_a_finite_difference() -> None:
    """The pairwise potential without its F x F matrix is still the gradient of the same function."""
    pooling = tiny_mapper().fga.double()
    tokens = recipe("tokens", (2, 5, 8)).double().mul(5).requires_grad_()
    assert torch.autograd.gradcheck(pooling, (tokens,))


@pytest.mark.parametrize("depth", [2, 3, 6])
@both_layouts
def test_depth_and_windows_are_free(layout: Layout, depth: int) -> None:
    mapper = AudioMapper(replace(tiny_config(layout), depth=depth, windows=(3,), words=()))
    tokens = mapper.pool(mapper.frame_tokens(sound_of(2.0), 0, 12.0))
    assert list(tokens.words) == ["temp", "local1", "class"]
    linear = [
        value.shape for key, value in mapper.state_dict().items() if key.startswith("fc") and value.ndim == 2
    ]
    assert linear[0][1] == 12
    assert linear[-1] == (8, 8)
    assert len(linear) == depth


def test_only_the_words_and_layers_of_the_config_are_used() -> None:
    config = replace(tiny_config("time_aligned"), input_size=6, layers=(1,), words=("class", "local2"))
    mapper = AudioMapper(config).eval()
    features = sound_of(2.0)
    tokens = mapper.pool(mapper.frame_tokens(features, 0, 12.0))
    assert list(tokens.words) == ["class", "local2"]
    features.layers[:, 0] = 7.0
    again = mapper.pool(mapper.frame_tokens(features, 0, 12.0))
    torch.testing.assert_close(again.words["class"], tokens.words["class"], atol=0, rtol=0)


def test_inference_builds_no_graph_and_has_no_chance_in_it() -> None:
    mapper = tiny_mapper().train()
    first = mapper.pool(mapper.frame_tokens(sound_of(2.0), 0, 12.0)).words["class"]
    second = mapper.pool(mapper.frame_tokens(sound_of(2.0), 0, 12.0)).words["class"]
    assert not first.requires_grad
    assert torch.equal(first, second)


@pytest.mark.parametrize(
    ("num_frames", "fps", "index", "says"),
    [
        (0, 0.0, 0, "fps is 0.0"),
        (0, -12.0, 0, "fps is -12.0"),
        (0, float("nan"), 0, "fps is nan"),
        (-1, 12.0, 0, "num_frames is -1"),
        (0, 12.0, 1, "there are 1 sounds"),
        (0, 12.0, -1, "batch index is -1"),
    ],
)
def test_impossible_requests_are_named(num_frames: int, fps: float, index: int, says: str) -> None:
    with pytest.raises(A2VError, match=says):
        tiny_mapper().frame_tokens(sound_of(2.0), num_frames, fps, index)


def test_features_of_another_encoder_are_refused() -> None:
    mapper = AudioMapper(replace(tiny_config(), input_size=24))
    with pytest.raises(A2VError, match=r"width is 24 .*mapper was trained with"):
        mapper.frame_tokens(sound_of(2.0), 0, 12.0)
    mapper = AudioMapper(replace(tiny_config(), layers=(0, 11)))
    with pytest.raises(A2VError, match="uses encoder layer 11, the audio encoder has 2"):
        mapper.frame_tokens(sound_of(2.0), 0, 12.0)


def test_frame_tokens_of_another_mapper_are_refused() -> None:
    tokens = tiny_mapper("reference").frame_tokens(sound_of(2.0), 0, 12.0)
    with pytest.raises(A2VError, match=r"layout reference and width 8 do not fit .* layout time_aligned"):
        tiny_mapper("time_aligned").pool(tokens)


def test_training_needs_a_frame_count() -> None:
    features = sound_of(2.0)
    with pytest.raises(A2VError, match="num_frames is 0; expected at least 1"):
        tiny_mapper()(stack_layers(features.layers), features.times, 0, 12.0)


@pytest.mark.parametrize(
    ("duration", "fps", "frames"), [(2.0, 12.0, 24), (0.01, 12.0, 1), (3.7, 7.5, 28), (0.5, 5.0, 3)]
)
def test_frames_for_rounds_to_the_nearest(duration: float, fps: float, frames: int) -> None:
    assert frames_for(duration, fps) == frames
    assert frames_for(duration, fps, 9) == 9


def test_tokens_of_unequal_shapes_are_refused() -> None:
    with pytest.raises(A2VError, match=r"one shape .* got .*'class': \[8\]"):
        AudioTokens({"temp": torch.zeros(3, 8), "class": torch.zeros(8)}, 12.0)
    with pytest.raises(A2VError, match="one shape"):
        AudioTokens({}, 12.0)
    with pytest.raises(A2VError, match=r"\[frames, width\], got \[0, 8\]"):
        FrameTokens(torch.zeros(0, 8), 12.0, "reference")
