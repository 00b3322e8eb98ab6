"""From video files to a video in ComfyUI: precompute, fit, and the trained mapper in a graph."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from a2v_core.headless.server import ComfyServer
from a2v_core.media import load_audio, read_video
from a2v_core.tokens import load_mapper
from tests.comfyui.driver import Comfy, changed, load_graph, node_of
from tests.media.files import write_sound
from training.cache.build import precompute
from training.config import make_config
from training.loop import fit


def test_a_trained_mapper_makes_a_video(
    values: dict[str, Any], models: Path, clips: Path, comfy_server: ComfyServer
) -> None:
    values["loss"] = {"condition_dropout": 0.2}
    config = make_config(values)
    precompute(config, progress=False)
    product = fit(config, progress=False).trained
    assert load_mapper(product).config.no_sound

    places = comfy_server.models
    for kind in ("audio_encoders", "a2v_mappers", "a2v_t2v"):
        (places / kind).mkdir(parents=True, exist_ok=True)
    shutil.copy(models / "beats.safetensors", places / "audio_encoders" / "of_training.safetensors")
    shutil.copy(product, places / "a2v_mappers" / "trained.safetensors")
    shutil.copytree(models / "t2v", places / "a2v_t2v" / "of_training")
    sound = load_audio(clips / "test" / "e.mp4", duration=1.0)
    name = write_sound(
        comfy_server.input / "held_out.wav", sound.samples.numpy(), sound.sample_rate, "pcm_s16le"
    ).name

    graph = changed(
        load_graph("audio_to_video"),
        A2VLoadAudio={"audio": name},
        A2VLoadBEATs={"beats_name": "of_training.safetensors"},
        A2VBEATsEncode={"hop": "160 ms"},
        A2VLoadAudioMapper={"mapper_name": "trained.safetensors"},
        A2VLoadT2VModel={"model_name": "of_training"},
        A2VAudioMapper={"fps": 8.0},
        A2VT2VSampler={"steps": 2, "width": 16, "height": 16},
    )
    comfy = Comfy(comfy_server)
    path = comfy.file(comfy.good(graph), node_of(graph, "SaveVideo"))
    clip = read_video(path)
    assert (len(clip.frames), clip.fps) == (8, 8)
    assert clip.frames.std() > 0.01
