"""The command line, as a process of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from a2v_core.headless.server import ComfyServer, find_comfyui
from tests.headless.test_run import image_prompt, size_of, slow_prompt, sound_prompt, write, write_wav

ROOT = Path(__file__).resolve().parents[2]


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "a2v_core.headless", "run", *map(str, arguments)]


def call(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_it_prints_the_files(comfy_server: ComfyServer, tmp_path: Path) -> None:
    workflow = write(tmp_path / "api.json", image_prompt(prefix="cli"))
    done = call(workflow, "--server", comfy_server.url, "--out", tmp_path / "out", "--set", "1.width=24")
    assert done.returncode == 0, done.stderr
    assert size_of(Path(done.stdout.strip())) == (24, 16)
    assert "[1/2] a blue field" in done.stderr
    assert re.search(r"done in \d+\.\d s", done.stderr)


def test_json(comfy_server: ComfyServer, tmp_path: Path) -> None:
    workflow = write(tmp_path / "sound.json", sound_prompt())
    sound = write_wav(tmp_path / "cli.wav")
    arguments = (workflow, "--server", comfy_server.url, "--audio", sound, "--out", tmp_path / "out")
    done = call(*arguments, "--previews", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["status"] == "done"
    assert {(file["node"], file["kind"]) for file in result["files"]} == {("6", "audio"), ("7", "audio")}
    assert all(Path(file["path"]).is_file() for file in result["files"])
    assert done.stderr == ""


def test_a_failing_node(comfy_server: ComfyServer, tmp_path: Path) -> None:
    workflow = write(tmp_path / "sound.json", sound_prompt())
    broken = tmp_path / "empty.wav"
    broken.write_bytes(b"")
    arguments = (workflow, "--server", comfy_server.url, "--audio", broken, "--out", tmp_path)
    done = call(*arguments)
    assert done.returncode == 1
    assert "node error: node 'the sound' (LoadAudio, node 5) failed with" in done.stderr
    answer = json.loads(call(*arguments, "--json").stdout)
    assert answer["node"] == {"id": "5", "title": "the sound", "class_type": "LoadAudio"}
    assert answer["status"] == "node_error"
    assert any("load" in line for line in answer["traceback"])


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    workflow = write(tmp_path / "api.json", image_prompt())
    url = f"http://127.0.0.1:{free_port()}"
    done = call(workflow, "--server", url)
    assert done.returncode == 2
    assert f"the ComfyUI server at {url} is not reachable" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("missing.json",), "missing.json does not exist"),
        (("api.json", "--audio", "missing.wav"), "--audio: there is no file missing.wav"),
        (("api.json", "--comfyui", "nowhere"), "where there is no main.py"),
        (("api.json", "--server", "ftp://127.0.0.1"), "cannot talk to the server at ftp://127.0.0.1"),
    ],
)
def test_bad_arguments(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    write(tmp_path / "api.json", image_prompt())
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command(*arguments),
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_that_is_no_comfyui(tmp_path: Path) -> None:
    workflow = write(tmp_path / "api.json", image_prompt())
    port = free_port()
    other = subprocess.Popen(
        [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while socket.socket().connect_ex(("127.0.0.1", port)):
            time.sleep(0.1)
        done = call(workflow, "--server", f"127.0.0.1:{port}")
    finally:
        other.kill()
        other.wait()
    assert done.returncode == 2
    assert "is this a ComfyUI server?" in done.stderr


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_takes_the_run_off_the_server(
    comfy_server: ComfyServer, tmp_path: Path, sent: signal.Signals
) -> None:
    workflow = write(tmp_path / "slow.json", slow_prompt(100 + int(sent)))
    process = subprocess.Popen(
        command(workflow, "--server", comfy_server.url, "--out", tmp_path),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("[3/"):
            break
    process.send_signal(sent)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in errors
    assert "Traceback" not in errors
    after = write(tmp_path / "after.json", image_prompt(56))
    assert call(after, "--server", comfy_server.url, "--out", tmp_path).returncode == 0


def test_it_starts_a_server_of_its_own_and_stops_it(tmp_path: Path) -> None:
    workflow = write(tmp_path / "api.json", image_prompt(prefix="own"))
    done = call(workflow, "--comfyui", find_comfyui(), "--out", tmp_path / "out", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert size_of(Path(result["files"][0]["path"])) == (32, 16)
    port = int(result["server"].rpartition(":")[2])
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_server_that_dies_during_the_run_shows_its_log(tmp_path: Path) -> None:
    workflow = write(tmp_path / "slow.json", slow_prompt(300))
    process = subprocess.Popen(
        command(workflow, "--comfyui", find_comfyui(), "--out", tmp_path),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("[3/"):
            break
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(children[0]), signal.SIGKILL)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "ComfyUI died during the run. Its log ends:" in errors
    assert "got prompt" in errors
