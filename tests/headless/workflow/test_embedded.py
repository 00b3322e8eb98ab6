"""A workflow inside a picture, video, sound or latent: made by core's own nodes, and as others write them."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from a2v_core.errors import WorkflowError
from a2v_core.headless import RunSettings, run
from a2v_core.headless.server import ComfyServer
from a2v_core.headless.workflow.load import load_workflow
from a2v_core.headless.workflow.saved_values import named_values
from tests.headless.test_run import image_prompt, write, write_wav

DATA = Path(__file__).parents[1] / "data"
PROMPT = image_prompt(prefix="held")
WORKFLOW = {
    "nodes": [
        {"id": 1, "type": "EmptyImage", "mode": 0, "inputs": [], "widgets_values": [32, 16, 1, 255]},
        {
            **{"id": 2, "type": "SaveImage", "mode": 0, "widgets_values": ["held"]},
            "inputs": [{"name": "images", "type": "IMAGE", "link": 1}],
        },
    ],
    "links": [[1, 1, 0, 2, 0, "IMAGE"]],
}


def tags(**more: Any) -> dict[str, str]:
    return {name: json.dumps(graph) for name, graph in more.items()}


def write_png(path: Path, texts: dict[str, str]) -> Path:
    info = PngImagePlugin.PngInfo()
    for name, text in texts.items():
        info.add_text(name, text)
    noise = np.random.default_rng(0).integers(0, 255, (32, 32, 3), np.uint8)
    Image.fromarray(noise).save(path, pnginfo=info)
    return path


def write_sound(path: Path, texts: dict[str, str], codec: str, rate: int = 48000) -> Path:
    with av.open(str(path), "w") as container:
        container.metadata.update(texts)
        stream = container.add_stream(codec, rate=rate, layout="mono")
        assert isinstance(stream, av.AudioStream)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, rate), np.int16), format="s16", layout="mono")
        frame.sample_rate = rate
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return path


def write_video(path: Path, texts: dict[str, str], **options: str) -> Path:
    with av.open(str(path), "w", options=options) as container:
        container.metadata.update(texts)
        stream = container.add_stream("libx264" if path.suffix == ".mp4" else "libvpx-vp9", rate=8)
        stream.width = stream.height = 16
        stream.pix_fmt = "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return path


CORE: dict[str, dict[str, Any]] = {
    "SaveImage": {},
    "SaveAnimatedPNG": {"fps": 4, "compress_level": 4},
    "SaveAnimatedWEBP": {"fps": 4, "lossless": True, "quality": 80, "method": "default"},
    "SaveWEBM": {"codec": "vp9", "fps": 4, "crf": 40},
}
SOUNDS: dict[str, dict[str, Any]] = {
    "SaveAudio": {},
    "SaveAudioMP3": {"quality": "128k"},
    "SaveAudioOpus": {"quality": "96k"},
}


def core_prompt() -> dict[str, Any]:
    """One node of every kind of core's that saves a graph with what it saves."""
    prompt: dict[str, Any] = {
        "1": {
            "class_type": "EmptyImage",
            "inputs": {"width": 32, "height": 32, "batch_size": 2, "color": 255},
        },
        "2": {"class_type": "LoadAudio", "inputs": {"audio": "tone.wav"}},
        "3": {"class_type": "CreateVideo", "inputs": {"images": ["1", 0], "audio": ["2", 0], "fps": 4}},
        "4": {
            "class_type": "SaveVideo",
            "inputs": {"video": ["3", 0], "filename_prefix": "all", "format": "mp4", "codec": "h264"},
        },
        "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}},
        "6": {"class_type": "SaveLatent", "inputs": {"samples": ["5", 0], "filename_prefix": "all"}},
    }
    for number, (kind, more) in enumerate(CORE.items(), 10):
        inputs = {"images": ["1", 0], "filename_prefix": "all", **more}
        prompt[str(number)] = {"class_type": kind, "inputs": inputs}
    for number, (kind, more) in enumerate(SOUNDS.items(), 20):
        inputs = {"audio": ["2", 0], "filename_prefix": "all", **more}
        prompt[str(number)] = {"class_type": kind, "inputs": inputs}
    return prompt


def test_what_core_saves_is_a_workflow(comfy_server: ComfyServer, tmp_path: Path) -> None:
    write_wav(tmp_path / "tone.wav")
    out = tmp_path / "out"
    result = run(RunSettings(write(tmp_path / "all.json", core_prompt()), out=out), server=comfy_server.url)
    endings = {file.path.suffix for file in result.files}
    assert endings == {".png", ".webp", ".webm", ".mp4", ".flac", ".mp3", ".opus", ".latent"}
    assert len(result.files) == 10  # two pictures by Save Image
    for file in result.files:
        held = load_workflow(file.path)
        assert {number: node["class_type"] for number, node in held.items()} == {
            number: node["class_type"] for number, node in core_prompt().items()
        }, file.path


def test_a_picture_and_a_video_run(comfy_server: ComfyServer, tmp_path: Path) -> None:
    """The saved form is in what was saved from it, with promoted values, and runs as before."""
    first = run(RunSettings(DATA / "subgraphs.ui.json", out=tmp_path / "a"), server=comfy_server.url)
    picture = next(file.path for file in first.files if file.node_id == "8")
    assert load_workflow(picture)["nodes"]
    again = run(RunSettings(picture, out=tmp_path / "b"), server=comfy_server.url)
    assert {file.node_id: Image.open(file.path).size for file in again.files} == {
        file.node_id: Image.open(file.path).size for file in first.files
    }
    video = write_video(tmp_path / "v.mp4", tags(prompt=PROMPT), movflags="use_metadata_tags")
    assert len(run(RunSettings(video, out=tmp_path / "c"), server=comfy_server.url).files) == 1


