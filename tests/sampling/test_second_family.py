"""Sampling a flow-matching model whose latent frames stand for four frames (`tests.toy_dit`)."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from a2v_core.errors import A2VError
from a2v_core.media import Waveform, load_audio, read_video, write_video
from a2v_core.prompts import ContextBatch, FrameContext
from a2v_core.sampling import SampleSettings, decode_video, sample, stream_video
from a2v_core.schedules import FLOW_SCHEDULERS
from a2v_core.tokens import AudioTokens
from tests.tiny_t2v import TEXT_WIDTH
from tests.toy_dit import ToyBackbone

SETTINGS = SampleSettings(steps=4, guidance_scale=3.0, scheduler="euler", seed=5, num_frames=9)


def texts(toy: ToyBackbone, frames: int = 9) -> tuple[FrameContext, FrameContext]:
    """Of a prompt with words of its own for every frame, and of no prompt."""
    rows = torch.randn(frames, TEXT_WIDTH, generator=torch.Generator().manual_seed(1))
    tokens = AudioTokens({"temp": rows}, 8.0)
    return toy.encode_prompt("a ball <temp>", tokens, frames), toy.encode_prompt("", None, frames)


def run(toy: ToyBackbone, frames: int = 9, **changes: Any) -> Tensor:
    return sample(toy, *texts(toy, frames), replace(SETTINGS, num_frames=frames, **changes))


def test_a_seed_is_a_clip(toy: ToyBackbone) -> None:
    made = run(toy)
    assert made.shape == (1, 16, 3, 4, 4)
    assert torch.equal(made, run(toy))
    assert (made - run(toy, seed=6)).abs().mean() > 0.1
    assert run(toy, frames=1).shape == (1, 16, 1, 4, 4)
    assert run(toy, frames=13, width=64, height=16).shape == (1, 16, 4, 2, 8)
    # 0 is the model's own number.
    assert torch.equal(made, sample(toy, *texts(toy), replace(SETTINGS, num_frames=0)))


@torch.no_grad()
def test_the_loop_by_hand(toy: ToyBackbone) -> None:
    """Euler's steps along the guided flow, over noise levels with the model's shift of 3."""
    positive, negative = texts(toy)
    levels = [1.0, *(3 * s / (1 + 2 * s) for s in ladder(4)[1:]), 0.0]
    x = torch.randn(1, 16, 3, 4, 4, generator=torch.Generator().manual_seed(5))
    for level, after in itertools.pairwise(levels):
        t = torch.tensor(1000 * level)
        with_text, without = (toy.denoise(x, t, ContextBatch.of([one])) for one in (positive, negative))
        x = x + (after - level) * (without + 3.0 * (with_text - without))
    torch.testing.assert_close(run(toy), x, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(run(toy, batch_guidance=False), x, atol=1e-4, rtol=1e-4)


def ladder(steps: int) -> list[float]:
    """Levels before the shift: even steps down to the lowest level of the training, a thousandth shifted."""
    lowest = 3 * 0.001 / (1 + 2 * 0.001)
    return torch.linspace(1.0, lowest, steps, dtype=torch.float64).tolist()


def test_guidance(toy: ToyBackbone) -> None:
    positive, negative = texts(toy)
    plain = sample(toy, positive, None, replace(SETTINGS, guidance_scale=1.0))
    assert torch.equal(plain, run(toy, guidance_scale=1.0))
    # Away from itself leads nowhere.
    torch.testing.assert_close(sample(toy, positive, positive, SETTINGS), plain, atol=1e-5, rtol=1e-5)
    assert (run(toy) - plain).abs().mean() > 0.05
    text = toy.encode_prompt("a ball", None, 9)
    deaf = sample(toy, positive, negative, replace(SETTINGS, sound_guidance=0.0), text=text)
    assert torch.equal(deaf, sample(toy, text, negative, SETTINGS))


def test_words_change_the_frames_that_they_stand_for(toy: ToyBackbone) -> None:
    rows = torch.randn(9, TEXT_WIDTH, generator=torch.Generator().manual_seed(1))
    other = torch.cat([rows[:5], -rows[5:]])
    made = []
    for words in (rows, other):
        positive = toy.encode_prompt("<temp>", AudioTokens({"temp": words}, 8.0), 9)
        made.append(sample(toy, positive, None, replace(SETTINGS, guidance_scale=1.0)))
    changes = (made[1] - made[0]).abs().mean(dim=(0, 1, 3, 4))
    assert changes[2] > 5 * changes[:2].max()
    pictures = (decode_video(toy, made[1]) - decode_video(toy, made[0])).abs().mean(dim=(1, 2, 3))
    assert pictures[5:].min() > 5 * pictures[:5].max()


@pytest.mark.parametrize("name", FLOW_SCHEDULERS)
def test_every_solver_of_flows(toy: ToyBackbone, name: str) -> None:
    steps: list[tuple[int, int]] = []
    estimates: list[Tensor] = []

    def follow(step: int, total: int, estimate: Tensor, latents: Tensor) -> None:
        steps.append((step, total))
        estimates.append((estimate - latents).abs().mean())

    settings = replace(SETTINGS, steps=12, scheduler=name, guidance_scale=1.0)
    made = sample(toy, texts(toy)[0], None, settings, follow)
    assert steps == [(step, len(steps)) for step in range(len(steps))]
    # What previews show comes to rest on what is made.
    assert estimates[-1] < 0.1 * estimates[0]
    fine = sample(toy, texts(toy)[0], None, replace(settings, steps=60, scheduler="euler"))
    assert (made - fine).abs().mean() < 0.15 * fine.abs().mean()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_frames": 8}, r"num_frames is 8: a toy DiT makes videos of 4n\+1 frames, such as 9"),
        ({"num_frames": 24}, r"4n\+1 frames, such as 25"),
        ({"height": 40}, "height is 40 pixels: it must be divisible by 16, such as 32"),
        ({"num_frames": 13}, "prompt is encoded for 3 latent frames, but 4 are to be sampled"),
        ({"scheduler": "ddim"}, "'ddim' does not solve flow-matching models: choose one of euler, heun"),
        ({"speed": "deep_2"}, "a toy DiT cannot do that .*lacks FeatureReuse"),
        ({"speed": "bf16"}, "a toy DiT cannot do that .*lacks HalfPrecision"),
    ],
)
def test_what_cannot_be_is_refused(toy: ToyBackbone, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(A2VError, match=message):
        sample(toy, *texts(toy), replace(SETTINGS, **changes))


def test_speed_modes_that_any_model_has(toy: ToyBackbone) -> None:
    exact = run(toy, steps=8)
    for speed in ("guidance_2", "guidance_interval"):
        quick = run(toy, steps=8, speed=speed)
        assert 0 < (quick - exact).abs().mean() < exact.abs().mean()


def test_a_video_is_streamed(toy: ToyBackbone, tmp_path: Path) -> None:
    sound = Waveform(torch.randn(1, 16000, generator=torch.Generator().manual_seed(3)) * 0.1, 16000)
    latents = run(toy, frames=17)
    frames = decode_video(toy, latents)
    assert frames.shape == (17, 32, 32, 3)
    stream_video(tmp_path / "streamed.mp4", toy, latents, 17, sound, chunk=2)
    write_video(tmp_path / "whole.mp4", frames, 17, sound)
    streamed, whole = (read_video(tmp_path / name) for name in ("streamed.mp4", "whole.mp4"))
    assert (streamed.fps, streamed.frames.shape) == (17, frames.shape)
    assert (streamed.frames - whole.frames).abs().mean() < 0.01
    assert load_audio(tmp_path / "streamed.mp4").duration == pytest.approx(1.0, abs=0.05)
