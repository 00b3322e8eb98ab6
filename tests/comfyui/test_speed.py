"""Speed modes and the sound's own guidance scale, on a real ComfyUI."""

from __future__ import annotations

from torch import Tensor

from tests.comfyui.driver import ALIKE, Comfy, Graph, changed

WORDS = "<temp> <local1> <local2> <local3> <local4> <class>"


def video(comfy: Comfy, graph: Graph, **sampler: object) -> Tensor:
    return comfy.frames(changed(graph, A2VT2VSampler={"steps": 10, "cfg": 3.0, **sampler}))


def apart(one: Tensor, other: Tensor) -> float:
    assert one.shape == other.shape
    return float((one - other).abs().mean())


def test_few_steps_are_a_fifth_without_guidance(comfy: Comfy, graph: Graph) -> None:
    few = video(comfy, graph, speed="few_steps", steps=5)
    # bfloat16 on a CPU rounds
    assert apart(few, video(comfy, graph, steps=1, cfg=1.0)) < 3e-2
    assert apart(few, video(comfy, graph, steps=5)) > 4e-2


def test_how_many_frames_are_decoded_at_once_changes_nothing(comfy: Comfy, graph: Graph) -> None:
    as_fits, one_by_one = (video(comfy, graph, steps=2, decode_chunk=chunk) for chunk in (0, 1))
    assert apart(as_fits, one_by_one) < ALIKE
    assert as_fits.std() > 0.01


def test_a_scale_for_the_sound(comfy: Comfy, graph: Graph) -> None:
    prompt = f"a red {WORDS} ball"
    plain = video(comfy, graph, prompt=prompt)
    assert apart(plain, video(comfy, graph, prompt=prompt, sound_cfg=3.0)) < ALIKE
    silent = video(comfy, graph, prompt=prompt, sound_cfg=0.0)
    assert apart(silent, video(comfy, graph, prompt="a red ball")) < ALIKE
    assert apart(silent, plain) > 1e-2


def test_a_negative_scale_is_named(comfy: Comfy, graph: Graph) -> None:
    half = comfy.run(changed(graph, A2VT2VSampler={"sound_cfg": -0.5}))
    assert "sound_cfg is -0.5: expected 0 or more, or -1 = as cfg" in half.message
