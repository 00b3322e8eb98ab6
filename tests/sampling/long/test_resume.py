"""A sampling run that is killed goes on where it was, with the same result bit for bit."""

from __future__ import annotations

import copy
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from a2v_core.backbones.unet3d.backbone import UNet3DBackbone
from a2v_core.backbones.unet3d.load import load_unet3d
from a2v_core.prompts.context import FrameContext
from a2v_core.sampling.long.resume import Progress, keep_newest
from a2v_core.sampling.long.sampler import sample_long
from a2v_core.sampling.long.settings import LongSettings
from a2v_core.sampling.settings import SampleSettings
from tests.plain_backbone import Plain
from tests.tiny_t2v import TEXT_WIDTH

ROOT = Path(__file__).resolve().parents[3]
FRAMES = 20
SETTINGS = SampleSettings(
    steps=8, guidance_scale=3, seed=5, width=64, height=64, num_frames=FRAMES, scheduler="dpmpp_2m_sde"
)
LONG = LongSettings(window=8, stride=4)

RUN = """
import sys, torch
from safetensors.torch import save_file
sys.path.insert(0, {root!r})
from tests.sampling.long.test_resume import LONG, SETTINGS, contexts
from a2v_core.backbones.unet3d import load_unet3d
from a2v_core.sampling.long.sampler import sample_long
from a2v_core.sampling.long.resume import Progress
from pathlib import Path
torch.set_num_threads(1)
model = load_unet3d(Path({model!r}))
made = sample_long(model, *contexts(), SETTINGS, LONG, progress=Progress(Path({folder!r})))
save_file({{"latents": made}}, {result!r})
"""


def contexts() -> tuple[FrameContext, FrameContext]:
    generator = torch.Generator().manual_seed(0)
    own = torch.randn(FRAMES, 7, TEXT_WIDTH, generator=generator)
    shared = torch.randn(1, 7, TEXT_WIDTH, generator=generator)
    return FrameContext(own, torch.arange(FRAMES)), FrameContext(
        shared, torch.zeros(FRAMES, dtype=torch.int64)
    )


@pytest.fixture(scope="module")
def backbone(tiny_folder: Path) -> UNet3DBackbone:
    return load_unet3d(tiny_folder)


def steps_of(folder: Path) -> list[Path]:
    return sorted(folder.glob("sampling_*/*.safetensors"))


@contextmanager
def counted(backbone: UNet3DBackbone) -> Iterator[list[int]]:
    """An entry for every part of a video that goes into the UNet's last layer."""
    asked: list[int] = []
    handle = backbone.unet.conv_out.register_forward_hook(lambda *_: asked.append(1))
    try:
        yield asked
    finally:
        handle.remove()


@pytest.mark.parametrize("kept", [2, 5])
def test_a_killed_run_goes_on(tiny_folder: Path, tmp_path: Path, kept: int) -> None:
    folder, result = tmp_path / "progress", tmp_path / "latents.safetensors"
    facts = {"root": str(ROOT), "model": str(tiny_folder), "folder": str(folder), "result": str(result)}
    command = [sys.executable, "-c", RUN.format(**facts)]
    process = subprocess.Popen(command, cwd=ROOT)
    deadline = time.monotonic() + 300
    while len(steps_of(folder)) < kept and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
    assert process.wait(60) != 0, "the run ended before it could be killed"
    assert not result.exists()
    found = len(steps_of(folder))
    assert kept <= found < SETTINGS.steps

    written = {path: path.stat().st_mtime_ns for path in steps_of(folder)}
    subprocess.run(command, cwd=ROOT, check=True, timeout=300)
    assert {path: path.stat().st_mtime_ns for path in written} == written
    torch.set_num_threads(1)
    uninterrupted = sample_long(load_unet3d(tiny_folder), *contexts(), SETTINGS, LONG)
    assert torch.equal(load_file(result)["latents"], uninterrupted)


def test_finished_steps_are_not_made_again(backbone: UNet3DBackbone, tmp_path: Path) -> None:
    progress = Progress(tmp_path)
    first = sample_long(backbone, *contexts(), SETTINGS, LONG, progress=progress)
    assert len(steps_of(tmp_path)) == SETTINGS.steps
    with counted(backbone) as asked:
        again = sample_long(backbone, *contexts(), SETTINGS, LONG, progress=Progress(tmp_path))
    assert torch.equal(first, again)
    assert not asked
    progress.finish()
    assert list(tmp_path.iterdir()) == []


