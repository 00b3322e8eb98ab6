"""The AnimateDiff of comparisons: after some steps it is a model that the library loads and samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from a2v_core.backbones import Backbone, load_t2v
from a2v_core.backbones.unet_motion.backbone import FAMILY
from a2v_core.checkpoints import read_checkpoint, write_safetensors
from a2v_core.demo import demo_path
from a2v_core.pipeline import VideoPipeline, VideoRequest
from a2v_core.sampling import SampleSettings
from training.demo_world import animatediff, captioned
from training.demo_world.atlas import Atlas

TINY: dict[str, Any] = animatediff.UNET | {"block_out_channels": (16, 16), "num_attention_heads": 2}
TINY |= {"motion_num_attention_heads": 2}


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work folder after some steps."""
    folder = tmp_path_factory.mktemp("animatediff")
    table = torch.randn(324, len(Atlas.levels()), 4, 8, 8, generator=torch.Generator().manual_seed(0))
    write_safetensors(folder / "atlas.safetensors", {"table": table}, {})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(animatediff, "UNET", TINY)
        patch.setattr(captioned, "PICTURES", 4)
        animatediff.train(folder, steps=5)
    return folder


@pytest.fixture(scope="module")
def trained(work: Path) -> Backbone:
    return load_t2v(work / "animatediff", "fp32")


def test_it_is_an_animatediff_with_the_words_of_the_demo(trained: Backbone) -> None:
    demo = load_t2v(demo_path("t2v"), "fp32", parts=("text", "vae"))
    assert (trained.spec.family, trained.spec.time, trained.spec.word_width) == (FAMILY, 1, 128)
    for part in ("text", "vae"):
        own, installed = (one.parts()[part][0].state_dict() for one in (trained, demo))
        assert all(torch.equal(own[name], installed[name]) for name in installed)
    noise, clean, t = torch.randn(1, 4, 2, 8, 8), torch.randn(1, 4, 2, 8, 8), torch.tensor([600])
    ours, theirs = (one.schedule("ddim", 1, 0).target(clean, noise, t) for one in (trained, demo))
    assert torch.equal(ours, theirs)
    assert not torch.equal(ours, noise)  # it predicts velocity


def test_its_weights_are_the_averaged_ones(work: Path, trained: Backbone) -> None:
    state = read_checkpoint(work / "animatediff.state.safetensors").tensors
    averaged = {
        name.removeprefix("average."): value for name, value in state.items() if name.startswith("average.")
    }
    stored = trained.parts()["denoiser"][0].state_dict()
    assert averaged
    for name, value in averaged.items():
        torch.testing.assert_close(stored[name], value, atol=2e-3, rtol=2e-3)  # half precision
    moving = [name for name in averaged if "motion_modules" in name and name.endswith("proj_out.weight")]
    assert all(float(averaged[name].abs().max()) > 0 for name in moving)  # zero before training


def test_it_makes_clips_as_long_as_those_of_wan(trained: Backbone) -> None:
    frames = animatediff.NUM_FRAMES
    settings = SampleSettings(1, 1.0, "ddim", 0, 64, 64, frames)
    request = VideoRequest("a video of a red ball bouncing", settings=settings, long=None)
    video = VideoPipeline(trained).generate(request).frames
    assert video.shape == (frames, 64, 64, 3)
    assert (frames - 1) % 4 == 0
