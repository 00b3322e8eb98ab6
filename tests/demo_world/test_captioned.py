"""What the text-to-video models of the demo learn from: captions of frames, weights, known texts."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from a2v_core.schedules import NoiseSchedule
from training.demo_world.atlas import Atlas
from training.demo_world.captioned import (
    OBJECT_WEIGHT,
    SCHEDULER,
    CaptionLoss,
    KnownTexts,
    Size,
    captioned,
    clips_alone,
    mixed,
    object_weight,
)
from training.demo_world.world import WALLS, Scene
from training.parts import PredictionError


@pytest.fixture(scope="module")
def atlas() -> Atlas:
    """Of noise, in which every picture is another."""
    return Atlas(torch.randn(324, len(Atlas.levels()), 4, 8, 8, generator=torch.Generator().manual_seed(0)))


def test_words_are_learned_from_pictures_and_motion_from_clips() -> None:
    assert [mixed(step, 25) for step in range(6)] == [
        Size(8, 12),
        Size(96, 1),
        Size(96, 1),
        Size(4, 25),
        Size(96, 1),
        Size(96, 1),
    ]
    assert [clips_alone(step, 25) for step in range(2)] == [Size(8, 12), Size(4, 25)]


def test_a_crop_has_the_captions_of_its_frames(atlas: Atlas) -> None:
    found = captioned(atlas, np.random.default_rng(3), Size(30, 5), 25)
    assert found.clean.shape == (30, 4, 5, 8, 8)
    assert len(found.captions) == 150
    silent = of_clip = moving = 0
    for number, scene in enumerate(found.scenes):
        whole, mine = atlas.latents(scene), found.captions[5 * number : 5 * number + 5]
        starts = [
            start for start in range(21) if torch.equal(whole[:, start : start + 5], found.clean[number])
        ]
        assert starts
        assert mine == [""] * 5 or all(f"a {scene.colour} {scene.shape} " in text for text in mine)
        silent += mine == [""] * 5
        of_clip += all(" bouncing" in text for text in mine)
        moving += len(set(mine)) > 1
    assert silent >= 1
    assert of_clip >= 1
    assert moving >= 10


def test_a_caption_of_a_clip_is_of_no_single_picture(atlas: Atlas) -> None:
    found = captioned(atlas, np.random.default_rng(3), Size(200, 1), 24)
    assert not any("bouncing" in text for text in found.captions)
    assert 5 < found.captions.count("") < 40


def test_the_object_weighs_more_before_any_wall() -> None:
    wall = torch.randn(4, 1, 8, 8)
    walls = {**{name: torch.zeros_like(wall) for name in WALLS}, "sand": wall}
    clean = wall[None].expand(2, -1, 3, -1, -1).clone()
    clean[1, :, 2, 4, 5] += 1
    weight = object_weight(clean, [Scene("ball", "red", "sand", "left")] * 2, walls)
    assert weight.shape == (2, 1, 3, 8, 8)
    assert weight[1, 0, 2, 4, 5] == OBJECT_WEIGHT
    assert weight.sum() == weight.numel() + OBJECT_WEIGHT - 1
    # Walls of as many latent frames as the clip has are the same.
    long = {name: latents.expand(-1, 3, -1, -1) for name, latents in walls.items()}
    assert torch.equal(object_weight(clean, [Scene("ball", "red", "sand", "left")] * 2, long), weight)


def test_the_loss_is_the_weighted_error_at_the_captions_states(atlas: Atlas) -> None:
    asked: list[Tensor] = []

    def predict(x: Tensor, t: Tensor, states: Tensor) -> Tensor:
        asked.append(states)
        return torch.zeros_like(x)

    def encode(captions: list[str]) -> Tensor:
        return torch.tensor([[float(len(text))] for text in captions])[:, None]

    walls = {name: torch.full((4, 1, 8, 8), 100.0) for name in WALLS}  # so all of a picture is object
    objective = CaptionLoss(
        PredictionError(predict, NoiseSchedule(SCHEDULER)), atlas, walls, encode, seed=1, num_frames=24
    )
    torch.manual_seed(0)
    losses = objective(7, Size(3, 4))
    assert asked[0].shape == (3, 4, 1, 1)
    drawn = captioned(atlas, np.random.default_rng([1, 7]), Size(3, 4), 24)
    assert asked[0].flatten().tolist() == [len(text) for text in drawn.captions]
    assert float(losses["loss"]) == pytest.approx(OBJECT_WEIGHT * float(losses["mse"]))


def test_a_text_is_encoded_once() -> None:
    asked: list[list[str]] = []

    def encode(texts: list[str]) -> Tensor:
        asked.append(texts)
        return torch.tensor([float(len(text)) for text in texts])[:, None, None]

    texts = KnownTexts(encode)
    assert texts.states(["a", "bcd", "a"]).flatten().tolist() == [1, 3, 1]
    assert texts.states(["bcd", "ef"]).flatten().tolist() == [3, 2]
    assert asked == [["a", "bcd"], ["ef"]]
