"""Videos as a batch of pictures: rows of several clips are those clips."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from a2v_core.backbones import Part, denoise_rows, load_t2v
from a2v_core.errors import A2VError
from a2v_core.prompts import ContextBatch
from tests.golden_recipe import recipe
from tests.tiny_t2v import TEXT_WIDTH

FRAMES = 3
DENOISER: tuple[Part, ...] = ("denoiser",)
T = torch.tensor(301.0)


@pytest.mark.parametrize("family", ["tiny_folder", "motion_folder"])
@torch.no_grad()
def test_rows_are_the_frames_of_their_clips(family: str, request: pytest.FixtureRequest) -> None:
    folder: Path = request.getfixturevalue(family)
    backbone = load_t2v(folder, parts=DENOISER)
    x, texts = recipe("x", (2 * FRAMES, 4, 8, 8)), recipe("texts", (2 * FRAMES, 7, TEXT_WIDTH))
    rows = denoise_rows(backbone, x, T, texts, 2)
    for clip in (slice(FRAMES), slice(FRAMES, None)):
        alone = backbone.denoise(x[clip].transpose(0, 1)[None], T, ContextBatch(texts[clip][None]))
        torch.testing.assert_close(rows[clip], alone[0].transpose(0, 1), atol=1e-5, rtol=1e-4)
    one = denoise_rows(backbone, x, T, texts[:1], 2)
    same = denoise_rows(backbone, x, T, texts[:1].repeat(len(x), 1, 1), 2)
    assert torch.equal(one, same)
    assert not torch.allclose(one, rows)


@pytest.mark.parametrize(("rows", "texts"), [(7, 7), (6, 5)])
def test_rows_that_make_no_clips(tiny_folder: Path, rows: int, texts: int) -> None:
    backbone = load_t2v(tiny_folder, parts=DENOISER)
    with pytest.raises(A2VError, match=f"{rows} latents and {texts} rows of text do not make 2 clips"):
        denoise_rows(backbone, torch.zeros(rows, 4, 8, 8), T, torch.zeros(texts, 7, TEXT_WIDTH), 2)
