"""Whole runs on a real server, with core nodes."""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from a2v_core.errors import WorkflowError
from a2v_core.headless import InterruptedRun, NodeError, RunSettings, run
from a2v_core.headless.runner import run_on
from a2v_core.headless.server import ComfyServer
from a2v_core.headless.server.client import connect
from a2v_core.headless.server.outputs import LeftFile, fetch_outputs

DATA = Path(__file__).parent / "data"
RATE = 16000


def image_prompt(width: int = 32, *, prefix: str = "plain") -> dict[str, Any]:
    return {
        "1": {
            "class_type": "EmptyImage",
            "inputs": {"width": width, "height": 16, "batch_size": 1, "color": 255},
            "_meta": {"title": "a blue field"},
        },
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": prefix}},
    }


def sound_prompt(name: str = "none.wav") -> dict[str, Any]:
    return {
        "5": {"class_type": "LoadAudio", "inputs": {"audio": name}, "_meta": {"title": "the sound"}},
        "6": {"class_type": "SaveAudio", "inputs": {"audio": ["5", 0], "filename_prefix": "audio/copy"}},
        "7": {"class_type": "PreviewAudio", "inputs": {"audio": ["5", 0]}},
    }


def slow_prompt(color: int, steps: int = 100) -> dict[str, Any]:
    """A chain of blurs: ComfyUI looks for an interruption between its nodes. Another color for every use,
    since what has run is cached."""
    prompt = image_prompt()
    prompt["1"]["inputs"].update(width=512, height=512, color=color)
    last = "1"
    for step in range(steps):
        number = str(100 + step)
        prompt[number] = {
            "class_type": "ImageBlur",
            "inputs": {"image": [last, 0], "blur_radius": 31, "sigma": 1.0 + step / 100},
        }
        last = number
    prompt["2"]["inputs"]["images"] = [last, 0]
    return prompt


def write(path: Path, data: object) -> Path:
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def write_wav(path: Path, seconds: float = 0.5, pitch: float = 440.0) -> Path:
    wave = (0.5 * np.sin(2 * np.pi * pitch * np.arange(int(seconds * RATE)) / RATE) * 32767).astype(np.int16)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(wave[None], format="s16", layout="mono")
        frame.sample_rate = RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def size_of(path: Path) -> tuple[int, int]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return stream.width, stream.height


def seconds_of(path: Path) -> float:
    with av.open(str(path)) as container:
        return sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))


def test_api_format(comfy_server: ComfyServer, tmp_path: Path) -> None:
    workflow = write(tmp_path / "api.json", image_prompt())
    settings = RunSettings(workflow, overrides=["a blue field.width=48"], out=tmp_path / "out")
    result = run(settings, server=comfy_server.url)
    assert [(file.node_id, file.title, file.kind) for file in result.files] == [("2", "SaveImage", "images")]
    assert size_of(result.files[0].path) == (48, 16)
    assert sorted(result.ran) == ["1", "2"]
    assert result.cached == []

    again = run(settings, server=comfy_server.url)
    assert "1" in again.cached
    assert "1" not in again.ran


def test_saved_format_with_subgraphs(comfy_server: ComfyServer, tmp_path: Path) -> None:
    result = run(RunSettings(DATA / "subgraphs.ui.json", out=tmp_path), server=comfy_server.url)
    assert {file.node_id: size_of(file.path) for file in result.files} == {
        "4": (100, 64),
        "8": (55, 7),
        "11": (21, 64),
        "14": (33, 512),
    }
    # Saved pictures carry the workflow, so that they can be dropped into ComfyUI.
    with av.open(str(result.files[0].path)) as container:
        next(container.decode(video=0))
    assert b'"subgraphs"' in result.files[0].path.read_bytes()


def test_names_of_the_front_end_are_followed_on_a_server_without_their_packs(
    comfy_server: ComfyServer, tmp_path: Path
) -> None:
    result = run(RunSettings(DATA / "newest" / "names.ui.json", out=tmp_path), server=comfy_server.url)
    found = {file.path.name.split("_")[0]: size_of(file.path) for file in result.files}
    assert found == {
        **dict.fromkeys(("red", "blue", "again", "passed"), (512, 512)),
        **{"wide": (40, 512), "inside": (40, 512)},
    }


