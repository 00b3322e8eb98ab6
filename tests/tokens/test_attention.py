"""How much every frame counts in the `class` word."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from a2v_core.errors import A2VError
from a2v_core.tokens import AudioMapper, AudioTokens, FrameTokens, words_of
from tests.golden_recipe import recipe
from tests.tokens.tiny import sound_of, tiny_config, tiny_mapper, weights_by_hand


@pytest.mark.parametrize("frames", [1, 7, 24, 50])
def test_time_aligned_attends_to_the_whole_clip(frames: int) -> None:
    mapper = tiny_mapper("time_aligned")
    found = mapper.pool(mapper.frame_tokens(sound_of(4.0), frames, 12.0))
    assert found.attention is not None
    expected = weights_by_hand(mapper, found.words["temp"]) * frames
    torch.testing.assert_close(found.attention, expected, atol=1e-5, rtol=0)
    assert found.attention.mean() == pytest.approx(1.0, abs=1e-5)


def test_reference_attends_within_chunks() -> None:
    """60 frames: two chunks of 24, and 12 frames of a third one, whose tail counts too."""
    mapper = tiny_mapper()
    tokens = mapper.frame_tokens(sound_of(5.0), 60, 12.0)
    found = mapper.pool(tokens)
    assert tokens.tail is not None
    assert found.attention is not None
    chunks = torch.cat([tokens.tokens, tokens.tail]).split(24)
    expected = torch.cat([24 * weights_by_hand(mapper, chunk) for chunk in chunks])
    torch.testing.assert_close(found.attention, expected[:60], atol=1e-5, rtol=0)


def test_frames_beyond_whole_chunks_are_a_piece_of_their_own() -> None:
    """Training pools tokens without a tail."""
    mapper = tiny_mapper()
    tokens = recipe("tokens", (2, 31, 8))
    found = mapper.attention(tokens).detach()
    for clip in range(2):
        pieces = [len(part) * weights_by_hand(mapper, part) for part in tokens[clip].split(24)]
        torch.testing.assert_close(found[clip], torch.cat(pieces), atol=1e-5, rtol=0)


@pytest.mark.parametrize("layout", ["reference", "time_aligned"])
def test_the_class_word_is_the_mean_under_this_attention(layout: str) -> None:
    mapper = tiny_mapper("reference" if layout == "reference" else "time_aligned")
    found = mapper.pool(mapper.frame_tokens(sound_of(2.0), 24, 12.0))
    assert found.attention is not None
    mean = (found.attention[:, None] * found.words["temp"]).mean(dim=0)
    torch.testing.assert_close(found.words["class"], mean.expand(24, -1), atol=1e-5, rtol=0)


def test_without_a_class_word_there_is_none() -> None:
    words = tuple(word for word in words_of(4) if word != "class")
    mapper = AudioMapper(replace(tiny_config("time_aligned"), words=words)).eval()
    assert mapper.pool(FrameTokens(torch.zeros(5, 8), 12.0, "time_aligned")).attention is None


def test_attention_of_another_length_is_refused() -> None:
    with pytest.raises(A2VError, match=r"attention needs the shape \[3\], got \[4\]"):
        AudioTokens({"temp": torch.zeros(3, 8)}, 12.0, torch.ones(4))
