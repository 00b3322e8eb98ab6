"""The time_aligned layout against the paper, written out frame by frame."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as nnf
from torch import Tensor

from a2v_core.audio.features import AudioFeatures
from a2v_core.tokens import AudioMapper, stack_layers
from tests.tokens.tiny import attention_by_hand, features_of, sound_of, tiny_mapper


def interpolated(features: AudioFeatures, index: int, second: float) -> Tensor:
    """What is heard at `second`: [L*D], linear between the centres of the two nearest steps."""
    steps = stack_layers(features.layers)[index].mean(dim=1)
    centres = [start + 0.0875 for start in features.times.tolist()]
    if second <= centres[0]:
        return steps[0]
    for n in range(1, len(centres)):
        if second <= centres[n]:
            share = (second - centres[n - 1]) / (centres[n] - centres[n - 1])
            return (1 - share) * steps[n - 1] + share * steps[n]
    return steps[-1]


def by_hand(
    mapper: AudioMapper, features: AudioFeatures, index: int, frames: int, fps: float
) -> dict[str, Tensor]:
    weights = mapper.state_dict()
    x = torch.stack([interpolated(features, index, (frame + 0.5) / fps) for frame in range(frames)])
    for number in range(1, 5):
        x = x @ weights[f"fc{number}.weight"].T + weights[f"fc{number}.bias"]
        x = nnf.gelu(x) if number < 4 else x
    words = {"temp": x}
    for number, reach in enumerate((1, 2, 4, 8), start=1):
        windows = []
        for i in range(frames):
            left, right = max(i - reach, 0), min(i + reach, frames - 1)  # equation 2
            total = sum((x[t] for t in range(left, right + 1)), torch.zeros(x.shape[1]))
            windows.append(total / (right - left + 1))  # equation 3
        words[f"local{number}"] = torch.stack(windows)
    words["class"] = attention_by_hand(mapper, x).expand(frames, -1)
    return words


@pytest.mark.parametrize(
    ("duration", "fps", "frames"),
    [(2.0, 12.0, 24), (3.7, 30.0, 111), (3.7, 7.5, 28), (1.0, 24.0, 1), (0.175, 12.0, 5), (2.0, 12.0, 40)],
)
def test_equals_the_paper(duration: float, fps: float, frames: int) -> None:
    mapper = tiny_mapper("time_aligned")
    features = sound_of(duration, batch=2)
    for index in range(2):
        found = mapper.pool(mapper.frame_tokens(features, frames, fps, index)).words
        for word, expected in by_hand(mapper, features, index, frames, fps).items():
            torch.testing.assert_close(found[word], expected, atol=1e-5, rtol=1e-5, msg=word)


def test_uneven_steps_are_taken_at_their_own_times() -> None:
    """Pieces encoded apart leave a wider gap between them, finer hops a narrower one."""
    mapper = tiny_mapper("time_aligned")
    features = features_of([0.0, 0.08, 0.16, 0.24, 0.6, 0.68, 0.76], duration=1.0)
    found = mapper.pool(mapper.frame_tokens(features, 0, 25.0)).words
    for word, expected in by_hand(mapper, features, 0, 25, 25.0).items():
        torch.testing.assert_close(found[word], expected, atol=1e-5, rtol=1e-5, msg=word)


def test_frequency_may_be_averaged_beforehand() -> None:
    mapper = tiny_mapper("time_aligned")
    features = sound_of(2.0, batch=3)
    stacked = stack_layers(features.layers)
    full = mapper(stacked, features.times, 24, 12.0)
    small = mapper(stacked.mean(dim=2, keepdim=True), features.times, 24, 12.0)
    for word in full:
        torch.testing.assert_close(small[word], full[word])


def test_an_hour_of_sound_is_affordable() -> None:
    mapper = tiny_mapper("time_aligned")
    tokens = mapper.pool(mapper.frame_tokens(sound_of(3600.0), 0, 12.0))
    assert tokens.num_frames == 43200
    assert all(value.isfinite().all() for value in tokens.words.values())
