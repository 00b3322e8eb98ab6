"""The class word of a long sound: near and over all, blended; a short sound is left alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from a2v_core.errors import A2VError
from a2v_core.tokens import AudioMapper, FrameTokens, MapperConfig
from a2v_core.tokens.long_class import pool_long
from a2v_core.tokens.types import Layout
from tests.golden_recipe import fill_module

SIZES = MapperConfig(input_size=12, hidden_size=16, output_size=8)


def mapper_of(layout: Layout) -> AudioMapper:
    mapper = AudioMapper(replace(SIZES, layout=layout))
    mapper.load_state_dict(fill_module(mapper.state_dict()))
    return mapper.eval().requires_grad_(False)


def tokens_of(layout: Layout, frames: int) -> FrameTokens:
    return FrameTokens(torch.randn(frames, 8, generator=torch.Generator().manual_seed(2)), 12.0, layout)


@pytest.mark.parametrize("layout", ["reference", "time_aligned"])
@pytest.mark.parametrize("frames", [1, 24])
def test_one_window_is_the_published_pooling(layout: Layout, frames: int) -> None:
    mapper, tokens = mapper_of(layout), tokens_of(layout, frames)
    plain, found = mapper.pool(tokens).words, pool_long(mapper, tokens).words
    assert all(torch.equal(found[word], plain[word]) for word in plain)


@pytest.mark.parametrize("layout", ["reference", "time_aligned"])
def test_other_words_are_left_alone(layout: Layout) -> None:
    mapper, tokens = mapper_of(layout), tokens_of(layout, 61)
    plain, found = mapper.pool(tokens).words, pool_long(mapper, tokens).words
    assert list(found) == list(plain)
    assert all(torch.equal(found[word], plain[word]) for word in plain if word != "class")


def test_the_whole_share_is_one_token_for_all_frames() -> None:
    mapper, tokens = mapper_of("time_aligned"), tokens_of("time_aligned", 61)
    torch.testing.assert_close(
        pool_long(mapper, tokens, share=1).words["class"], mapper.pool(tokens).words["class"]
    )
    chunked = mapper_of("reference")
    overall = chunked.fga(tokens.tokens[None])
    found = pool_long(chunked, tokens_of("reference", 61), share=1).words["class"]
    torch.testing.assert_close(found, overall.expand(61, -1))


def test_no_share_is_the_class_of_the_window_around_a_frame() -> None:
    mapper, tokens = mapper_of("time_aligned"), tokens_of("time_aligned", 40)
    found = pool_long(mapper, tokens, window=16, share=0).words["class"]
    windows = [mapper.fga(tokens.tokens[None, start : start + 16])[0] for start in (0, 8, 16, 24)]
    torch.testing.assert_close(found[0], windows[0])
    torch.testing.assert_close(found[39], windows[3])
    torch.testing.assert_close(found[7], windows[0])  # middles at 7.5, 15.5, ...
    torch.testing.assert_close(found[11], windows[0] + (windows[1] - windows[0]) * 3.5 / 8)
    half = pool_long(mapper, tokens, window=16, share=0.5).words["class"]
    torch.testing.assert_close(half, (found + mapper.pool(tokens).words["class"]) / 2)


def test_published_chunks_keep_their_own_class() -> None:
    mapper, tokens = mapper_of("reference"), tokens_of("reference", 61)
    found = pool_long(mapper, tokens, share=0).words["class"]
    torch.testing.assert_close(found, mapper.pool(tokens).words["class"])


@pytest.mark.parametrize(("window", "share"), [(-1, 0.5), (24, 1.5), (24, -0.1)])
def test_values_that_cannot_be(window: int, share: float) -> None:
    with pytest.raises(A2VError, match="class window is"):
        pool_long(mapper_of("time_aligned"), tokens_of("time_aligned", 40), window, share)
