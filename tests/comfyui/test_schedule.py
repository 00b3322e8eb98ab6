"""Schedules and scheduled prompts on a real ComfyUI: what other nodes get, and what KSampler makes of it."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from a2v_core.media import load_audio
from a2v_core.signals import keyframe_text, parse_keyframes, sound_schedule
from a2v_core.signals.schedule import Shape
from tests.comfyui.core_graphs import FRAMES, ksampler, latents_of, loaded, node
from tests.comfyui.driver import Comfy, Graph

OUTPUTS = ("floats", "float_list", "mask", "keyframes", "picture", "frames", "curve")
PLAIN = {
    "signal": "onset",
    "fps": 8.0,
    "frames": 0,
    "range_hz": "80-200",
    "mask_width": 24,
    "mask_height": 16,
    "batch_index": 0,
    "invert": False,
    **dict.fromkeys(("floor", "threshold", "hold", "attack", "release", "smoothing", "low"), 0.0),
    **dict.fromkeys(("ceiling", "gamma", "high"), 1.0),
}


def scheduled(look: tuple[str, ...] = (), sound: str = "hits.wav", **widgets: Any) -> Graph:
    """Sound Schedule, and a probe named like each of the outputs to look at."""
    load = node("A2VLoadAudio", audio=sound, start_time=0.0, duration=0.0)
    schedule = node("A2VSoundSchedule", audio=["sound", 0], **{**PLAIN, **widgets})
    probes = {name: node("ProbeLook", value=["schedule", OUTPUTS.index(name)]) for name in look}
    return {"sound": load, "schedule": schedule, **probes}


def test_outputs(probes: Comfy) -> None:
    """hits.wav has hits at 0.25, 0.5 and 0.75 s: frames 2, 4 and 6 of 8."""
    graph = scheduled(OUTPUTS)
    graph["images"] = node("MaskToImage", mask=["schedule", 2])
    graph["save"] = node("SaveImage", images=["images", 0], filename_prefix="masks")
    run = probes.good(graph)
    seen = {name: run.outputs[name]["text"] for name in OUTPUTS}
    (text,) = seen["keyframes"]
    values = parse_keyframes(str(text).strip("'"), 8)
    assert np.flatnonzero(values).tolist() == [2, 4, 6]
    assert values.max() == 1
    assert seen["floats"] == ["list of 8: 0.0"]
    assert [float(value) for value in seen["float_list"]] == pytest.approx(values.tolist(), abs=0.0006)
    assert seen["mask"] == ["torch.float32 [8, 16, 24] cpu 0.0000..1.0000"]
    assert seen["frames"] == ["8"]
    assert re.match(r"torch.float32 \[1, 294, 768, 3\] cpu 0\.\d+\.\.1", seen["picture"][0])
    (shown,) = run.outputs["schedule"]["images"]
    assert shown["type"] == "temp"
    masks = [
        np.asarray(Image.open(probes.server.output / one["filename"]))
        for one in run.outputs["save"]["images"]
    ]
    assert [int(mask[3, 5, 0]) for mask in masks] == pytest.approx((255 * values).tolist(), abs=1)
    assert (np.stack(masks) == np.stack(masks)[:, :1, :1, :1]).all()


def test_the_widgets_are_those_of_the_library(probes: Comfy) -> None:
    shape = Shape(0.1, 0.9, 0.2, 1.5, 0.1, 0.1, 0.3, 0.05, True, 0.2, 0.7)
    widgets = {name: getattr(shape, name) for name in Shape.__dataclass_fields__}
    sound = load_audio(probes.server.input / "hits.wav")
    for signal, range_hz in (("bass", "x"), ("range in Hz", "300 to 4000 Hz"), ("loudness", "")):
        graph = scheduled(("keyframes",), signal=signal, range_hz=range_hz, fps=23.976, frames=40, **widgets)
        name = range_hz if signal.startswith("range") else signal
        expected = keyframe_text(sound_schedule(sound, name, 23.976, 40, shape).values)
        assert probes.good(graph).outputs["keyframes"]["text"] == [repr(expected)]


def test_a_curve_is_cores_own(probes: Comfy) -> None:
    """From 0.19 on; before that no node of core's takes one."""
    (kind,) = probes.good(scheduled(("curve",), frames=12)).outputs["curve"]["text"]
    info = probes.get("/object_info")
    assert kind == "LinearCurve" if "CurveEditor" in info else kind.startswith("points: list of ")


