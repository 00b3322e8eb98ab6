"""What a request means for a model: its own numbers in the place of every 0."""

from __future__ import annotations

import math

import pytest
import torch

from a2v_core.audio import Waveform
from a2v_core.backbones import Backbone
from a2v_core.errors import A2VError
from a2v_core.pipeline import DEFAULT_FPS, VideoRequest
from a2v_core.sampling import SampleSettings
from tests.pipeline.tiny import tokens_of


def test_length_and_rate_come_from_the_tokens_then_the_sound_then_the_model(
    backbone: Backbone, sound: Waveform
) -> None:
    spec = backbone.spec
    of_tokens = VideoRequest("a <temp>", tokens_of(5, 6.0), sound=sound).resolved(spec)
    assert (of_tokens.settings.num_frames, of_tokens.fps) == (5, 6.0)
    of_sound = VideoRequest("a ball", sound=sound, fps=7.0).resolved(spec)
    assert (of_sound.settings.num_frames, of_sound.fps) == (14, 7.0)
    own = VideoRequest("a ball").resolved(spec)
    assert (own.settings.num_frames, own.fps) == (spec.native_frames, DEFAULT_FPS)
    assert (own.settings.width, own.settings.height) == spec.native_size
    asked = VideoRequest("a ball", sound=sound, settings=SampleSettings(num_frames=3)).resolved(spec)
    assert asked.settings.num_frames == 3


def test_the_sound_is_as_long_as_the_video(backbone: Backbone, sound: Waveform) -> None:
    request = VideoRequest("a <temp>", tokens_of(5, 6.0), sound=sound).resolved(backbone.spec)
    assert request.sound is not None
    assert request.sound.samples.shape == (2, round(5 / 6 * 22050))
    assert torch.equal(request.sound.samples, sound.samples[:, : round(5 / 6 * 22050)])


def test_resolving_again_changes_nothing(backbone: Backbone, sound: Waveform) -> None:
    once = VideoRequest("a <temp>", tokens_of(5), sound=sound).resolved(backbone.spec)
    again = once.resolved(backbone.spec)
    assert (again.settings, again.fps) == (once.settings, once.fps)
    assert once.sound is not None
    assert again.sound is not None
    assert torch.equal(again.sound.samples, once.sound.samples)


def test_a_scale_for_the_sound_means_nothing_without_tokens(backbone: Backbone) -> None:
    settings = SampleSettings(sound_guidance=2.0)
    assert VideoRequest("a ball", settings=settings).resolved(backbone.spec).settings.sound_guidance is None
    heard = VideoRequest("a <temp>", tokens_of(4), settings=settings).resolved(backbone.spec)
    assert heard.settings.sound_guidance == 2.0


@pytest.mark.parametrize(
    ("fps", "says"), [(-1.0, "fps is -1"), (math.nan, "fps is nan"), (9.0, "Set fps to 0")]
)
def test_rates_that_cannot_be(fps: float, says: str, backbone: Backbone) -> None:
    with pytest.raises(A2VError, match=says):
        VideoRequest("a <temp>", tokens_of(4, 8.0), fps=fps).resolved(backbone.spec)