def test_a_torn_file_is_made_again(backbone: UNet3DBackbone, tmp_path: Path) -> None:
    first = sample_long(backbone, *contexts(), SETTINGS, LONG, progress=Progress(tmp_path))
    torn = steps_of(tmp_path)[3]
    torn.write_bytes(torn.read_bytes()[:100])
    assert torch.equal(first, sample_long(backbone, *contexts(), SETTINGS, LONG, progress=Progress(tmp_path)))


def test_other_runs_do_not_mix_in(backbone: UNet3DBackbone, tmp_path: Path) -> None:
    settings = replace(SETTINGS, steps=2)
    positive, negative = contexts()
    sample_long(backbone, positive, negative, settings, LONG, progress=Progress(tmp_path))
    for changed in (
        (positive, negative, replace(settings, seed=6), LONG),
        (positive, negative, settings, replace(LONG, stride=3)),
        (negative, positive, settings, LONG),
    ):
        expected = sample_long(backbone, *changed)
        assert torch.equal(sample_long(backbone, *changed, progress=Progress(tmp_path)), expected)
    weight = backbone.unet.conv_out.bias
    before = weight.detach().clone()
    try:
        weight.data += 0.1
        expected = sample_long(backbone, positive, negative, settings, LONG)
        assert torch.equal(
            sample_long(backbone, positive, negative, settings, LONG, progress=Progress(tmp_path)), expected
        )
    finally:
        weight.data.copy_(before)
    assert len(list(tmp_path.glob("sampling_*"))) == 5


def test_old_runs_are_cleared(tmp_path: Path) -> None:
    for age, name in enumerate(("sampling_a", "sampling_b", "sampling_c", "other")):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    keep_newest(tmp_path, 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "sampling_a", "sampling_b"]
    keep_newest(tmp_path, 0)
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


@pytest.mark.parametrize("batched", [True, False])
def test_free_memory_is_no_matter(backbone: UNet3DBackbone, tmp_path: Path, batched: bool) -> None:
    """What was made with all branches at once is taken by a run that makes them one by one, and back."""
    settings = replace(SETTINGS, steps=3, sound_guidance=2.0, batch_guidance=batched)
    text = contexts()[1]
    first = sample_long(backbone, *contexts(), settings, LONG, text=text, progress=Progress(tmp_path))
    assert len(steps_of(tmp_path)) == (3 if batched else 9)
    for torn in (None, 1):
        if torn is not None:
            steps_of(tmp_path)[torn].unlink()
        other = replace(settings, batch_guidance=not batched)
        elsewhere = replace(LONG, on_cpu=True)
        with counted(backbone) as asked:
            again = sample_long(
                backbone, *contexts(), other, elsewhere, text=text, progress=Progress(tmp_path)
            )
        assert len(list(tmp_path.iterdir())) == 1
        torch.testing.assert_close(again, first, atol=1e-3, rtol=1e-3)
        if torn is None:
            assert not asked
            assert torch.equal(again, first)
    assert 0 < len(asked) <= 3 * 3


def test_another_kind_of_model_gets_its_own_record(backbone: UNet3DBackbone, tmp_path: Path) -> None:
    """The same layers in another model, whose predictions are a multiple of theirs."""
    settings, long = replace(SETTINGS, steps=2), replace(LONG, mode="model")
    for factor in (0.5, 0.7):
        own = Plain(backbone, factor)
        expected = sample_long(own, *contexts(), settings, long)
        made = sample_long(own, *contexts(), settings, long, progress=Progress(tmp_path))
        assert torch.equal(made, expected)
    assert len(list(tmp_path.iterdir())) == 2


def test_models_are_told_apart(backbone: UNet3DBackbone) -> None:
    """By a number in the middle of a tensor, by the config, and not by their device or by being a copy."""
    first = backbone.fingerprint()
    twin = copy.deepcopy(backbone)
    assert twin.fingerprint() == first
    weight = twin.unet.mid_block.resnets[0].conv1.weight
    weight.data[weight.shape[0] // 2 :] += 1
    assert twin.fingerprint() != first
    twin = copy.deepcopy(backbone)
    twin.unet.register_to_config(norm_eps=0.5)
    assert twin.fingerprint() != first
