"""The server that the other tests here run on: a real ComfyUI with the pack mounted, in folders of its
own."""

from __future__ import annotations

import json
import socket
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from a2v_core.errors import WorkflowError
from a2v_core.headless.server import ComfyServer, find_comfyui, running_server


def get(server: ComfyServer, path: str) -> Any:
    with urllib.request.urlopen(server.url + path, timeout=60) as answer:
        return json.load(answer)


def test_it_is_a_comfyui_on_the_cpu(comfy_server: ComfyServer) -> None:
    stats = get(comfy_server, "/system_stats")
    assert stats["devices"][0]["type"] == "cpu"
    assert {"SaveImage", "LoadAudio", "CreateVideo", "SaveVideo"} <= set(get(comfy_server, "/object_info"))


def test_its_folders_are_its_own(comfy_server: ComfyServer) -> None:
    arguments = get(comfy_server, "/system_stats")["system"]["argv"]
    assert str(comfy_server.output) in arguments
    assert get(comfy_server, "/models/checkpoints") == []
    (comfy_server.models / "vae").mkdir(parents=True, exist_ok=True)
    (comfy_server.models / "vae" / "probe.safetensors").write_bytes(b"")
    bundled = "a2v_demo_wan_vae.safetensors"
    assert sorted(get(comfy_server, "/models/vae")) == [bundled, "probe.safetensors"]


def test_a_server_that_dies_while_starting_shows_its_log(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("raise SystemExit('no such card')")
    with (
        pytest.raises(WorkflowError, match=r"ended with code 1 while starting[\s\S]*no such card"),
        running_server(tmp_path, cpu=True),
    ):
        pass


def test_only_our_server_is_stopped_and_its_folder_goes(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(
        "import sys, http.server as h\n"
        "class Answer(h.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        self.send_response(200); self.end_headers()\n"
        "port = int(sys.argv[sys.argv.index('--port') + 1])\n"
        "h.HTTPServer(('127.0.0.1', port), Answer).serve_forever()\n"
    )
    with running_server(tmp_path, cpu=True) as server:
        port, folder = server.port, server.folder
        assert (folder / "custom_nodes" / "audio-to-video" / "a2v_core").is_dir()
    assert server.process.poll() is not None
    assert not folder.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["main.py"]
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_comfyui_that_has_the_pack_does_not_get_it_twice(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("import sys\nraise SystemExit(' '.join(sys.argv))")
    (tmp_path / "custom_nodes" / "audio-to-video").mkdir(parents=True)
    with pytest.raises(WorkflowError) as caught, running_server(tmp_path, cpu=True):
        pass
    assert "--cpu" in str(caught.value)
    assert "extra-model-paths" not in str(caught.value)


def test_a_folder_without_comfyui_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WorkflowError, match=r"--comfyui names .*no main\.py"):
        find_comfyui(tmp_path)
    monkeypatch.setenv("COMFYUI_PATH", str(tmp_path))
    with pytest.raises(WorkflowError, match="COMFYUI_PATH names "):
        find_comfyui()