def test_audio_is_uploaded_and_outputs_come_back(comfy_server: ComfyServer, tmp_path: Path) -> None:
    sound = write_wav(tmp_path / "tone.wav", 0.75)
    workflow = write(tmp_path / "sound.json", sound_prompt())
    settings = RunSettings(workflow, audio=sound, out=tmp_path / "out", previews=True)
    result = run(settings, server=comfy_server.url)
    assert {(file.node_id, file.kind) for file in result.files} == {("6", "audio"), ("7", "audio")}
    saved = next(file.path for file in result.files if file.node_id == "6")
    assert saved.parent == tmp_path / "out" / "audio"
    assert seconds_of(saved) == pytest.approx(0.75)
    without_previews = run(RunSettings(workflow, audio=sound, out=tmp_path / "b"), server=comfy_server.url)
    assert len(without_previews.files) == 1


def test_other_sound_of_the_same_name_is_not_mixed_up(comfy_server: ComfyServer, tmp_path: Path) -> None:
    workflow = write(tmp_path / "sound.json", sound_prompt())
    lengths = []
    for folder, seconds in (("a", 0.5), ("b", 0.25), ("a", 0.5)):
        (tmp_path / folder).mkdir(exist_ok=True)
        sound = write_wav(tmp_path / folder / "same.wav", seconds)
        settings = RunSettings(workflow, audio=sound, out=tmp_path / "out")
        lengths.append(seconds_of(run(settings, server=comfy_server.url).files[0].path))
    assert lengths == pytest.approx([0.5, 0.25, 0.5])
    assert sorted(path.name for path in comfy_server.input.glob("same*")) == ["same (1).wav", "same.wav"]


def test_files_beside_the_workflow_are_found(comfy_server: ComfyServer, tmp_path: Path) -> None:
    write_wav(tmp_path / "beside.wav", 0.3)
    workflow = write(tmp_path / "sound.json", sound_prompt("beside.wav"))
    result = run(RunSettings(workflow, out=tmp_path / "out"), server=comfy_server.url)
    assert seconds_of(result.files[0].path) == pytest.approx(0.3)


def test_a_path_in_a_workflow_file_is_not_followed_but_one_of_ours_is(
    comfy_server: ComfyServer, tmp_path: Path
) -> None:
    """A workflow may come from a stranger: it must not be able to send any file of this machine."""
    secret = write_wav(tmp_path / "secret.wav", 0.3)
    (tmp_path / "flow").mkdir()
    for name in (str(secret), "../secret.wav"):
        workflow = write(tmp_path / "flow" / "sound.json", sound_prompt(name))
        # What the server makes of such a name is its own affair; we send nothing.
        with contextlib.suppress(WorkflowError):
            run(RunSettings(workflow, out=tmp_path / "out"), server=comfy_server.url)
    assert not list(comfy_server.input.rglob("secret*"))
    settings = RunSettings(workflow, overrides=[f"5.audio={secret}"], out=tmp_path / "out")
    assert len(run(settings, server=comfy_server.url).files) == 1


def test_files_are_never_replaced(comfy_server: ComfyServer, tmp_path: Path) -> None:
    workflow = write(tmp_path / "api.json", image_prompt(prefix="kept"))
    first = run(RunSettings(workflow, out=tmp_path / "out"), server=comfy_server.url)
    mine = first.files[0].path
    mine.write_text("mine")
    outputs = {"2": {"images": [{"filename": mine.name, "subfolder": "", "type": "output"}]}}

    async def fetch() -> list[Path]:
        async with connect(comfy_server.url) as client:
            files, _ = await fetch_outputs(client, outputs, {}, tmp_path / "out")
            return [file.path for file in files]

    fetched = asyncio.run(fetch())
    assert fetched == [mine.with_name(f"{mine.stem} (1).png")]
    assert size_of(fetched[0]) == (32, 16)
    assert mine.read_text() == "mine"
    assert not list((tmp_path / "out").glob(".a2v-*"))


