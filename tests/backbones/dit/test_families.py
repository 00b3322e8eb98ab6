"""The rows of families of video DiTs."""

from __future__ import annotations

import pytest
import torch

from a2v_core.backbones.dit import FAMILIES, family_of, pack_strengths
from a2v_core.errors import A2VError
from tests.backbones.dit.tiny import SPEC


def test_rows_are_found_by_name_and_channels() -> None:
    assert [family_of(row.spec.family, row.spec.latent_channels) for row in FAMILIES] == list(FAMILIES)
    assert family_of("Wan", 48).title == "Wan 2.2 TI2V 5B"
    with pytest.raises(A2VError, match=r"no Wan with latents of 4 channels here; .* LTX-Video \(128\)"):
        family_of("Wan", 4)


@pytest.mark.parametrize(
    ("name", "channels", "frames", "latent_frames", "tokens"),
    [("Wan", 16, 81, 21, 30 * 52), ("Wan", 48, 121, 31, 22 * 40), ("LTX-Video", 128, 97, 13, 16 * 24)],
)
def test_published_sizes(name: str, channels: int, frames: int, latent_frames: int, tokens: int) -> None:
    """Frames and tokens of the clips that the models were trained on, from their model cards."""
    family = family_of(name, channels)
    grid = family.spec.grid(frames, *family.spec.native_size)
    assert family.spec.native_frames == frames
    assert grid.frames == latent_frames
    assert family.tokens_of_frame(grid.height, grid.width) == tokens


def test_sides_that_the_patch_does_not_divide_are_padded() -> None:
    assert family_of("Wan", 16).tokens_of_frame(5, 8) == 3 * 4
    assert family_of("LTX-Video", 128).tokens_of_frame(5, 8) == 5 * 8


def test_the_strength_of_a_latent_frame_is_the_mean_of_its_frames() -> None:
    strengths = torch.tensor([0.5, 1.0, 0.0, 0.0, 1.0, 2.0, 2.0, 2.0, 0.0])
    assert pack_strengths(strengths, SPEC).tolist() == [0.5, 0.5, 1.5]
