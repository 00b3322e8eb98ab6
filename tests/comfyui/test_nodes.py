"""The pack in a real ComfyUI: it loads without a word, and its nodes are what saved workflows expect."""

from __future__ import annotations

import json
import re
import urllib.request
from typing import Any

import pytest

from tests.comfyui.driver import Comfy
from tests.comfyui.snapshot import SNAPSHOT, contract

SOCKETS = {
    "A2VLoadAudio": ([], ["AUDIO"]),
    "A2VLoadBEATs": ([], ["AUDIO_ENCODER"]),
    "A2VBEATsEncode": (["AUDIO_ENCODER", "AUDIO"], ["AUDIO_ENCODER_OUTPUT"]),
    "A2VLoadAudioMapper": ([], ["A2V_MAPPER"]),
    "A2VAudioMapper": (["A2V_MAPPER", "AUDIO_ENCODER_OUTPUT"], ["A2V_FRAME_TOKENS", "FLOAT", "INT"]),
    "A2VTemporalContextPooling": (["A2V_MAPPER", "A2V_FRAME_TOKENS"], ["A2V_AUDIO_TOKENS"]),
    "A2VAudioPreview": (["AUDIO", "A2V_AUDIO_TOKENS"], ["IMAGE"]),
    "A2VSoundSchedule": (
        ["AUDIO", "AUDIO_ENCODER"],
        ["FLOATS,FLOAT", "FLOAT", "MASK", "STRING", "IMAGE", "INT", "CURVE"],
    ),
    "A2VScheduledPrompt": (["CONDITIONING", "CONDITIONING", "FLOAT,FLOATS"], ["CONDITIONING"]),
    "A2VLoadT2VModel": ([], ["A2V_T2V_MODEL"]),
    "A2VTextEncode": (["CLIP,A2V_T2V_MODEL", "A2V_AUDIO_TOKENS"], ["CONDITIONING"]),
    "A2VT2VSampler": (
        ["A2V_T2V_MODEL", "A2V_AUDIO_TOKENS", "AUDIO"],
        ["IMAGE", "LATENT", "FLOAT", "AUDIO"],
    ),
    "A2VLoadDemoCLIP": ([], ["CLIP"]),
    "A2VLoadAudioAdapter": ([], ["A2V_AUDIO_ADAPTER", "A2V_MAPPER"]),
    "A2VApplyAudioAdapter": (
        ["MODEL", "A2V_AUDIO_ADAPTER", "A2V_AUDIO_TOKENS", "CONDITIONING", "CONDITIONING", "FLOAT,FLOATS"],
        ["MODEL", "CONDITIONING", "CONDITIONING"],
    ),
    "A2VT2VModelAsModel": (["A2V_T2V_MODEL"], ["MODEL", "CLIP", "VAE"]),
    "A2VSoundEvents": (["AUDIO", "AUDIO_ENCODER"], ["STRING", "STRING", "STRING", "IMAGE"]),
    "A2VTimedPrompts": (
        ["CLIP,A2V_T2V_MODEL"],
        ["STRING", "STRING", "STRING", "CONDITIONING", "STRING", "FLOAT", "INT", "INT"],
    ),
    "A2VCutList": (["AUDIO"], ["FLOAT", "FLOAT", "INT", "FLOAT", "FLOAT", "STRING", "STRING", "IMAGE"]),
    "A2VSegmentOfAudio": (["AUDIO"], ["AUDIO", "INT", "FLOAT", "FLOAT", "INT", "FLOAT"]),
    "A2VAVAlignScore": (["IMAGE,VIDEO", "AUDIO"], ["FLOAT", "STRING", "FLOAT", "IMAGE"]),
    "A2VBestTake": (["IMAGE,VIDEO", "AUDIO"], ["IMAGE", "VIDEO", "INT", "FLOAT", "STRING", "IMAGE"]),
}
WIDGETS = ("INT", "FLOAT", "STRING", "COMBO", "BOOLEAN")


@pytest.fixture(scope="module")
def info(comfy: Comfy) -> dict[str, Any]:
    found: dict[str, Any] = comfy.get("/object_info")
    return found