@pytest.mark.parametrize("reference", [{"filename": "../x.png"}, {"filename": "x", "subfolder": "../.."}])
def test_a_server_cannot_write_outside(
    comfy_server: ComfyServer, tmp_path: Path, reference: dict[str, str]
) -> None:
    async def fetch() -> list[LeftFile]:
        async with connect(comfy_server.url) as client:
            outputs = {"2": {"images": [{"type": "output", **reference}]}}
            files, left = await fetch_outputs(client, outputs, {}, tmp_path / "out")
            assert files == []
            return left

    (left,) = asyncio.run(fetch())
    assert "outside its folder" in left.reason
    assert list(tmp_path.iterdir()) == []


def test_a_failing_node_is_named(comfy_server: ComfyServer, tmp_path: Path) -> None:
    broken = tmp_path / "broken.wav"
    broken.write_text("this is no sound")
    workflow = write(tmp_path / "sound.json", sound_prompt())
    with pytest.raises(NodeError) as caught:
        run(RunSettings(workflow, audio=broken, out=tmp_path / "out"), server=comfy_server.url)
    error = caught.value
    assert (error.node_id, error.title, error.node_type) == ("5", "the sound", "LoadAudio")
    assert "InvalidDataError" in error.exception
    assert "broken.wav" in str(error)
    assert not (tmp_path / "out").exists()


def test_what_the_server_refuses_is_listed(comfy_server: ComfyServer, tmp_path: Path) -> None:
    prompt = image_prompt()
    prompt["1"]["inputs"]["width"] = 0
    workflow = write(tmp_path / "api.json", prompt)
    with pytest.raises(
        WorkflowError, match=r"'a blue field' \(EmptyImage, node 1\): Value 0 smaller than min"
    ):
        run(RunSettings(workflow, out=tmp_path), server=comfy_server.url)


def test_a_graph_that_can_run_in_part_only_is_refused(comfy_server: ComfyServer, tmp_path: Path) -> None:
    """The server would run the rest without a word: one output of this file has nothing linked to it."""
    with pytest.raises(WorkflowError, match=r"'Save Image' \(SaveImage, node 7\): Required input is missing"):
        run(RunSettings(DATA / "virtual.ui.json", out=tmp_path), server=comfy_server.url)


def test_unknown_nodes_in_api_format(comfy_server: ComfyServer, tmp_path: Path) -> None:
    prompt = image_prompt()
    prompt["1"]["class_type"] = "NoSuchNode"
    with pytest.raises(WorkflowError, match="does not know these node types: NoSuchNode"):
        run(RunSettings(write(tmp_path / "api.json", prompt)), server=comfy_server.url)


def test_no_outputs(comfy_server: ComfyServer, tmp_path: Path) -> None:
    prompt = image_prompt()
    del prompt["2"]
    with pytest.raises(WorkflowError, match="Prompt has no outputs"):
        run(RunSettings(write(tmp_path / "api.json", prompt)), server=comfy_server.url)


def test_cancelling_leaves_the_server_usable(comfy_server: ComfyServer, tmp_path: Path) -> None:
    slow = RunSettings(write(tmp_path / "slow.json", slow_prompt(1)), out=tmp_path)
    waiting = RunSettings(write(tmp_path / "next.json", image_prompt(40)), out=tmp_path)

    async def cancel_two() -> None:
        running = asyncio.create_task(run_on(comfy_server.url, slow))
        await asyncio.sleep(2.0)
        pending = asyncio.create_task(run_on(comfy_server.url, waiting))
        await asyncio.sleep(1.0)
        for task in (pending, running):
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        async with connect(comfy_server.url) as client:
            queue = await client._get("/queue")
            assert queue == {"queue_running": [], "queue_pending": []}

    asyncio.run(cancel_two())
    assert not list(tmp_path.glob("*.png"))
    assert len(run(waiting, server=comfy_server.url).files) == 1


def test_a_run_that_somebody_else_interrupts(comfy_server: ComfyServer, tmp_path: Path) -> None:
    slow = RunSettings(write(tmp_path / "slow.json", slow_prompt(2)), out=tmp_path)

    async def interrupted() -> None:
        task = asyncio.create_task(run_on(comfy_server.url, slow))
        await asyncio.sleep(2.0)
        async with connect(comfy_server.url) as client:
            await client._post("/interrupt", {})
        await task

    with pytest.raises(InterruptedRun, match="interrupted in node"):
        asyncio.run(interrupted())
