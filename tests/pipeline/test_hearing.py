"""From a sound to the words of every frame, by the settings that the mapper was trained with."""

from __future__ import annotations

import pytest
import torch

from a2v_core.audio import BEATs, Waveform, encode_audio, encode_overlapping
from a2v_core.pipeline import hear, listen
from a2v_core.tokens import pool_long
from tests.pipeline.tiny import mapper_of


@pytest.mark.parametrize(("facts", "divisor"), [({}, 1), ({"hop_ms": 80}, 2), ({"hop_ms": 40}, 4)])
def test_the_hop_is_the_mappers(
    facts: dict[str, object], divisor: int, beats: BEATs, sound: Waveform
) -> None:
    mapper = mapper_of("time_aligned", **facts)
    expected = encode_audio(beats, sound.samples[None], 22050, divisor)
    found = listen(beats, mapper, sound)
    assert torch.equal(found.layers, expected.layers)
    assert found.step_seconds == 0.16 / divisor
    words = hear(beats, mapper, sound, fps=12)
    assert words.num_frames == 24
    pooled = mapper.pool(mapper.frame_tokens(expected, 24, 12.0)).words
    assert all(torch.equal(words.words[word], pooled[word]) for word in pooled)


def test_a_published_mapper_hears_pieces_of_24_frames(beats: BEATs, sound: Waveform) -> None:
    mapper = mapper_of("reference")
    expected = encode_audio(beats, sound.samples[None], 22050, 1, chunk_seconds=1.0)
    assert torch.equal(listen(beats, mapper, sound, fps=24.0).layers, expected.layers)
    whole = encode_audio(beats, sound.samples[None], 22050, 1)
    assert torch.equal(listen(beats, mapper, sound, chunk_seconds=0).layers, whole.layers)


def test_pieces_may_overlap(beats: BEATs, sound: Waveform) -> None:
    mapper = mapper_of("time_aligned")
    expected = encode_overlapping(beats, sound.samples[None], 22050, 1, 0.8, 0.32)
    found = listen(beats, mapper, sound, chunk_seconds=0.8, overlap_seconds=0.32)
    assert torch.equal(found.layers, expected.layers)


def test_the_class_word_of_long_sounds(beats: BEATs, sound: Waveform) -> None:
    mapper = mapper_of("time_aligned")
    frames = mapper.frame_tokens(listen(beats, mapper, sound), 48, 24.0)
    near = hear(beats, mapper, sound, fps=24.0).words["class"]
    assert torch.equal(near, pool_long(mapper, frames, 24).words["class"])
    whole = hear(beats, mapper, sound, fps=24.0, class_window=0).words["class"]
    assert torch.equal(whole, mapper.pool(frames).words["class"])
    assert not torch.equal(near, whole)
