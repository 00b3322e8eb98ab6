"""Windows over the frames of a long video, and the noise that repeats in them."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from a2v_core.backbones import BackboneSpec
from a2v_core.backbones.windows import make_windows, window_starts
from a2v_core.errors import A2VError
from a2v_core.sampling.long.noise import reschedule
from a2v_core.sampling.long.settings import LongSettings


@pytest.mark.parametrize(
    ("frames", "starts"), [(24, [0]), (25, [0, 1]), (48, [0, 12, 24]), (50, [0, 12, 24, 26])]
)
def test_windows_end_with_the_video(frames: int, starts: list[int]) -> None:
    assert window_starts(frames, 24, 12) == starts


def test_a_closed_loop_has_windows_across_its_end() -> None:
    assert window_starts(48, 24, 12, closed_loop=True) == [0, 12, 24, 36]
    windows = make_windows(48, 24, 12, closed_loop=True)
    assert windows.index[-1].tolist() == [*range(36, 48), *range(12)]
    # Nothing says where the loop begins: turned by a stride, every frame counts the same.
    assert torch.equal(windows.weights.sort(1).values, windows.weights.roll(12, 0).sort(1).values)


@pytest.mark.parametrize(
    ("frames", "window", "stride"), [(24, 24, 12), (31, 8, 3), (100, 24, 8), (7, 24, 12)]
)
@pytest.mark.parametrize("closed", [False, True])
def test_what_all_windows_agree_on_comes_back(frames: int, window: int, stride: int, closed: bool) -> None:
    windows = make_windows(frames, window, stride, closed)
    assert windows.num_frames == frames
    truth = torch.randn(3, frames, 5, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(windows.fuse(truth[:, windows.index.flatten()]), truth)


def test_fusion_is_a_triangle() -> None:
    """Two windows of four frames, two apart: the third frame is third in one and first in the other."""
    windows = make_windows(6, 4, 2)
    assert windows.index.tolist() == [[0, 1, 2, 3], [2, 3, 4, 5]]
    says = torch.tensor([0.0] * 4 + [1.0] * 4).reshape(1, 8, 1)
    expected = torch.tensor([0, 0, 1 / 3, 2 / 3, 1, 1])
    torch.testing.assert_close(windows.fuse(says)[0, :, 0], expected)


def test_noise_of_one_window_is_left_alone() -> None:
    noise = torch.randn(1, 4, 24, 2, 2, generator=torch.Generator().manual_seed(1))
    assert torch.equal(reschedule(noise, 24, 12, torch.Generator()), noise)
    assert torch.equal(reschedule(noise, 10, 12, torch.Generator()), noise[:, :, :10])


def test_every_window_holds_the_same_noise_in_another_order() -> None:
    noise = torch.arange(24.0).reshape(1, 1, 24, 1, 1)
    order = reschedule(noise, 100, 8, torch.Generator().manual_seed(3)).flatten().long()
    assert order[:24].tolist() == list(range(24))
    for start in range(0, 76, 8):
        assert sorted(order[start : start + 24].tolist()) == list(range(24))
    assert order[24:32].tolist() != list(range(8))
    again = reschedule(noise, 100, 8, torch.Generator().manual_seed(3)).flatten().long()
    other = reschedule(noise, 100, 8, torch.Generator().manual_seed(4)).flatten().long()
    assert torch.equal(order, again)
    assert not torch.equal(order, other)


def test_settings_that_cannot_work_are_named() -> None:
    with pytest.raises(A2VError, match="stride is 30 frames and window 24"):
        LongSettings(window=24, stride=30).has_windows(25)
    with pytest.raises(A2VError, match="window is -1"):
        LongSettings(window=-1)
    with pytest.raises(A2VError, match="'both': choose one of attention, model"):
        LongSettings(mode="both")  # type: ignore[arg-type]
    with pytest.raises(A2VError, match="stride is 9 frames"):
        reschedule(torch.zeros(1, 4, 8, 2, 2), 20, 9, torch.Generator())


def spec(native_frames: int, **facts: Any) -> BackboneSpec:
    return BackboneSpec("test", 4, 8, 8, native_frames, (64, 64), 32, "SD15", **facts)


def test_what_counts_for_long_videos_only_refuses_no_short_one() -> None:
    assert not LongSettings(window=24, stride=30).has_windows(24)
    assert not LongSettings(stride=40).resolved(spec(24)).has_windows(4)
    assert LongSettings(window=24, stride=24).has_windows(25)
    noise = torch.randn(1, 4, 8, 2, 2)
    assert torch.equal(reschedule(noise, 5, 9, torch.Generator()), noise[:, :, :5])


def test_defaults_follow_the_model() -> None:
    own = LongSettings().resolved(spec(16))
    assert (own.window, own.stride, own.noise) == (16, 5, 16)
    assert LongSettings(mode="model").resolved(spec(16)).stride == 8
    assert LongSettings(window=10, stride=3, noise=40).resolved(spec(16)) == LongSettings(
        window=10, stride=3, noise=40, in_latents=True
    )


def test_windows_count_latent_frames() -> None:
    """Of a model whose latent frames stand for four video frames, the first for one."""
    own = LongSettings(stride=32).resolved(spec(81, time=4, first_alone=True))
    assert (own.window, own.stride, own.noise) == (21, 8, 21)
    assert LongSettings(window=9, stride=9).resolved(spec(81, time=4, first_alone=True)).stride == 3
    assert own.resolved(spec(81, time=4, first_alone=True)) == own
