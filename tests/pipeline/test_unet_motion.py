"""The front door with AnimateDiff."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from a2v_core.audio import Waveform
from a2v_core.backbones import Backbone, load_t2v
from a2v_core.errors import A2VError
from a2v_core.pipeline import VideoPipeline, VideoRequest
from a2v_core.sampling import SampleSettings, decode_video, sample
from a2v_core.sampling.long import LongSettings
from tests.pipeline.tiny import tokens_of

SETTINGS = SampleSettings(2, 3.0, seed=4, width=32, height=32)
PROMPT = "a <temp> of <class>"


@pytest.fixture(scope="module")
def motion(motion_folder: Path) -> Backbone:
    return load_t2v(motion_folder)


def test_a_video(motion: Backbone, sound: Waveform) -> None:
    """Two seconds at 8 fps: the clips that AnimateDiff was trained on."""
    request = VideoRequest(PROMPT, tokens_of(16), sound=sound, settings=SETTINGS)
    video = VideoPipeline(motion).generate(request)
    assert video.latents.shape == (1, 4, 16, 4, 4)
    assert video.frames.shape == (16, 32, 32, 3)
    assert video.sound is not None
    positive, negative = motion.encode_prompt(PROMPT, tokens_of(16), 16), motion.encode_prompt("", None, 16)
    latents = sample(motion, positive, negative, request.resolved(motion.spec).settings)
    assert torch.equal(video.latents, latents)
    assert torch.equal(video.frames, decode_video(motion, latents))


def test_a_long_video(motion: Backbone) -> None:
    request = VideoRequest(PROMPT, tokens_of(24), settings=SETTINGS, long=LongSettings("model"))
    whole = VideoPipeline(motion).generate(request).frames
    inside = VideoPipeline(motion).generate(replace(request, long=LongSettings())).frames
    assert whole.shape == inside.shape == (24, 32, 32, 3)
    assert float((whole - inside).abs().max()) > 1e-3
    with pytest.raises(A2VError, match="at most 20 frames at once"):
        VideoPipeline(motion).generate(replace(request, long=None))
