"""The stages of the bundled Wan at tiny size, from untrained networks to a video of a sound."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from a2v_core.backbones.dit import load_adapter
from a2v_core.backbones.wan import CORE_WIDTH, WanFiles, encode_texts, load_wan_files
from a2v_core.checkpoints import write_safetensors
from a2v_core.demo import demo_path
from training.demo_world.atlas import Atlas
from training.demo_world.captioned import OBJECT_WEIGHT
from training.demo_world.held_out import held_out
from training.demo_world.wan import WanDemo, adapter, captions, fold, install, latents, layers, t2v, vae
from training.demo_world.world import SHAPES, WALLS, Hit, Scene, render

TINY: dict[str, Any] = t2v.CONFIG | {"attention_head_dim": 24, "ffn_dim": 32, "num_layers": 3}


def tiny_vae() -> Any:
    from diffusers import AutoencoderKLWan

    torch.manual_seed(0)
    return AutoencoderKLWan(**(vae.CONFIG | {"base_dim": 4})).eval()


def pixels(scene: Scene, frames: int) -> Tensor:
    return torch.from_numpy(render(scene)).permute(3, 0, 1, 2)[None, :, :frames] * 2 - 1


SCENE = Scene("ball", "green", "navy", "left", 25 / 12, (Hit(0.5), Hit(1.0)))


@pytest.fixture(scope="module")
def known() -> latents.Latents:
    """Latents of an atlas of noise, in which every picture is another."""
    table = torch.randn(324, len(Atlas.levels()), 4, 8, 8, generator=torch.Generator().manual_seed(0))
    return latents.Latents(Atlas(3 * table + 1), {wall: torch.zeros(4, 1, 8, 8) for wall in WALLS})


def test_latents_hold_four_frames_in_their_channels(known: latents.Latents) -> None:
    clip = known.of(SCENE)
    assert clip.shape == (16, 7, 8, 8)
    one = (known.atlas.latents(SCENE) - known.mean) / known.std
    assert torch.equal(clip[:4, 0], one[:, 0])
    assert torch.equal(clip[12:, 0], one[:, 0])
    assert torch.equal(clip[:4, 1], one[:, 1])
    assert torch.equal(clip[12:, 1], one[:, 4])
    assert torch.equal(clip[4:8, 6], one[:, 22])
    assert float(clip.mean()) == pytest.approx(0, abs=0.1)
    assert float(clip.std()) == pytest.approx(1, abs=0.1)


def test_single_pictures_are_any_frames_of_a_scene(known: latents.Latents) -> None:
    one = (known.atlas.latents(SCENE) - known.mean) / known.std
    picture = known.of_picture(SCENE, 6)
    assert picture.shape == (16, 1, 8, 8)
    assert torch.equal(picture.unflatten(0, (4, 4)), one[:, 6:7].expand(4, -1, -1, -1, -1))
    found = vae.pictures(known, 0, 40)
    assert (found.video.shape, found.latents.shape) == ((40, 3, 1, 64, 64), (40, 16, 1, 8, 8))
    top = ((found.video - found.video.median(dim=-1, keepdim=True).values).abs() > 0.2)[..., :31, :]
    assert 3 <= int(top.flatten(1).any(1).sum()) <= 37  # some are in the air, some at rest


def test_the_object_weighs_more(known: latents.Latents) -> None:
    wall = ((known.walls["navy"] - known.mean) / known.std).repeat(4, 7, 1, 1)[None]
    clean = wall.clone()
    clean[0, :, 2, 3, 4] += 1
    weight = known.weight(clean, [SCENE])
    assert weight.shape == (1, 1, 7, 8, 8)
    assert weight[0, 0, 2, 3, 4] == OBJECT_WEIGHT
    assert weight.sum() == weight.numel() + OBJECT_WEIGHT - 1


@torch.no_grad()
def test_layers_start_with_four_frames_side_by_side() -> None:
    net = tiny_vae()
    layers.start_side_by_side(net)
    picture = torch.randn(1, 4, 1, 8, 8).repeat(1, 4, 1, 1, 1)
    shown = net.decode(picture).sample
    clip = picture.repeat(1, 1, 3, 1, 1)
    still = net.decode(clip).sample
    torch.testing.assert_close(still, shown.expand_as(still), atol=1e-5, rtol=0)
    for group in range(4):  # each is mostly seen in its own frame
        changed = clip.clone()
        changed[:, 4 * group : 4 * group + 4, 2] += torch.randn(1, 4, 8, 8)
        difference = (net.decode(changed).sample - still).square().mean((0, 1, 3, 4))
        assert int(difference.argmax()) == 5 + group
        assert float(difference[:5].max()) < 1e-8
    video = pixels(SCENE, 9)
    made = net.encode(video).latent_dist.mean.unflatten(1, (4, 4))
    assert torch.equal(made[:, 0, :, 0], made[:, 3, :, 0])
    for group in range(4):
        changed = video.clone()
        changed[:, :, 5 + group] *= -1
        difference = net.encode(changed).latent_dist.mean.unflatten(1, (4, 4)) - made
        assert int(difference[:, :, :, 2].square().mean((0, 2, 3, 4)).argmax()) == group


def test_single_pictures_teach_all_groups_the_same() -> None:
    net = tiny_vae().train()
    masks = layers.start_side_by_side(net)
    picture, target = torch.randn(2, 4, 1, 8, 8).repeat(1, 4, 1, 1, 1), pixels(SCENE, 1)
    with layers.learning_only(net, masks):
        (net.decode(picture).sample - target).square().mean().backward()
    gradient = net.decoder.up_blocks[0].resnets[0].conv1.weight.grad
    assert gradient is not None
    first, last = gradient[:4, :4], gradient[12:, 12:]
    assert float(first.abs().max()) > 0
    torch.testing.assert_close(first, last, atol=1e-6, rtol=1e-3)
    assert float(gradient[:4, 4:].abs().max()) == 0
    net.zero_grad()
    (net.decode(picture).sample - target).square().mean().backward()
    assert float(net.decoder.up_blocks[0].resnets[0].conv1.weight.grad[:4, 4:].abs().max()) > 0


@torch.no_grad()
def test_frame_by_frame_is_the_same_without_earlier_taps() -> None:
    net, clip = tiny_vae(), pixels(SCENE, 9)
    layers.start_side_by_side(net)
    made = net.encode(clip).latent_dist.mean
    decoded = net.decode(made).sample
    with layers.frame_by_frame(net):
        torch.testing.assert_close(net.encode(clip).latent_dist.mean, made, atol=1e-5, rtol=0)
        torch.testing.assert_close(net.decode(made).sample, decoded, atol=1e-5, rtol=0)
    assert torch.equal(net.encode(clip).latent_dist.mean, made)


def test_what_moves_weighs_most_and_the_wall_least() -> None:
    clip = torch.zeros(1, 3, 3, 4, 8)
    clip[..., 0, 0] = 1.0  # an object at rest
    clip[:, :, 1, 1, 1] = 1.0  # one that is there for a moment
    weight = vae.pixel_weight(clip)
    assert weight.shape == (1, 1, 3, 4, 8)
    assert weight[0, 0, 1, 0, 0] == 1 + vae.OBJECT_WEIGHT
    assert weight[0, 0, 1, 1, 1] == 1 + vae.OBJECT_WEIGHT + vae.MOTION_WEIGHT
    assert (weight == 1).sum() == 3 * 32 - 4


def test_parts_are_cut_from_pixels_and_latents_alike(known: latents.Latents) -> None:
    whole = vae.clips(known, 3, 3, frames=5)
    assert (whole.video.shape, whole.latents.shape) == ((3, 3, 5, 64, 64), (3, 16, 2, 8, 8))
    found = vae.parts(whole, 0)
    height, width = (side // 8 for side in vae.PART)
    assert (found.video.shape[2:], found.latents.shape[2:]) == ((5, *vae.PART), (2, height, width))
    for number in range(3):
        places = [
            (top, left)
            for top in range(9 - height)
            for left in range(9 - width)
            if torch.equal(
                whole.latents[number, ..., top : top + height, left : left + width], found.latents[number]
            )
        ]
        ((top, left),) = places
        pixels = whole.video[number, ..., top * 8 :, left * 8 :]
        assert torch.equal(pixels[..., : vae.PART[0], : vae.PART[1]], found.video[number])


@torch.no_grad()
def test_latents_are_brought_into_the_scale_of_wan_and_the_pictures_stay() -> None:
    net, clip = tiny_vae(), pixels(SCENE, 9)
    raw = net.encode(clip).latent_dist.mean
    decoded = net.decode(raw).sample
    own = fold.Statistics(raw.double().mean((0, 2, 3, 4)), raw.double().std((0, 2, 3, 4)))
    fold.fold(net, own, noise=0.1)
    posterior = net.encode(clip).latent_dist
    mean, std = (values.float().view(1, -1, 1, 1, 1) for values in fold.built_in(net))
    normalised = (posterior.mean - mean) / std
    torch.testing.assert_close(normalised.mean((0, 2, 3, 4)), torch.zeros(16), atol=1e-5, rtol=0)
    torch.testing.assert_close(normalised.std((0, 2, 3, 4)), torch.ones(16), atol=1e-4, rtol=0)
    torch.testing.assert_close(posterior.std / std, torch.full_like(raw, 0.1), atol=1e-5, rtol=0)
    torch.testing.assert_close(net.decode(posterior.mean).sample, decoded, atol=1e-4, rtol=0)


def test_captions_leave_things_out() -> None:
    scene = SCENE
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
def work(tmp_path_factory: pytest.TempPathFactory, known: latents.Latents) -> Path:
    """A work folder after all stages, with some steps each."""
    folder = tmp_path_factory.mktemp("wan")
    write_safetensors(folder / "atlas.safetensors", {"table": known.atlas.table}, {})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vae, "CONFIG", vae.CONFIG | {"base_dim": 4})
        patch.setattr(t2v, "CONFIG", TINY)
        patch.setattr(adapter, "SOUNDS", 4)
        vae.train(folder, steps=10)
        t2v.train(folder, steps=2)
        adapter.train(folder, steps=2)
        install.train(folder, folder / "installed")
    return folder


@torch.no_grad()
def test_the_installed_files_are_what_was_trained(work: Path) -> None:
    from diffusers import AutoencoderKLWan, WanTransformer3DModel

    files = install.installed(work / "installed")
    wan = load_wan_files(WanFiles(files.transformer, files.vae, demo_path("t2v")), shift=3.0)
    config = wan.denoisers[0].config
    assert (config.text_dim, config.num_layers, config.ffn_dim) == (CORE_WIDTH, 3, 32)
    trained = WanTransformer3DModel.from_pretrained(work / "transformer").eval()
    states = encode_texts(wan.text_encoder, wan.tokenizer, ["a video of a red ball"])
    assert states.shape == (1, 32, CORE_WIDTH)
    narrow = captions.Texts().states(["a video of a red ball"])
    assert torch.equal(states[..., : narrow.shape[-1]], narrow)
    x, t = torch.randn(1, 16, 3, 8, 8), torch.tensor([400.0])
    expected = trained(x, t, narrow).sample
    torch.testing.assert_close(wan.denoisers[0](x, t, states).sample, expected, atol=5e-3, rtol=0)
    trained_vae = AutoencoderKLWan.from_pretrained(work / "vae").eval()
    difference = wan.vae.decode(x).sample - trained_vae.decode(x).sample
    assert float(difference.abs().mean()) < 1e-3  # of half precision
    stored = load_adapter(files.adapter)
    assert (stored.config.width, stored.config.blocks) == (24, (0, 1, 2))
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
