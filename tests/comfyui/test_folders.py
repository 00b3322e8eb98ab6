"""Dropdowns show models and sounds and nothing else, whatever lies in the folders; on a real ComfyUI."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from a2v_core.headless.server import find_comfyui, running_server
from tests.comfyui import tiny_models
from tests.comfyui.conftest import toy
from tests.comfyui.driver import Comfy, changed, load_graph, node_of
from tests.tiny_t2v import make_tiny_t2v

STRANGE = os.fsdecode(b"caf\xe9")  # Latin-1: no UTF-8
NOTE = b"\0\5\x16\7\0\2\0\0Mac OS X        "


@pytest.fixture(scope="module")
def cluttered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Comfy]:
    """A server whose folders hold what macOS, browsers and downloads leave behind."""
    with running_server(find_comfyui(), own_models=True, cpu=True) as server:
        tiny_models.install_sounds(server.input)
        tiny_models.install_models(server.models)
        for folder, ending in (("audio_encoders", "safetensors"), ("a2v_mappers", "safetensors")):
            place = server.models / folder
            clutter(place, ending)
            shutil.copy(place / f"tiny.{ending}", place / f"{STRANGE}.{ending.upper()}")
        clutter(server.input, "wav")
        shutil.copy(server.input / "hits.wav", server.input / f"{STRANGE}.WAV")
        shutil.copy(server.input / "hits.wav", server.input / "call.CAF")
        t2v = server.models / "a2v_t2v"
        make_tiny_t2v(t2v / STRANGE)
        make_tiny_t2v(t2v / "tiny" / ".cache" / "copy")
        shutil.copytree(t2v / "tiny", t2v / ".trash")
        (t2v / "._tiny").write_bytes(NOTE)
        yield Comfy(server)


def clutter(folder: Path, ending: str) -> None:
    (folder / f"._tiny.{ending}").write_bytes(NOTE)
    (folder / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    (folder / f".made.1234.part.{ending}").write_bytes(b"half")
    (folder / f"folder.{ending}").mkdir()
    (folder / "sub").mkdir()
    (folder / "sub" / f"._below.{ending}").write_bytes(NOTE)


def own(comfy: Comfy, node: str, name: str) -> list[str]:
    options = comfy.get(f"/object_info/{node}")[node]["input"]["required"][name][1]["options"]
    published = (
        *("BEATs_iter3", "tempotokens_", "zeroscope", "text-to-video-ms", "animatediff-", "Wan2."),
        "demo (bundled)",
    )
    return [option for option in options if not option.startswith(published)]


def test_only_models_are_listed(cluttered: Comfy) -> None:
    assert own(cluttered, "A2VLoadBEATs", "beats_name") == [f"{STRANGE}.SAFETENSORS", "tiny.safetensors"]
    mappers = own(cluttered, "A2VLoadAudioMapper", "mapper_name")
    assert {f"{STRANGE}.SAFETENSORS", "tiny.safetensors"} <= set(mappers)
    assert not [name for name in mappers if "._" in name or name.startswith((".", "folder", "sub"))]
    assert own(cluttered, "A2VLoadT2VModel", "model_name") == [STRANGE, "tiny"]


def test_only_sounds_are_listed(cluttered: Comfy) -> None:
    sounds = own(cluttered, "A2VLoadAudio", "audio")
    assert {"hits.wav", "call.CAF", f"{STRANGE}.WAV"} <= set(sounds)
    assert not [name for name in sounds if name.startswith((".", "folder", "sub"))]


def test_an_error_with_such_a_name_does_not_stop_the_server(cluttered: Comfy) -> None:
    broken = f"broken {STRANGE}.pth"
    (cluttered.server.models / "a2v_mappers" / broken).write_bytes(b"half")
    graph = changed(toy(load_graph("audio_to_video")), A2VLoadAudioMapper={"mapper_name": broken})
    assert r"broken caf\udce9.pth: truncated, corrupt" in cluttered.run(graph).message
    assert r"caf\udce9.wav' is not in" in cluttered.refused(
        changed(graph, A2VLoadAudio={"audio": f"{STRANGE}.wav"})
    )


def test_names_that_are_no_utf8_run(cluttered: Comfy) -> None:
    """Sound, BEATs, mapper and text-to-video model, from the dropdown to the video."""
    graph = changed(
        toy(load_graph("audio_to_video")),
        A2VLoadAudio={"audio": f"{STRANGE}.WAV"},
        A2VLoadBEATs={"beats_name": f"{STRANGE}.SAFETENSORS"},
        A2VLoadAudioMapper={"mapper_name": f"{STRANGE}.SAFETENSORS"},
        A2VLoadT2VModel={"model_name": STRANGE},
    )
    assert cluttered.file(cluttered.good(graph), node_of(graph, "SaveVideo")).is_file()
