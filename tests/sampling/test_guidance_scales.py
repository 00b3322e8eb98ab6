"""Guidance scales of text and sound: which branches they need, what they make of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from a2v_core.backbones.unet3d.backbone import UNet3DBackbone
from a2v_core.backbones.unet3d.load import load_unet3d
from a2v_core.errors import A2VError
from a2v_core.prompts.context import FrameContext
from a2v_core.sampling.guidance_scales import NEGATIVE, PROMPT, TEXT, Scales
from a2v_core.sampling.sampler import sample
from a2v_core.sampling.settings import SampleSettings
from a2v_core.tokens import without_words
from tests.golden_recipe import recipe
from tests.tiny_t2v import TEXT_WIDTH

pytestmark = pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")
SMALL = SampleSettings(steps=3, guidance_scale=3, width=32, height=24, num_frames=3)


@pytest.fixture(scope="module")
def backbone(tiny_folder: Path) -> UNet3DBackbone:
    return load_unet3d(tiny_folder)


@pytest.fixture(scope="module")
def contexts(backbone: UNet3DBackbone) -> dict[str, FrameContext]:
    states = recipe("states", (3, 77, TEXT_WIDTH)) * 40
    return {
        PROMPT: FrameContext(states, torch.arange(3)),
        NEGATIVE: backbone.encode_prompt("", None, 3),
        TEXT: backbone.encode_prompt("a red ball", None, 3),
    }


@pytest.mark.parametrize(
    ("scales", "branches", "result"),
    [
        (Scales(1.0), (PROMPT,), 5.0),
        (Scales(3.0), (NEGATIVE, PROMPT), 1 + 3 * 4.0),
        (Scales(3.0, 3.0), (NEGATIVE, PROMPT), 1 + 3 * 4.0),
        (Scales(3.0, 2.0), (NEGATIVE, TEXT, PROMPT), 1 + 3 * 1 + 2 * 3.0),
        (Scales(1.0, 2.0), (TEXT, PROMPT), 2 + 2 * 3.0),
        (Scales(3.0, 0.0), (NEGATIVE, TEXT), 1 + 3 * 1.0),
        (Scales(1.0, 0.0), (TEXT,), 2.0),
        (Scales(3.0, 1.0), (NEGATIVE, TEXT, PROMPT), 1 + 3 * 1 + 3.0),
    ],
)
def test_branches_and_rule(scales: Scales, branches: tuple[str, ...], result: float) -> None:
    assert scales.branches == branches
    values = {NEGATIVE: torch.tensor(1.0), TEXT: torch.tensor(2.0), PROMPT: torch.tensor(5.0)}
    assert float(scales.combine({name: values[name] for name in branches})) == pytest.approx(result)


def test_a_scale_for_the_sound(backbone: UNet3DBackbone, contexts: dict[str, FrameContext]) -> None:
    """Equal scales are one scale; without sound the prompt does not count."""

    def clip(sound: float | None, prompt: str = PROMPT, text: str = TEXT) -> torch.Tensor:
        settings = replace(SMALL, sound_guidance=sound)
        return sample(backbone, contexts[prompt], contexts[NEGATIVE], settings, text=contexts[text])

    plain = sample(backbone, contexts[PROMPT], contexts[NEGATIVE], SMALL)
    assert torch.equal(clip(3.0), plain)
    assert torch.equal(clip(None), plain)
    silent = clip(0.0)
    assert torch.equal(silent, clip(0.0, prompt=NEGATIVE))
    text_only = sample(backbone, contexts[TEXT], contexts[NEGATIVE], SMALL)
    torch.testing.assert_close(silent, text_only, atol=1e-5, rtol=1e-5)
    # Three branches whose text adds nothing to the negative prompt: the sound's scale alone counts.
    settings = replace(SMALL, guidance_scale=7.0, sound_guidance=3.0)
    same = sample(backbone, contexts[PROMPT], contexts[NEGATIVE], settings, text=contexts[NEGATIVE])
    torch.testing.assert_close(same, plain, atol=1e-3, rtol=1e-3)


def test_guidance_of_three_branches_is_computed_as_seldom_as_a_mode_says(
    backbone: UNet3DBackbone, contexts: dict[str, FrameContext]
) -> None:
    calls: list[int] = []
    handle = backbone.unet.conv_out.register_forward_pre_hook(lambda _, args: calls.append(len(args[0]) // 3))
    settings = replace(SMALL, steps=4, sound_guidance=2.0, speed="guidance_2")
    sample(backbone, contexts[PROMPT], contexts[NEGATIVE], settings, text=contexts[TEXT])
    handle.remove()
    assert calls == [3, 1, 3, 1]


def test_branches_one_after_the_other(backbone: UNet3DBackbone, contexts: dict[str, FrameContext]) -> None:
    calls: list[int] = []
    handle = backbone.unet.conv_out.register_forward_pre_hook(lambda _, args: calls.append(len(args[0]) // 3))

    def clip(batched: bool) -> torch.Tensor:
        settings = replace(SMALL, sound_guidance=2.0, speed="deep_2", batch_guidance=batched)
        return sample(backbone, contexts[PROMPT], contexts[NEGATIVE], settings, text=contexts[TEXT])

    together, apart = clip(True), clip(False)
    handle.remove()
    assert calls == [3] * 3 + [1] * 9
    torch.testing.assert_close(apart, together, atol=1e-3, rtol=1e-3)


def test_missing_text_is_named(backbone: UNet3DBackbone, contexts: dict[str, FrameContext]) -> None:
    with pytest.raises(A2VError, match="sound_guidance is 2 but the prompt without its sound is missing"):
        sample(backbone, contexts[PROMPT], contexts[NEGATIVE], replace(SMALL, sound_guidance=2.0))
    with pytest.raises(A2VError, match="sound_guidance is -1"):
        replace(SMALL, sound_guidance=-1.0)


def test_text_without_its_audio_words() -> None:
    words = ("temp", "class")
    assert without_words("a <temp> red  ball <class>", words) == "a red ball"
    assert without_words("<temp> <class>", words) == ""
    assert without_words("a <local1> ball", words) == "a <local1> ball"
    assert without_words("plain text", ()) == "plain text"
    assert without_words("a <TEMP> red <Class> ball", words) == "a red ball"
