"""The front door with a model whose latent frames stand for several frames of the video."""

from __future__ import annotations

import pytest
import torch

from a2v_core.audio import Waveform
from a2v_core.backbones import Backbone
from a2v_core.errors import A2VError
from a2v_core.pipeline import VideoPipeline, VideoRequest
from a2v_core.sampling import SampleSettings, decode_video, sample
from a2v_core.sampling.long import LongSettings
from tests.pipeline.tiny import tokens_of

SETTINGS = SampleSettings(2, 3.0, seed=4, sound_guidance=2.0)
PROMPT = "a <temp> of <class>"


def test_a_video(toy: Backbone, sound: Waveform) -> None:
    request = VideoRequest(PROMPT, tokens_of(13), sound=sound, settings=SETTINGS, long=None, decode_chunk=2)
    video = VideoPipeline(toy).generate(request)
    assert video.latents.shape == (1, 16, 4, 4, 4)
    assert video.frames.shape == (13, 32, 32, 3)
    assert video.sound is not None
    assert video.sound.samples.shape[1] == round(13 / 8 * 22050)
    settings = request.resolved(toy.spec).settings
    texts = (toy.encode_prompt(text, None, 13) for text in ("", "a of"))
    negative, plain = texts
    positive = toy.encode_prompt(PROMPT, tokens_of(13), 13)
    latents = sample(toy, positive, negative, settings, text=plain)
    assert torch.equal(video.latents, latents)
    assert torch.equal(video.frames, decode_video(toy, latents))


def test_a_long_video(toy: Backbone) -> None:
    request = VideoRequest(PROMPT, tokens_of(25), settings=SETTINGS, long=LongSettings("model"))
    video = VideoPipeline(toy).generate(request)
    assert video.frames.shape == (25, 32, 32, 3)
    with pytest.raises(A2VError, match="long mode 'attention'"):
        VideoPipeline(toy).generate(VideoRequest(PROMPT, tokens_of(25), settings=SETTINGS))


def test_the_length_nearest_to_the_sound(toy: Backbone, sound: Waveform) -> None:
    """Two seconds at 8 fps are 16 frames; 17 is a length of this model."""
    resolved = VideoRequest("a ball", sound=sound, fps=8.0).resolved(toy.spec)
    assert resolved.settings.num_frames == 17
    with pytest.raises(A2VError, match=r"num_frames is 16: .*4n\+1 frames, such as 17"):
        VideoRequest(PROMPT, tokens_of(16), sound=sound).resolved(toy.spec)