def test_the_saved_form_comes_before_the_prompt(tmp_path: Path) -> None:
    """With the names of values from the prompt, which older front ends did not save."""
    path = write_png(tmp_path / "both.png", tags(prompt=PROMPT, workflow=WORKFLOW))
    held = load_workflow(path)
    assert [node["type"] for node in held["nodes"]] == ["EmptyImage", "SaveImage"]
    assert named_values(held["nodes"][0]) == PROMPT["1"]["inputs"]
    assert named_values(held["nodes"][1]) == {"filename_prefix": "held"}


def test_a_prompt_alone(tmp_path: Path) -> None:
    assert load_workflow(write_png(tmp_path / "p.png", tags(prompt=PROMPT))) == PROMPT
    assert load_workflow(write_png(tmp_path / "q.png", tags(prompt=PROMPT, workflow={}))) == PROMPT


@pytest.mark.parametrize("name", ["v.mp4", "v.mkv", "v.webm"])
@pytest.mark.parametrize("together", [False, True])
def test_videos(tmp_path: Path, name: str, together: bool) -> None:
    """Also as VideoHelperSuite writes both: as one comment."""
    both = tags(comment={"prompt": json.dumps(PROMPT), "workflow": WORKFLOW})
    texts = both if together else tags(prompt=PROMPT, workflow=WORKFLOW)
    options = {"movflags": "use_metadata_tags"} if name.endswith("mp4") else {}
    held = load_workflow(write_video(tmp_path / name, texts, **options))
    assert [node["id"] for node in held["nodes"]] == [1, 2]


@pytest.mark.parametrize(
    ("name", "codec"),
    [("s.flac", "flac"), ("s.mp3", "libmp3lame"), ("s.opus", "libopus"), ("s.ogg", "libopus")],
)
def test_sounds(tmp_path: Path, name: str, codec: str) -> None:
    held = load_workflow(write_sound(tmp_path / name, tags(prompt=PROMPT, workflow=WORKFLOW), codec))
    assert [node["id"] for node in held["nodes"]] == [1, 2]


@pytest.mark.parametrize("name", ["x.webp", "x.jpg", "x.avif"])
def test_exif(tmp_path: Path, name: str) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = f"Workflow:{json.dumps(WORKFLOW)}", f"prompt:{json.dumps(PROMPT)}"
    Image.new("RGB", (8, 8)).save(tmp_path / name, exif=exif)
    assert [node["id"] for node in load_workflow(tmp_path / name)["nodes"]] == [1, 2]


def test_a_drawing(tmp_path: Path) -> None:
    path = tmp_path / "x.svg"
    graphs = json.dumps({"prompt": PROMPT}, indent=2)
    path.write_text(f"<svg>  <metadata>\n<![CDATA[\n{graphs}\n]]>\n</metadata></svg>", encoding="utf-8")
    assert load_workflow(path) == PROMPT


def test_a_cut_off_picture_still_holds_it(tmp_path: Path) -> None:
    path = write_png(tmp_path / "cut.png", tags(prompt=PROMPT))
    path.write_bytes(path.read_bytes()[:-1000])
    assert load_workflow(path) == PROMPT


def test_a_title_in_another_encoding_does_not_matter(tmp_path: Path) -> None:
    path = write_video(tmp_path / "t.mkv", {**tags(prompt=PROMPT), "title": "caf_"})
    path.write_bytes(path.read_bytes().replace(b"caf_", b"caf\xe9"))
    assert load_workflow(path) == PROMPT


def test_files_without_a_workflow(tmp_path: Path) -> None:
    files = [
        write_png(tmp_path / "plain.png", {}),
        write_png(tmp_path / "other.png", {"parameters": "steps: 20", "workflow": "{broken"}),
        write_video(tmp_path / "plain.mp4", {}),
        write_wav(tmp_path / "plain.wav"),
        write(tmp_path / "x.svg", "").with_suffix(".svg"),
    ]
    files[-1].write_text("<svg/>", encoding="utf-8")
    for path in files:
        with pytest.raises(WorkflowError, match="holds no workflow: ComfyUI writes one") as caught:
            load_workflow(path)
        assert str(path) in str(caught.value)


def test_other_binary_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(b"PK\x03\x04" + bytes(range(256)))
    with pytest.raises(
        WorkflowError, match=r"x\.zip cannot be read: it is neither JSON nor a picture, video"
    ):
        load_workflow(path)


def test_a_text_of_a_picture_that_explodes_is_refused(tmp_path: Path) -> None:
    """40 MB of zeros in a few kilobytes: Pillow takes no such text."""
    body = b"workflow\0\0" + zlib.compress(b"0" * 40_000_000)
    chunk = struct.pack(">I", len(body)) + b"zTXt" + body + struct.pack(">I", zlib.crc32(b"zTXt" + body))
    plain = write_png(tmp_path / "x.png", {}).read_bytes()
    path = tmp_path / "bomb.png"
    path.write_bytes(plain[:33] + chunk + plain[33:])
    with pytest.raises(WorkflowError, match=r"bomb\.png (cannot be read|holds no workflow)"):
        load_workflow(path)
