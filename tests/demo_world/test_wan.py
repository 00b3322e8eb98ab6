"""The stages of the bundled Wan at tiny size, from untrained networks to a video of a sound."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from a2v_core.backbones.dit import load_adapter
from a2v_core.backbones.wan import WanFiles, encode_texts, load_wan_files
from a2v_core.demo import demo_path
from training.demo_world.held_out import held_out
from training.demo_world.wan import WanDemo, adapter, captions, fold, install, layers, pool, t2v, vae
from training.demo_world.world import SHAPES, Hit, Scene

CLIPS = 4
TINY: dict[str, Any] = t2v.CONFIG | {"attention_head_dim": 24, "ffn_dim": 32, "num_layers": 3}


def tiny_vae() -> Any:
    torch.manual_seed(0)
    return vae.new_vae().eval()


@torch.no_grad()
def test_single_pictures_go_the_short_way_with_the_same_result() -> None:
    net, picture = tiny_vae(), vae.clips(0, 1, frames=1)
    latents = net.encode(picture).latent_dist.mean
    decoded = net.decode(latents).sample
    with layers.of_single_pictures(net):
        torch.testing.assert_close(net.encode(picture).latent_dist.mean, latents, atol=1e-5, rtol=0)
        torch.testing.assert_close(net.decode(latents).sample, decoded, atol=1e-5, rtol=0)
    assert torch.equal(net.encode(picture).latent_dist.mean, latents)


@torch.no_grad()
def test_a_vae_of_pictures_starts_as_one_of_every_fourth() -> None:
    net, clip = tiny_vae(), vae.clips(2, 1, frames=9)
    layers.start_in_time(net)
    shown = net.decode(net.encode(clip).latent_dist.mean).sample
    with layers.of_single_pictures(net):
        for frame, number in enumerate((0, 4, 4, 4, 4, 8, 8, 8, 8)):
            picture = clip[:, :, number : number + 1]
            expected = net.decode(net.encode(picture).latent_dist.mean).sample[:, :, 0]
            torch.testing.assert_close(shown[:, :, frame], expected, atol=1e-5, rtol=0)


def test_what_moves_weighs_most_and_the_wall_least() -> None:
    clip = torch.zeros(1, 3, 3, 4, 8)
    clip[..., 0, 0] = 1.0  # an object at rest
    clip[:, :, 1, 1, 1] = 1.0  # one that is there for a moment
    weight = vae.weight(clip)
    assert weight.shape == (1, 1, 3, 4, 8)
    assert weight[0, 0, 1, 0, 0] == 1 + vae.OBJECT_WEIGHT
    assert weight[0, 0, 1, 1, 1] == 1 + vae.OBJECT_WEIGHT + vae.MOTION_WEIGHT
    assert (weight == 1).sum() == 3 * 32 - 4


def test_parts_are_cut_from_each_clip() -> None:
    clips = vae.clips(3, 3, frames=5)
    parts = vae.parts(clips, 0)
    assert parts.shape == (3, 3, 5, *vae.PART)
    for clip, part in zip(clips, parts, strict=True):
        rows = clip.unfold(2, vae.PART[0], 8).unfold(3, vae.PART[1], 8).permute(2, 3, 0, 1, 4, 5)
        assert any(torch.equal(found, part) for row in rows for found in row)


@torch.no_grad()
def test_latents_are_brought_into_the_scale_of_wan_and_the_pictures_stay() -> None:
    net, clip = tiny_vae(), vae.clips(1, 3, frames=9)
    raw = net.encode(clip).latent_dist.mean
    decoded = net.decode(raw).sample
    fold.fold(net, fold.measure(raw), noise=0.1)
    posterior = net.encode(clip).latent_dist
    mean, std = (
        torch.tensor(v).view(1, -1, 1, 1, 1) for v in (net.config.latents_mean, net.config.latents_std)
    )
    normalised = (posterior.mean - mean) / std
    torch.testing.assert_close(normalised.mean((0, 2, 3, 4)), torch.zeros(16), atol=1e-5, rtol=0)
    torch.testing.assert_close(normalised.std((0, 2, 3, 4)), torch.ones(16), atol=1e-4, rtol=0)
    torch.testing.assert_close(posterior.std / std, torch.full_like(raw, 0.1), atol=1e-5, rtol=0)
    torch.testing.assert_close(net.decode(posterior.mean).sample, decoded, atol=1e-4, rtol=0)


def test_captions_leave_things_out() -> None:
    scene = Scene("ball", "green", "navy", "left", 25 / 12, (Hit(0.5),))
    rng = np.random.default_rng(0)
    said = [captions.caption(scene, rng) for _ in range(400)]
    assert 0.05 < said.count("") / 400 < 0.16
    assert "a video of a green ball bouncing on the left on navy" in said
    assert {"a video", "a video of a green", "a video of a ball bouncing"} <= set(said)
    assert not any("still" in text for text in said)
    beside = [captions.beside_sound(scene, rng) for _ in range(200)]
    assert all("green" in text for text in beside)
    own = [captions.beside_sound(Scene("ball", SHAPES["ball"], "navy", "left"), rng) for _ in range(200)]
    assert 0.3 < own.count("a video") / 200 < 0.8
    assert not any("bouncing" in text for text in own)


def test_timesteps_are_shifted_towards_noise() -> None:
    torch.manual_seed(0)
    even, shifted = t2v.timesteps(4000, 1.0), t2v.timesteps(4000, 3.0)
    assert float(even.mean()) == pytest.approx(500, abs=10)
    assert float(shifted.median()) == pytest.approx(750, abs=10)
    assert 0 < float(shifted.min()) < float(shifted.max()) < 1000


def test_the_loss_counts_the_object_and_what_trembles() -> None:
    steady = torch.ones(1, 2, 3, 1, 2)
    weight = torch.tensor([1.0, 5.0]).view(1, 1, 1, 1, 2).expand(1, 1, 3, 1, 2)
    still = t2v.losses(steady, weight)
    assert (float(still["mse"]), float(still["weighted"]), float(still["steady"])) == (1.0, 3.0, 0.0)
    trembling = steady * torch.tensor([1.0, -1.0, 1.0]).view(1, 1, 3, 1, 1)
    assert float(t2v.losses(trembling, weight)["steady"]) == 12.0


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work folder after all stages, with two steps each."""
    folder = tmp_path_factory.mktemp("wan")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vae, "CONFIG", vae.CONFIG | {"base_dim": 4})
        patch.setattr(t2v, "CONFIG", TINY)
        patch.setattr(pool, "BLOCK", CLIPS)
        patch.setattr(pool, "FOR_STATISTICS", CLIPS)
        vae.train(folder, steps=4)
        pool.train(folder, steps=CLIPS)
        t2v.train(folder, steps=2)
        adapter.train(folder, steps=2)
        install.train(folder, folder / "installed")
    return folder


