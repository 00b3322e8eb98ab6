"""Long videos of a model whose latent frames stand for four frames (`tests.toy_dit`), killed and resumed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from a2v_core.errors import A2VError
from a2v_core.prompts import ContextBatch, FrameContext
from a2v_core.sampling import SampleSettings, decode_video, sample
from a2v_core.sampling.long import LongSettings, Progress, sample_long
from a2v_core.sampling.long.denoise import LongDenoise
from a2v_core.sampling.long.sampler import first_noise
from a2v_core.schedules import FLOW_SCHEDULERS
from a2v_core.tokens import AudioTokens
from tests.tiny_t2v import TEXT_WIDTH
from tests.toy_dit import ToyBackbone

FRAMES = 33  # nine latent frames, of which the model's own clips have three
SETTINGS = SampleSettings(steps=4, guidance_scale=3.0, scheduler="euler", seed=5, num_frames=FRAMES)
LONG = LongSettings(mode="model")


def texts(toy: ToyBackbone, frames: int = FRAMES) -> tuple[FrameContext, FrameContext]:
    rows = torch.randn(frames, TEXT_WIDTH, generator=torch.Generator().manual_seed(1))
    tokens = AudioTokens({"temp": rows}, 8.0)
    return toy.encode_prompt("a ball <temp>", tokens, frames), toy.encode_prompt("", None, frames)


def noise(frames: int) -> Tensor:
    return torch.randn(1, 16, frames, 4, 4, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("frames", [5, 9])
def test_what_one_window_holds_is_plain_sampling(toy: ToyBackbone, frames: int) -> None:
    settings = replace(SETTINGS, num_frames=frames)
    plain = sample(toy, *texts(toy, frames), settings)
    assert torch.equal(sample_long(toy, *texts(toy, frames), settings, LONG), plain)
    whole = replace(LONG, window=FRAMES)
    assert torch.equal(sample_long(toy, *texts(toy), SETTINGS, whole), sample(toy, *texts(toy), SETTINGS))


@torch.no_grad()
def test_windows_count_latent_frames(toy: ToyBackbone) -> None:
    """Windows of 9 frames every 8 are 3 latent frames every 2; the one between them is the mean of both."""
    own = replace(LONG, window=9, stride=8).resolved(toy.spec)
    assert (own.window, own.stride, own.noise) == (3, 2, 3)
    x, t = noise(5), torch.tensor(700.0)
    context = ContextBatch.of(texts(toy, 17)[:1])
    found = LongDenoise(toy, own)(x, t, context)
    first, second = (
        toy.denoise(x[:, :, part], t, context.frames(torch.tensor(part))) for part in ([0, 1, 2], [2, 3, 4])
    )
    torch.testing.assert_close(found[:, :, :2], first[:, :, :2])
    torch.testing.assert_close(found[:, :, 2], (first[:, :, 2] + second[:, :, 0]) / 2)
    torch.testing.assert_close(found[:, :, 3:], second[:, :, 1:])


@torch.no_grad()
def test_a_closed_loop_has_no_first_frame(toy: ToyBackbone) -> None:
    x, t = noise(8), torch.tensor(700.0)
    context = ContextBatch.of(texts(toy, 29)[:1])
    model = LongDenoise(toy, replace(LONG, window=13, stride=8, closed_loop=True))
    turned = model(x.roll(2, 2), t, ContextBatch(context.states.roll(2, 1)))
    torch.testing.assert_close(turned, model(x, t, context).roll(2, 2), rtol=1e-4, atol=1e-5)


def test_a_long_video(toy: ToyBackbone) -> None:
    seen: list[int] = []
    made = sample_long(toy, *texts(toy), SETTINGS, LONG, lambda step, *_: seen.append(step))
    assert made.shape == (1, 16, 9, 4, 4)
    assert seen == [0, 1, 2, 3]
    assert decode_video(toy, made).shape == (FRAMES, 32, 32, 3)
    short = toy.schedule("euler", 4, SETTINGS.seed).noise((1, 16, 3, 4, 4))
    start = first_noise(toy, SETTINGS.resolved(toy.spec), LONG)
    assert torch.equal(start[:, :, :3], short)
    # Every new latent frame is one of the first three in another place.
    assert all(any(torch.equal(start[:, :, n], short[:, :, k]) for k in range(3)) for n in range(9))


def test_windows_that_overlap_leave_no_seams(toy: ToyBackbone) -> None:
    """With one text and the same noise in all latent frames, what steps between them is what windows make."""
    context = toy.encode_prompt("a ball", None, FRAMES)
    same = noise(1).expand(-1, -1, 9, -1, -1)

    def steps(stride: int) -> Tensor:
        long = replace(LONG, window=13, stride=stride)
        settings = replace(SETTINGS, guidance_scale=1.0)
        made = sample(toy, context, None, settings, latents=same, denoise=LongDenoise(toy, long))
        return made.diff(dim=2).abs().mean(dim=(0, 1, 3, 4))

    close, apart = steps(4), steps(16)
    assert int(apart.argmax()) == 3  # where the first window of four ends
    assert close.max() < 0.5 * apart[3]


def test_windows_inside_the_model_are_refused(toy: ToyBackbone) -> None:
    with pytest.raises(A2VError, match=r"'model', .* runs any model.*a toy DiT .*lacks WindowedAttention"):
        sample_long(toy, *texts(toy), SETTINGS, LongSettings())


class KilledError(Exception):
    """Ends a run in the middle."""


@contextmanager
def counted(toy: ToyBackbone) -> Iterator[list[int]]:
    """An entry for every window that goes through the model."""
    asked: list[int] = []
    handle = toy.dit.out.register_forward_hook(lambda *_: asked.append(1))
    try:
        yield asked
    finally:
        handle.remove()


@pytest.mark.parametrize("name", FLOW_SCHEDULERS)
def test_a_killed_run_goes_on(toy: ToyBackbone, tmp_path: Path, name: str) -> None:
    settings = replace(SETTINGS, scheduler=name)

    def kill(step: int, *_: object) -> None:
        if step == 1:
            raise KilledError

    with pytest.raises(KilledError):
        sample_long(toy, *texts(toy), settings, LONG, kill, progress=Progress(tmp_path))
    steps = sorted(tmp_path.glob("sampling_*/*.safetensors"))
    assert len(steps) == 2
    with counted(toy) as whole:
        uninterrupted = sample_long(toy, *texts(toy), settings, LONG)
    progress = Progress(tmp_path)
    with counted(toy) as rest:
        made = sample_long(toy, *texts(toy), settings, LONG, progress=progress)
    assert torch.equal(made, uninterrupted)
    evaluations = len(toy.schedule(name, settings.steps, 0).timesteps)
    assert len(rest) / len(whole) == pytest.approx((evaluations - 2) / evaluations)
    progress.finish()
    assert list(tmp_path.iterdir()) == []
