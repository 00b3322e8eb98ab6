"""Audio words in any case and in every prompt of the T2V Sampler, on a real ComfyUI."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tests.comfyui.driver import ALIKE, Comfy, Graph, changed


def video(comfy: Comfy, graph: Graph, **sampler: object) -> Tensor:
    made = changed(graph, A2VT2VSampler={"cfg": 3.0, "width": 32, "height": 32, **sampler})
    return comfy.frames(made)


@pytest.mark.parametrize("sound_cfg", [-1.0, 2.0])
def test_the_case_of_an_audio_word_is_no_matter(comfy: Comfy, graph: Graph, sound_cfg: float) -> None:
    small, large = (
        video(comfy, graph, prompt=prompt, negative_prompt=negative, sound_cfg=sound_cfg)
        for prompt, negative in (("a ball <temp>", "noise <class>"), ("a ball <TEMP>", "noise <Class>"))
    )
    assert (small - large).abs().mean() < ALIKE
    plain = video(comfy, graph, prompt="a ball <temp>", negative_prompt="noise", sound_cfg=sound_cfg)
    assert (small - plain).abs().mean() > 1e-2


def test_an_audio_word_that_the_mapper_lacks_is_text_in_every_prompt(comfy: Comfy, graph: Graph) -> None:
    found = video(comfy, graph, prompt="<temp> <local9>", negative_prompt="<LOCAL9>", sound_cfg=2.0)
    assert bool(torch.isfinite(found).all())
    assert "<LOCAL9> in the prompt is none of this mapper's words" in comfy.server.log_tail()


def test_a_negative_prompt_that_is_not_used_is_not_read(comfy: Comfy, graph: Graph) -> None:
    """Without guidance nothing is led away from, whatever the negative prompt says."""
    texts = {"audio_tokens": None, "prompt": "a ball", "negative_prompt": "<temp>", "num_frames": 4}
    for settings in ({"speed": "few_steps", "steps": 5}, {"cfg": 1.0}):
        assert len(video(comfy, graph, **texts, **settings)) == 4
    run = comfy.run(changed(graph, A2VT2VSampler=texts))
    assert "A negative prompt is text only" in run.message