def test_it_loads_without_a_warning(comfy: Comfy, info: dict[str, Any]) -> None:
    log = comfy.server.log_text()
    # Between asterisks newer versions of ComfyUI speak of themselves, as a warning.
    lines = [line for line in log[: log.index("To see the GUI go to")].splitlines() if "******" not in line]
    started = "\n".join(lines)
    assert re.search(r" \d\.\d seconds: .*audio-to-video$", started, re.MULTILINE)
    for word in ("IMPORT FAILED", "Traceback", "Cannot import", "Error while calling", "arning", "rror"):
        assert word not in started, started


def test_it_has_these_nodes_and_no_other(info: dict[str, Any]) -> None:
    ours = {name for name, node in info.items() if "audio-to-video" in node["python_module"]}
    assert ours == set(SOCKETS)
    assert {info[name]["category"] for name in ours} == {"audio-to-video"}


@pytest.mark.parametrize("name", SOCKETS)
def test_sockets(info: dict[str, Any], name: str) -> None:
    node = info[name]
    kinds = [kind for group in ("required", "optional") for kind, *_ in node["input"].get(group, {}).values()]
    assert ([kind for kind in kinds if kind not in WIDGETS], node["output"]) == SOCKETS[name]


@pytest.mark.parametrize("name", SOCKETS)
def test_everything_is_explained(info: dict[str, Any], name: str) -> None:
    node = info[name]
    assert len(node["description"]) > 40
    assert all(node["output_tooltips"])
    for group in ("required", "optional"):
        for socket, (_, options) in node["input"].get(group, {}).items():
            assert options.get("tooltip"), f"{name}.{socket} has no tooltip"


def test_the_contract_with_saved_workflows_stands(info: dict[str, Any]) -> None:
    """If this change is meant: python -m tests.comfyui.snapshot"""
    assert contract(info) == json.loads(SNAPSHOT.read_text())


@pytest.mark.parametrize("name", SOCKETS)
def test_help_page_names_every_input_and_output(comfy: Comfy, info: dict[str, Any], name: str) -> None:
    page = text_at(comfy, f"/extensions/audio-to-video/docs/{name}.md")
    assert page.startswith(f"# {info[name]['display_name']}\n")
    rows = set(
        re.findall(r"`(\w+)`", "\n".join(line.split("|")[1] for line in page.splitlines() if "|" in line))
    )
    named = {socket for group in ("required", "optional") for socket in info[name]["input"].get(group, {})}
    assert (named | set(info[name]["output_name"])) - rows == set()


def test_the_page_gets_its_scripts(comfy: Comfy) -> None:
    scripts = [path for path in comfy.get("/extensions") if "/audio-to-video/" in path]
    assert sorted(path.rsplit("/", 1)[1] for path in scripts) == ["load_audio.js", "text_view.js"]
    for path in scripts:
        assert "registerExtension" in text_at(comfy, path)


def test_dropdowns_list_the_users_models_then_the_published_ones_then_the_demo(
    comfy: Comfy, info: dict[str, Any]
) -> None:
    fresh = comfy.get("/object_info")

    def options(node: str, name: str) -> list[str]:
        found: list[str] = fresh[node]["input"]["required"][name][1]["options"]
        return found

    demo = "demo (bundled)"
    encoders = [f"BEATs_iter3_plus_AS2M{tuned}.safetensors" for tuned in ("_finetuned_on_AS2M_cpt2", "")]
    assert options("A2VLoadBEATs", "beats_name") == ["tiny.safetensors", *encoders, demo]
    mappers = ["published.safetensors", "tiny.safetensors", "wide.safetensors"]
    sets = [f"tempotokens_{name}.safetensors" for name in ("vggsound", "landscape", "audioset_drum")]
    assert options("A2VLoadAudioMapper", "mapper_name") == [*mappers, *sets, demo]
    published = ["zeroscope_v2_576w", "text-to-video-ms-1.7b", "animatediff-v1-5-2"]
    published += [f"Wan2.{name}-Diffusers" for name in ("1-T2V-1.3B", "1-T2V-14B", "2-TI2V-5B", "2-T2V-A14B")]
    assert options("A2VLoadT2VModel", "model_name") == ["tiny", *published, demo]
    sounds = options("A2VLoadAudio", "audio")
    local = [name for name in sounds if demo not in name]
    assert sounds[: len(local)] == local
    assert {"hits.wav", "clip.mp4"} <= set(local)


def text_at(comfy: Comfy, path: str) -> str:
    with urllib.request.urlopen(comfy.server.url + path, timeout=60) as answer:
        return str(answer.read().decode())
