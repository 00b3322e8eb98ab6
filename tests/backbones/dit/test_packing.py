"""Which audio tokens a latent frame has."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from a2v_core.backbones.dit import frame_index, pack_words
from a2v_core.errors import A2VError
from tests.backbones.dit.tiny import KINDS, SPEC, TOKEN_WIDTH, words_of_clip

LTX = replace(SPEC, family="LTX-Video", time=8)


def test_the_first_latent_frame_of_wan_has_one_frame() -> None:
    assert frame_index(SPEC, 9).tolist() == [[0, 0, 0, 0], [1, 2, 3, 4], [5, 6, 7, 8]]
    assert frame_index(LTX, 9).tolist() == [[0] * 8, [1, 2, 3, 4, 5, 6, 7, 8]]
    assert frame_index(SPEC, 1).tolist() == [[0, 0, 0, 0]]


def test_models_with_a_latent_frame_for_every_frame() -> None:
    assert frame_index(replace(SPEC, time=1, first_alone=False), 3).tolist() == [[0], [1], [2]]


def test_tokens_stand_in_the_order_of_frames_then_kinds() -> None:
    words = words_of_clip(9, clips=2)
    packed = pack_words(words, KINDS, SPEC)
    assert packed.shape == (2, 3, 4, 3, TOKEN_WIDTH)
    for k, kind in enumerate(KINDS):
        assert torch.equal(packed[:, 0, 2, k], words[kind][:, 0])
        assert torch.equal(packed[:, 2, 1, k], words[kind][:, 6])


def test_what_cannot_be_packed_is_named() -> None:
    with pytest.raises(A2VError, match="for 8 frames; Wan has videos of 9 frames"):
        frame_index(SPEC, 8)
    with pytest.raises(A2VError, match="missing: class"):
        pack_words({"temp": torch.zeros(1, 9, 4), "local1": torch.zeros(1, 9, 4)}, KINDS, SPEC)
