"""Two texts blended by a schedule: every frame has its own row."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from a2v_core.errors import A2VError
from a2v_core.prompts import blend_by_frame


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_rows_go_from_one_text_to_the_other() -> None:
    first, second = noise(1, 5, 4), noise(1, 5, 4, seed=1)
    rows = blend_by_frame(first, second, torch.tensor([0.0, 0.25, 1.0, 1.5]))
    assert rows.shape == (4, 5, 4)
    assert torch.equal(rows[0], first[0])
    assert torch.equal(rows[2], second[0])
    torch.testing.assert_close(rows[1], 0.75 * first[0] + 0.25 * second[0])
    torch.testing.assert_close(rows[3], 1.5 * second[0] - 0.5 * first[0])


def test_the_shorter_text_is_filled_up_with_zeros() -> None:
    first, second = noise(1, 3, 4), noise(1, 5, 4, seed=1)
    for one, other in ((first, second), (second, first)):
        rows = blend_by_frame(one, other, torch.tensor([0.5]))
        torch.testing.assert_close(rows[:, :3], (one[:, :3] + other[:, :3]) / 2)
        torch.testing.assert_close(rows[:, 3:], second[:, 3:] / 2)


def test_rows_of_frames_stay_with_their_frames() -> None:
    """A text that has rows already, as one with audio words; and pooled texts [1, C]."""
    first, second = noise(3, 2, 4), noise(1, 2, 4, seed=1)
    weights = torch.tensor([0.0, 1.0, 0.5])
    rows = blend_by_frame(first, second, weights)
    assert torch.equal(rows[:2], torch.stack([first[0], second[0]]))
    torch.testing.assert_close(rows[2], (first[2] + second[0]) / 2)
    pooled = blend_by_frame(first[:1, 0], second[:, 0], weights)
    assert torch.equal(pooled, blend_by_frame(first[:1], second, weights)[:, 0])


def test_the_precision_is_that_of_the_second() -> None:
    rows = blend_by_frame(noise(1, 2, 4), noise(1, 2, 4, seed=1).bfloat16(), torch.tensor([0.5, 0.1]))
    assert rows.dtype == torch.bfloat16


def test_texts_that_do_not_fit() -> None:
    weights = torch.zeros(3)
    with pytest.raises(A2VError, match=r"\[1, 2, 4\] and \[1, 2, 6\]: they differ in width.*the same CLIP"):
        blend_by_frame(noise(1, 2, 4), noise(1, 2, 6), weights)
    with pytest.raises(A2VError, match="the second prompt has rows for 2 frames, but the schedule has 3"):
        blend_by_frame(noise(1, 2, 4), noise(2, 2, 4), weights)