def test_core_and_the_adapter_take_the_floats(probes: Comfy) -> None:
    hooks = node("CreateHookKeyframesFromFloats", floats_strength=["schedule", 0], start_percent=0.0)
    hooks["inputs"] |= {"end_percent": 1.0, "print_keyframes": False}
    look = node("ProbeLook", value=["hooks", 0])
    assert probes.good({**scheduled(), "hooks": hooks, "look": look}).outputs["look"]["text"] == [
        "HookKeyframeGroup"
    ]


def test_a_class_of_sound(probes: Comfy) -> None:
    beats = node("A2VLoadBEATs", beats_name="demo (bundled)", download_if_missing=False)
    widgets: dict[str, Any] = {
        "sound": "demo (bundled): drum.wav",
        "fps": 12.0,
        "audio_encoder": ["beats", 0],
    }
    found = {}
    for signal, name in (
        ("hits of a class", "ball"),
        ("hits of a class", "drop"),
        ("presence of a class", "Ball"),
    ):
        graph = {**scheduled(("keyframes",), signal=signal, sound_class=name, **widgets), "beats": beats}
        (text,) = probes.good(graph).outputs["keyframes"]["text"]
        found[signal, name] = parse_keyframes(text.strip("'"), 24)
    ball = found["hits of a class", "ball"]
    assert np.flatnonzero(ball > 0.3).tolist() == [2, 7, 13, 17]
    assert found["hits of a class", "drop"].max() < 0.2
    assert found["presence of a class", "Ball"].min() > 0.8
    wrong = {**scheduled(signal="hits of a class", sound_class="dog", **widgets), "beats": beats}
    assert "'dog' is no class of this BEATs: choose" in probes.run(wrong).message


