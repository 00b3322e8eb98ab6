"""Parts of a sound: exact to the sample, whatever the frame rate."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from a2v_core.errors import A2VError
from a2v_core.media import Waveform
from a2v_core.signals import LENGTH_GRIDS, Mark, cut_list, frame_axis, parse_grid
from a2v_core.signals.cuts import SoundPart, sound_part

RATES = [8.0, 12.0, 16.0, 23.976, 24.0, 25.0, 30.0, 60.0]


def any_sound(samples: int, rate: int, channels: int = 2) -> Waveform:
    return Waveform(torch.rand(channels, samples, generator=torch.Generator().manual_seed(1)) - 0.5, rate)


def joined(parts: list[SoundPart]) -> torch.Tensor:
    return torch.cat([part.sound.samples for part in parts], dim=1)


@pytest.mark.parametrize("fps", RATES)
@pytest.mark.parametrize("rate", [44100, 48000, 22050])
def test_shots_of_a_cut_list_join_to_the_original(fps: float, rate: int) -> None:
    sound = any_sound(round(31.7 * rate) + 13, rate)
    axis = frame_axis(fps, 0, sound.duration)
    marks = [Mark(0.37 * number + 0.011) for number in range(90)]
    for grid in (LENGTH_GRIDS["any"], LENGTH_GRIDS["LTX (8n+1)"]):
        cuts = cut_list(axis, marks, 1.0, 4.0, grid)
        parts = [
            sound_part(sound, fps, cuts.start(shot), frames=shot.frames, grid=grid) for shot in cuts.shots
        ]
        by_times = [
            sound_part(sound, fps, cuts.start(shot), cuts.end(shot), grid=grid) for shot in cuts.shots
        ]
        whole = joined(parts)
        assert torch.equal(whole, joined(by_times))
        kept = min(whole.shape[1], sound.samples.shape[1])
        assert torch.equal(whole[:, :kept], sound.samples[:, :kept])
        left = (cuts.remainder + 0.51) / fps
        assert abs(whole.shape[1] - sound.samples.shape[1]) / rate <= left
        assert [part.frames for part in parts] == [shot.frames for shot in cuts.shots]
        assert [part.first for part in parts] == [shot.first for shot in cuts.shots]


def test_half_samples_fall_to_one_side() -> None:
    """At 24 fps and 44.1 kHz every second border lies half way between two samples."""
    sound = any_sound(44100, 44100, 1)
    parts = [sound_part(sound, 24, number / 24, frames=1) for number in range(24)]
    assert torch.equal(joined(parts), sound.samples)
    assert {part.sound.samples.shape[1] for part in parts} == {1837, 1838}


def test_the_rest_of_a_sound_is_whole_and_then_silent() -> None:
    sound = any_sound(10_001, 8000)
    head, tail = sound_part(sound, 25, 0.0, 0.4), sound_part(sound, 25, 0.4, grid=parse_grid("8n+1"))
    assert (head.frames, tail.frames, tail.first, tail.start, tail.end) == (10, 25, 10, 0.4, 1.4)
    whole = joined([head, tail])
    assert torch.equal(whole[:, :10_001], sound.samples)
    assert whole.shape[1] == 11_200
    assert not whole[:, 10_001:].any()
    assert sound_part(any_sound(1, 8000), 24).sound.samples.shape == (2, 333)


def test_what_is_asked_for_comes_on_the_frames_and_the_grid() -> None:
    sound = any_sound(48000, 8000)
    part = sound_part(sound, 24, 1.01, 2.52, grid=parse_grid("Wan"))
    assert (part.first, part.frames, part.start) == (24, 37, 1.0)
    late = sound_part(sound, 24, 5.5, 7.0)
    assert late.sound.duration == 1.5
    assert not late.sound.samples[:, 4000:].any()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"start": 6.1}, "starts at 6.1 s, but the sound is 6.000 s long"),
        ({"start": 2.0, "end": 1.0}, "from 2 s to 1 s, which is no frame at 24 fps"),
        ({"start": 2.0, "end": 2.01}, "which is no frame"),
        ({"start": float("nan")}, "from nan s to 0.0 s: expected seconds"),
        ({"end": float("inf")}, "expected seconds of 0 or more"),
        (
            {"frames": 24, "grid": parse_grid("LTX")},
            r"24 frames: expected a number of the form 8n\+1, such as 25",
        ),
        ({"frames": -1}, "-1 frames: expected"),
        ({"fps": 0.0}, "fps"),
    ],
)
def test_bad_parts(given: dict[str, Any], says: str) -> None:
    with pytest.raises(A2VError, match=says):
        sound_part(**{"sound": any_sound(48000, 8000), "fps": 24.0, **given})
