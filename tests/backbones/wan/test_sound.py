"""The tiny Wan with an audio adapter: what hears, what does not, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from a2v_core.backbones import (
    AudioAdapted,
    require,
)
from a2v_core.backbones.wan import WanBackbone
from a2v_core.backbones.wan.text import say_that_words_go
from a2v_core.errors import A2VError
from a2v_core.pipeline import VideoPipeline, VideoRequest
from a2v_core.sampling import SampleSettings
from a2v_core.sampling.long import LongSettings, Progress
from a2v_core.tokens import AudioTokens
from tests.backbones.wan.clip import FRAMES, PROMPT, SETTINGS, SIDE, TOKEN_WIDTH, adapter, predict, tokens_of
from tests.tiny_wan import CHANNELS, TEXT_WIDTH


def test_audio_words_are_left_out_of_the_text_and_the_log_says_so_once(
    wan: WanBackbone, caplog: pytest.LogCaptureFixture
) -> None:
    say_that_words_go.cache_clear()
    with caplog.at_level("INFO"):
        for prompt in ("a video of <temp> <Local1> <class>, a red ball", "a video of <temp>, a red ball"):
            found = wan.encode_prompt(prompt, None, FRAMES)
            assert torch.equal(found.states, wan.encode_prompt("a video, a red ball", None, FRAMES).states)
    assert caplog.text.count("audio words in prompts are left out") == 1


def test_only_the_prompt_has_sound(wan: WanBackbone) -> None:
    """Guidance leads away from no sound, whatever words the texts have."""
    wan.adapter = adapter()
    settings = SampleSettings(2, 4.0, "unipc", width=SIDE, height=SIDE, num_frames=FRAMES, sound_guidance=2.0)
    request = VideoRequest("a video of <temp> <local9>", tokens_of(FRAMES), "a <class>", settings=settings)
    prompt, negative, text = VideoPipeline(wan).encode(request)
    assert negative is not None
    assert text is not None
    assert prompt.audio is not None
    assert negative.audio is None
    assert text.audio is None
    other = AudioTokens({word: -rows for word, rows in tokens_of(FRAMES).words.items()}, 16.0)
    _, negative, _ = VideoPipeline(wan).encode(replace(request, negative_prompt="", negative_tokens=other))
    assert negative is not None
    assert negative.audio is not None
    assert not torch.equal(negative.audio, prompt.audio)


def test_captions_that_are_encoded_already(wan: WanBackbone) -> None:
    adapted = require(wan, AudioAdapted, "a test")
    adapted.use_adapter(adapter())
    words = {word: rows[None].expand(2, -1, -1) for word, rows in tokens_of(FRAMES).words.items()}
    states = adapted.encode_captions([PROMPT, "a dog"])
    assert states.shape == (2, 512, TEXT_WIDTH)
    gate = torch.tensor([[1.0], [0.0]])
    context, both = adapted.context_of(states, words, gate), wan.encode_texts([PROMPT, "a dog"], words)
    assert torch.equal(context.states, both.states)
    assert context.audio is not None
    assert both.audio is not None
    assert torch.equal(context.audio, both.audio)
    assert context.gate is not None
    assert torch.equal(context.gate, gate)
    with pytest.raises(A2VError, match="its width is 64, that of the connected model 48"):
        adapted.use_adapter(adapter(width=64))


@torch.no_grad()
def test_sound_moves_what_has_sound_and_nothing_else(wan: WanBackbone) -> None:
    plain = wan.encode_prompt(PROMPT, None, FRAMES)
    base = predict(wan, plain, plain)
    wan.adapter = adapter()
    heard = wan.encode_prompt(PROMPT, tokens_of(FRAMES), FRAMES)
    assert heard.audio is not None
    assert heard.audio.shape == (3, 8, TOKEN_WIDTH)
    found = predict(wan, plain, heard)
    assert torch.equal(found[0], base[0])
    assert float((found[1] - base[1]).abs().max()) > 0.01
    assert torch.equal(predict(wan, plain, plain), base)


def test_a_video_with_sound_can_be_resumed(wan: WanBackbone, tmp_path: Path) -> None:
    wan.adapter = adapter()
    long = LongSettings("model", window=FRAMES)
    settings = SampleSettings(2, 4.0, seed=1, width=SIDE, height=SIDE)
    request = VideoRequest(PROMPT, tokens_of(17), settings=settings, long=long)
    pipeline = VideoPipeline(wan)
    latents = pipeline.sample(request, pipeline.encode(request))
    assert latents.shape == (1, CHANNELS, 5, 4, 4)
    silent = pipeline.sample(
        request,
        pipeline.encode(
            VideoRequest(
                PROMPT,
                settings=SampleSettings(2, 4.0, seed=1, width=SIDE, height=SIDE, num_frames=17),
                long=long,
            )
        ),
    )
    assert float((latents - silent).abs().max()) > 0.01
    for _ in range(2):
        kept = Progress(tmp_path)
        assert torch.equal(pipeline.sample(request, pipeline.encode(request), progress=kept), latents)
    assert len(list(tmp_path.iterdir())) == 1


def test_gradients_reach_words_and_adapter(wan: WanBackbone) -> None:
    wan.adapter = adapter().requires_grad_(True)
    words = {word: rows[None].requires_grad_() for word, rows in tokens_of(FRAMES).words.items()}
    context = wan.encode_texts([PROMPT], words)
    x = torch.randn(SETTINGS.grid(wan.spec).shape)
    undo = wan.recompute_activations()
    wan.denoise(x, torch.tensor([500.0]), context).square().mean().backward()
    undo()
    assert all(float(rows.grad.abs().max()) > 0 for rows in words.values() if rows.grad is not None)
    assert all(rows.grad is not None for rows in words.values())
    assert wan.adapter.attention["2"].out.weight.grad is not None  # type: ignore[union-attr]
    assert all(p.grad is None for p in wan.denoisers[0].parameters())


def test_what_cannot_be_is_named(wan: WanBackbone, folder: Path) -> None:
    with pytest.raises(A2VError, match="no audio adapter for this model"):
        wan.encode_prompt(PROMPT, tokens_of(FRAMES), FRAMES)
    wan.adapter = adapter()
    with pytest.raises(A2VError, match="audio tokens are for 5 frames, but 9 frames"):
        wan.encode_prompt(PROMPT, tokens_of(5), FRAMES)
    with pytest.raises(A2VError, match="its width is 64, that of the connected model 48"):
        WanBackbone(wan.denoisers, None, None, None, wan.spec, adapter=adapter(width=64))
