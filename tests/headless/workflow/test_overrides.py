"""`--set`, and which input `--audio` means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from a2v_core.errors import WorkflowError
from a2v_core.headless.server.uploads import audio_target
from a2v_core.headless.workflow.convert import to_api
from a2v_core.headless.workflow.overrides import apply_overrides

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture
def info() -> dict[str, Any]:
    data: dict[str, Any] = json.loads((DATA / "object_info.json").read_text(encoding="utf-8"))
    return data


@pytest.fixture
def prompt(info: dict[str, Any]) -> dict[str, Any]:
    return to_api(json.loads((DATA / "plain.ui.json").read_text(encoding="utf-8")), info)


def one(prompt: dict[str, Any], kind: str) -> tuple[str, dict[str, Any]]:
    return next((number, node["inputs"]) for number, node in prompt.items() if node["class_type"] == kind)


def test_a_node_is_named_by_id_title_or_type(prompt: dict[str, Any], info: dict[str, Any]) -> None:
    number, sampler = one(prompt, "KSampler")
    assert apply_overrides(prompt, info, [f"{number}.seed=9", "KSampler.cfg=2.5", "ksampler.denoise=1"]) == {
        (number, "seed"),
        (number, "cfg"),
        (number, "denoise"),
    }
    assert (sampler["seed"], sampler["cfg"], sampler["denoise"]) == (9, 2.5, 1.0)
    apply_overrides(prompt, info, ["named latent.width=64", "Empty Latent Image.height=32"])
    assert one(prompt, "EmptyLatentImage")[1] == {"width": 64, "height": 32, "batch_size": 1}


def test_values_are_read_by_the_inputs_type(prompt: dict[str, Any], info: dict[str, Any]) -> None:
    negative = "CLIPTextEncode"
    ids = [number for number, node in prompt.items() if node["class_type"] == negative]
    apply_overrides(
        prompt, info, [f"{ids[0]}.text=12", f"{ids[1]}.text=a=b {{c}}", "KSampler.sampler_name=ddim"]
    )
    assert prompt[ids[0]]["inputs"]["text"] == "12"
    assert prompt[ids[1]]["inputs"]["text"] == "a=b {c}"
    assert one(prompt, "KSampler")[1]["sampler_name"] == "ddim"


def test_a_link_can_be_replaced_by_a_value(prompt: dict[str, Any], info: dict[str, Any]) -> None:
    video = one(prompt, "CreateVideo")[1]
    assert video["fps"] == [one(prompt, "PrimitiveFloat")[0], 0]
    apply_overrides(prompt, info, ["CreateVideo.fps=24"])
    assert video["fps"] == 24.0


def test_a_title_may_hold_dots(prompt: dict[str, Any], info: dict[str, Any]) -> None:
    number, sampler = one(prompt, "KSampler")
    prompt[number]["_meta"]["title"] = "stage 1.5"
    apply_overrides(prompt, info, ["stage 1.5.steps=3"])
    assert sampler["steps"] == 3


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("KSampler.seed", "expected NODE.INPUT=VALUE"),
        ("seed=3", "expected NODE.INPUT=VALUE"),
        ("Nobody.seed=3", r"no node 'Nobody'. This workflow runs:\n(.*\n)*.*'KSampler' \(KSampler, node"),
        ("KSampler.sed=3", "has no input 'sed'; its inputs: .*seed, .*denoise"),
        ("KSampler.seed=x", "seed takes INT, not 'x'"),
        ("KSampler.cfg=x", "cfg takes FLOAT, not 'x'"),
        ("KSampler.model=x", "model is a socket of type MODEL"),
        ("CLIPTextEncode.text=x", "fits several nodes, name one by its id"),
    ],
)
def test_faults_are_named(
    prompt: dict[str, Any], info: dict[str, Any], assignment: str, message: str
) -> None:
    with pytest.raises(WorkflowError, match=message):
        apply_overrides(prompt, info, [assignment])


def test_audio_goes_into_the_only_sound_loader(prompt: dict[str, Any], info: dict[str, Any]) -> None:
    number, _ = one(prompt, "LoadAudio")
    assert audio_target(prompt, info) == (number, "audio")
    prompt["900"] = json.loads(json.dumps(prompt[number]))
    with pytest.raises(WorkflowError, match=rf"several nodes load a sound .*--set {number}\.audio=FILE"):
        audio_target(prompt, info)
    del prompt["900"], prompt[number]
    with pytest.raises(WorkflowError, match="no node that loads a sound"):
        audio_target(prompt, info)