@pytest.mark.parametrize(
    ("widgets", "message"),
    [
        ({"fps": float("nan")}, "fps is nan: expected frames per second between 0.01 and 1000"),
        ({"signal": "range in Hz", "range_hz": "loud"}, "Sound Schedule: Signal 'loud' is unknown: choose"),
        ({"signal": "range in Hz", "range_hz": "200-80"}, "needs its lower end first"),
        ({"floor": 0.5, "ceiling": 0.5}, "floor 0.5 must be below ceiling 0.5"),
        ({"release": float("nan")}, "release is nan: expected a finite number"),
        ({"signal": "hits of a class", "sound_class": "ball"}, "needs audio_encoder, from Load BEATs"),
        ({"batch_index": 3}, "batch_index is 3, but the input audio has 1 sounds"),
        ({"sound": "nan.wav"}, "nan.wav: 1 of"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_what_cannot_be_is_said(probes: Comfy, widgets: dict[str, Any], message: str) -> None:
    assert message in probes.run(scheduled(**widgets)).message


@pytest.mark.parametrize(
    ("widgets", "message"),
    [
        ({"fps": 0}, "smaller than min of 0.01: fps"),
        ({"frames": -1}, "smaller than min of 0: frames"),
        ({"signal": "shine"}, "signal is 'shine': choose one of onset, loudness"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_what_is_refused_before_it_runs(probes: Comfy, widgets: dict[str, Any], message: str) -> None:
    assert message in probes.refused(scheduled(**widgets))


def test_silence_and_one_sample(probes: Comfy) -> None:
    graph = scheduled(("keyframes", "frames"), fps=8.0)
    odd: dict[str, Any] = {
        "class_type": "ProbeAudio",
        "inputs": {"audio": ["sound", 0], "kind": "batch"},
    }  # the first sound of it is silent
    graph["odd"] = odd
    graph["schedule"]["inputs"]["audio"] = ["odd", 0]
    run = probes.good(graph)
    assert run.outputs["keyframes"]["text"] == ["'0:(0.000), 7:(0.000)'"]
    odd["inputs"]["kind"] = "one sample"
    run = probes.good(graph)
    assert run.outputs["keyframes"]["text"] == ["'0:(0.000)'"]
    assert run.outputs["frames"]["text"] == ["1"]
    odd["inputs"]["kind"] = "empty"
    assert "Sound Schedule: the input audio is empty ([1, 2, 0] at 22050 Hz)" in probes.run(graph).message
    odd["inputs"]["kind"] = "none"
    assert "Sound Schedule: the input audio is None" in probes.run(graph).message


def blended(values: list[float], **inputs: Any) -> Graph:
    """The two texts of `loaded`, blended by a schedule."""
    ends = {"prompt_0": ["positive", 0], "prompt_1": ["negative", 0], "floats": ["floats", 0]}
    return {
        **loaded(),
        "floats": node("ProbeFloats", values=json.dumps(values)),
        "travel": node("A2VScheduledPrompt", **{**ends, **inputs}),
    }


def test_ksampler_gives_every_frame_its_blend(probes: Comfy) -> None:
    """All 0 and all 1 are the prompts themselves; one frame at 1 moves that frame above all."""
    one = [float(frame == 2) for frame in range(FRAMES)]
    made = {}
    for name, values in (("first", [0.0] * FRAMES), ("second", [1.0] * FRAMES), ("one", one)):
        travel = ksampler(positive=["travel", 0], steps=1, cfg=1.0)
        made[name] = latents_of(probes, {**blended(values), **travel})
    for name, text in (("first", "positive"), ("second", "negative")):
        plain = latents_of(probes, {**loaded(), **ksampler(positive=[text, 0], steps=1, cfg=1.0)})
        torch.testing.assert_close(made[name], plain, atol=1e-4, rtol=1e-4)
    change = (made["one"] - made["first"]).abs().mean(dim=(1, 2, 3))
    assert change[2] > 3 * torch.cat([change[:2], change[3:]]).max()
    assert (made["second"] - made["first"]).abs().max() > 0.1


def test_a_sound_drives_the_prompt(probes: Comfy) -> None:
    """The whole way: sound, schedule, prompts, KSampler; the batch is as long as the schedule."""
    graph: Graph = {
        **blended([], floats=["schedule", 0]),
        **scheduled(frames=FRAMES, fps=8.0),
        **ksampler(positive=["travel", 0], steps=1, cfg=1.0),
    }
    graph["empty"]["inputs"]["batch_size"] = ["schedule", 5]
    driven = latents_of(probes, graph)
    assert driven.shape == (FRAMES, 4, 8, 8)
    graph["schedule"]["inputs"]["high"] = 0.0
    still = latents_of(probes, graph)
    change = (driven - still).abs().mean(dim=(1, 2, 3))
    assert min(change[2], change[4]) > 2 * change[[0, 1, 3, 5]].max()


def test_other_entries_of_a_conditioning(probes: Comfy) -> None:
    """The shorter text is filled up, pooled texts are blended too, the rest is that of prompt_1."""
    graph = {
        "short": node("ProbeText", seed=1, length=4, width=8),
        "long": node("ProbeText", seed=2, length=6, width=8),
        "low": node("ProbePooled", conditioning=["short", 0], value=2.0),
        "high": node("ProbePooled", conditioning=["long", 0], value=4.0),
        "both": node("ConditioningCombine", conditioning_1=["high", 0], conditioning_2=["long", 0]),
        "floats": node("ProbeFloats", values="[0.0, 0.5, 1.0]"),
        "travel": node("A2VScheduledPrompt", prompt_0=["low", 0], prompt_1=["both", 0], floats=["floats", 0]),
        "look": node("ProbeEntries", conditioning=["travel", 0]),
    }
    (text,) = probes.good(graph).outputs["look"]["text"]
    pooled = [[2.0] * 4, [3.0] * 4, [4.0] * 4]
    single = [[2.0] * 4] * 3
    assert json.loads(text) == [
        {"shape": [3, 6, 8], "strength": 4.0, "pooled": pooled},
        {"shape": [3, 6, 8], "strength": None, "pooled": single},
    ]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("[]", "Scheduled Prompt (Sound): floats has no numbers"),
        ("[0.5, NaN]", "floats has numbers that are not finite: check the schedule"),
        ('["a"]', "floats is a list, expected a number or a list of numbers"),
        ('{"a": 1}', "floats is a dict, expected a number or a list of numbers"),
    ],
)
def test_floats_that_are_none(probes: Comfy, values: str, message: str) -> None:
    look = node("ProbeLook", value=["travel", 0])
    graph = {**blended([0.0]), "look": look}
    graph["floats"] = node("ProbeJson", value=values)
    assert message in probes.run(graph).message


def test_prompts_that_do_not_fit(probes: Comfy) -> None:
    look = node("ProbeLook", value=["travel", 0])
    wide = node("ProbeText", seed=1, length=4, width=8)
    graph = {**blended([0.0, 1.0], prompt_1=["wide", 0]), "wide": wide, "look": look}
    assert "they differ in width, so they are of different text encoders" in probes.run(graph).message
    both = node("ConditioningCombine", conditioning_1=["positive", 0], conditioning_2=["negative", 0])
    three = node("ConditioningCombine", conditioning_1=["both", 0], conditioning_2=["negative", 0])
    parts = {"both": both, "three": three, "look": look}
    graph = {**blended([0.0, 1.0], prompt_0=["both", 0], prompt_1=["three", 0]), **parts}
    assert "prompt_0 has 2 parts and prompt_1 3" in probes.run(graph).message