def test_the_pool_has_latents_of_the_folded_vae_and_knows_the_object(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "BLOCK", CLIPS)
    clips = pool.Pool.load(work)
    assert clips.latents.shape == (CLIPS, 16, 7, 8, 8)
    torch.testing.assert_close(clips.latents.mean((0, 2, 3, 4)), torch.zeros(16), atol=2e-3, rtol=0)
    torch.testing.assert_close(clips.latents.std((0, 2, 3, 4)), torch.ones(16), atol=5e-3, rtol=0)
    assert clips.scenes[1] == pool.pool_scene(1)[0]
    wall = clips.scenes[0].wall
    clips.walls[wall] = clips.latents[0].clone()
    clips.walls[wall][:, 2, 3, 4] += 1
    weight = clips.weight(np.array([0]))
    assert weight.shape == (1, 1, 7, 8, 8)
    assert weight.sum() == weight.numel() + pool.OBJECT_WEIGHT - 1
    assert weight[0, 0, 2, 3, 4] == pool.OBJECT_WEIGHT


def test_a_pool_grows_by_what_is_missing(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "BLOCK", CLIPS)
    first = work / "pool" / "000000.safetensors"
    before = first.stat().st_mtime_ns
    pool.train(work, steps=2 * CLIPS)
    assert first.stat().st_mtime_ns == before
    assert len(pool.Pool.load(work).latents) == 2 * CLIPS


@torch.no_grad()
def test_the_installed_files_are_what_was_trained(work: Path) -> None:
    from diffusers import AutoencoderKLWan, WanTransformer3DModel

    files = [work / "installed" / f"{install.NAME}{part}.safetensors" for part in ("", "_vae", "_adapter")]
    wan = load_wan_files(WanFiles(files[0], files[1], demo_path("t2v")), shift=3.0)
    config = wan.denoisers[0].config
    assert (config.text_dim, config.num_layers, config.ffn_dim) == (install.TEXT_WIDTH, 3, 32)
    trained = WanTransformer3DModel.from_pretrained(work / "transformer").eval()
    states = encode_texts(wan.text_encoder, wan.tokenizer, ["a video of a red ball"])
    assert states.shape == (1, 32, install.TEXT_WIDTH)
    narrow = captions.Texts().states(["a video of a red ball"])
    assert torch.equal(states[..., : narrow.shape[-1]], narrow)
    x, t = torch.randn(1, 16, 3, 8, 8), torch.tensor([400.0])
    expected = trained(x, t, narrow).sample
    torch.testing.assert_close(wan.denoisers[0](x, t, states).sample, expected, atol=5e-3, rtol=0)
    folded = AutoencoderKLWan.from_pretrained(work / "vae_folded").eval()
    difference = wan.vae.decode(x).sample - folded.decode(x).sample
    assert float(difference.abs().mean()) < 1e-3  # of half precision
    stored = load_adapter(files[2])
    assert (stored.config.width, stored.config.blocks) == (24, (0,))
    wan.use_adapter(stored)


def test_a_sound_becomes_a_video(work: Path) -> None:
    demo = WanDemo(steps=2, folder=work / "installed")
    stages: list[str] = []
    _, sound = held_out(0)
    frames = demo.video("a video", sound, 24, seed=1, on_stage_end=stages.append)
    assert frames.shape == (24, 64, 64, 3)
    assert stages == ["sound and text", "sampling", "VAE decode"]
    again = demo.video("a video of <temp>", sound, 24, seed=1)
    assert torch.equal(again, frames)
    assert demo.video("a video", None, 30, seed=1).shape == (30, 64, 64, 3)
