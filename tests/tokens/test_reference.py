"""The reference layout beyond 24 frames: chunks, frame rates, lengths, the end of the sound."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from a2v_core.audio.features import AudioFeatures
from a2v_core.tokens import AudioMapper, stack_layers
from a2v_core.tokens.timing import chunk_steps, steps_per_chunk
from tests.tokens.tiny import STEP, features_of, published_run, sound_of, tiny_mapper


def published_chunk(mapper: AudioMapper, features: AudioFeatures, steps: list[int]) -> dict[str, Tensor]:
    """A published run on these steps of the first sound."""
    return published_run(mapper, stack_layers(features.layers)[0, steps].flatten(0, 1))


@pytest.mark.parametrize(
    ("fps", "steps"), [(12, 12), (24, 6), (6, 24), (30, 3), (7.5, 18), (25, 6), (8, 18), (60, 3), (12.5, 12)]
)
def test_steps_per_chunk(fps: float, steps: int) -> None:
    assert steps_per_chunk(fps) == steps


def test_two_pieces_encoded_apart_are_two_published_runs() -> None:
    mapper = tiny_mapper()
    starts = [STEP * n for n in range(12)]
    features = features_of(starts + [2.0 + start for start in starts], duration=4.0)
    found = mapper.pool(mapper.frame_tokens(features, 0, 12.0))
    assert found.num_frames == 48
    first = published_chunk(mapper, features, list(range(12)))
    second = published_chunk(mapper, features, list(range(12, 24)))
    for word, tokens in found.words.items():
        torch.testing.assert_close(tokens[:24], first[word], atol=1e-5, rtol=0, msg=word)
        torch.testing.assert_close(tokens[24:], second[word], atol=1e-5, rtol=0, msg=word)


def test_a_sound_encoded_at_once_takes_the_nearest_steps() -> None:
    """The second chunk starts at 2.0 s, midway between two steps: the earlier one counts."""
    mapper = tiny_mapper()
    features = sound_of(4.0)
    assert chunk_steps(features.times, 48, 12.0).tolist() == [list(range(12)), list(range(12, 24))]
    found = mapper.pool(mapper.frame_tokens(features, 48, 12.0))
    second = published_chunk(mapper, features, list(range(12, 24)))
    for word, tokens in found.words.items():
        torch.testing.assert_close(tokens[24:], second[word], atol=1e-5, rtol=0, msg=word)


def test_ties_do_not_depend_on_float32_rounding_late_in_a_long_sound() -> None:
    steps = chunk_steps(sound_of(1800.0).times, 1800 * 12, 12.0)
    assert steps.shape == (900, 12)
    assert (steps.diff(dim=1) == 1).all()
    starts = steps[:, 0].double() * STEP - 2.0 * torch.arange(900)
    assert -0.0801 < starts.min() < starts.max() < 0.0001


def test_finer_hops_give_every_chunk_its_own_start() -> None:
    times = torch.arange(50) * 0.08
    assert chunk_steps(times, 48, 12.0)[1].tolist() == list(range(25, 49, 2))


def test_past_the_end_the_last_step_holds() -> None:
    mapper = tiny_mapper()
    features = sound_of(3.0)  # 18 steps, the second chunk has 6 of its 12
    found = mapper.pool(mapper.frame_tokens(features, 60, 12.0))
    second = published_chunk(mapper, features, [*range(12, 18), *[17] * 6])
    third = published_chunk(mapper, features, [17] * 12)
    for word, tokens in found.words.items():
        torch.testing.assert_close(tokens[24:48], second[word], atol=1e-5, rtol=0, msg=word)
        torch.testing.assert_close(tokens[48:], third[word][:12], atol=1e-5, rtol=0, msg=word)


@pytest.mark.parametrize("frames", [1, 7, 23, 25, 47])
def test_fewer_frames_are_the_first_ones_of_a_whole_run(frames: int) -> None:
    mapper = tiny_mapper()
    features = sound_of(4.0)
    whole = mapper.pool(mapper.frame_tokens(features, 48, 12.0))
    part = mapper.pool(mapper.frame_tokens(features, frames, 12.0))
    batched = mapper(stack_layers(features.layers), features.times, frames, 12.0)
    assert part.num_frames == frames
    for word, tokens in part.words.items():
        torch.testing.assert_close(tokens, whole.words[word][:frames], msg=word)
        torch.testing.assert_close(batched[word][0], tokens, msg=word)


def test_tokens_without_a_tail_still_pool() -> None:
    """Cutting frame tokens loses the rest of the last chunk: its windows end where the tokens do."""
    mapper = tiny_mapper()
    tokens = mapper.frame_tokens(sound_of(4.0), 48, 12.0)
    cut = type(tokens)(tokens.tokens[:30], tokens.fps, tokens.layout)
    words = mapper.pool(cut).words
    torch.testing.assert_close(words["local4"][29], tokens.tokens[24:30].mean(dim=0))
    torch.testing.assert_close(words["local4"][:24], mapper.pool(tokens).words["local4"][:24])
