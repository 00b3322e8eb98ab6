"""Prompts blended by a sound, on the bundled model: its schedule is the height of the object."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from training.demo_world.held_out import held_out, visible_events
from training.demo_world.prompt_travel import PromptTravel, weights_of
from training.demo_world.world import heights

# diffusers hands torch tensors to NumPy in ways that NumPy 2 will drop
pytestmark = pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")


def test_the_schedule_is_the_height_of_the_object() -> None:
    """Up to the loudness, of which the sound's strongest hit counts as 1."""
    for number in range(3):
        scene, sound = held_out(number)
        weights = weights_of(sound, scene.num_frames).numpy()
        wanted = heights(scene)
        assert np.corrcoef(weights, wanted)[0, 1] > 0.97
        assert (np.diff(weights, prepend=0) > 0.2).nonzero()[0].tolist() == visible_events(scene)


def test_a_frame_sees_its_own_blend() -> None:
    """With weights of 0 the video is that of the text at rest; a weight of 1 moves its frame above all."""
    scene, _ = held_out(0)
    travel = PromptTravel(steps=1, guidance_scale=1.0)
    weights = torch.zeros(6)
    still = travel.video(scene, weights, 0)
    request = travel._request(scene, "still", 6, 0)
    plain = travel.pipeline.decode_all(
        request, travel.pipeline.sample(request, travel.pipeline.encode(request))
    )
    torch.testing.assert_close(still, plain, atol=1e-4, rtol=1e-4)
    weights[3] = 1.0
    change = (travel.video(scene, weights, 0) - still).abs().mean(dim=(1, 2, 3))
    assert change.argmax() == 3
