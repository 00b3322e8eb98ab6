"""Start a ComfyUI server of our own, with the pack mounted, and stop that one only.

The ComfyUI folder is read, not written: inputs, outputs, temporary files, user data and the log live in a
folder that is deleted when the server stops. The pack is mounted by a link in an extra `custom_nodes` folder,
unless that ComfyUI already has it.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...comfyui import PACK, PINNED
from ...errors import WorkflowError
from ...processors import share_processors

PACK_NAME = "audio-to-video"
READY_SECONDS = 300.0
STOP_SECONDS = 15.0
LOG_TAIL_LINES = 30


@dataclass(frozen=True)
class ComfyServer:
    """A running server of ours: its address, its folders and its log."""

    port: int
    folder: Path
    log: Path
    process: subprocess.Popen[bytes]
    kept: set[str] = field(default_factory=set, compare=False)

    @property
    def url(self) -> str:
        """Base URL; it listens on this machine only."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def input(self) -> Path:
        """The folder of uploaded files."""
        return self.folder / "input"

    @property
    def output(self) -> Path:
        """The folder of saved files."""
        return self.folder / "output"

    @property
    def models(self) -> Path:
        """The models folder, for a server that was started with `own_models`."""
        return self.folder / "models"

    def keep(self, kind: str) -> Path:
        """Keep the folder `kind` ("output" or "temp") when the server stops; returns its path."""
        self.kept.add(kind)
        return self.folder / kind

    def died(self) -> bool:
        """Whether the process has exited by itself; waits a moment, as its connections break first."""
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            return False
        return True

    def log_text(self) -> str:
        """All that the server has printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def log_tail(self) -> str:
        """The last lines of the log, for error messages."""
        return "\n".join(self.log_text().splitlines()[-LOG_TAIL_LINES:])


@contextlib.contextmanager
def running_server(
    comfyui: Path,
    *,
    own_models: bool = False,
    cpu: bool | None = None,
    arguments: Sequence[str] = (),
) -> Iterator[ComfyServer]:
    """Start the ComfyUI in folder `comfyui` on a free port, wait until it answers, stop it at the end.

    `own_models` gives it an empty models folder and none of the user's custom nodes (for tests); `cpu` None
    means: the CPU when torch finds no accelerator. Raises WorkflowError, with the end of the log, when the
    server dies or does not answer.
    """
    folder = Path(tempfile.mkdtemp(prefix="a2v-comfyui-"))
    kept: set[str] = set()
    try:
        server = _launch(comfyui, folder, own_models, needs_cpu() if cpu is None else cpu, arguments)
        kept = server.kept
        with _guard(server):
            try:
                _wait_until_ready(server)
                yield server
            finally:
                _stop(server.process)
    finally:
        _clear(folder, kept)


def needs_cpu() -> bool:
    """Whether ComfyUI has to be told --cpu, because torch finds no accelerator."""
    import torch

    mps = getattr(torch.backends, "mps", None)
    xpu = getattr(torch, "xpu", None)
    found = torch.cuda.is_available() or (mps and mps.is_available()) or (xpu and xpu.is_available())
    return not found


def _launch(
    comfyui: Path, folder: Path, own_models: bool, cpu: bool, arguments: Sequence[str]
) -> ComfyServer:
    for name in ("input", "output", "temp", "user", "models", "custom_nodes"):
        (folder / name).mkdir()
    port = _free_port()
    command = [sys.executable, "main.py", "--listen", "127.0.0.1", "--port", str(port)]
    command += ["--disable-auto-launch", "--disable-api-nodes", "--database-url", "sqlite:///:memory:"]
    for name in ("input", "output", "temp", "user"):
        command += [f"--{name}-directory", str(folder / name)]
    if own_models:
        command += ["--base-directory", str(folder)]
    if cpu:
        command.append("--cpu")
    command += _mount(comfyui, folder, own_models) + list(arguments)

    log = folder / "comfyui.log"
    with open(log, "wb") as stream:
        process = subprocess.Popen(
            command,
            cwd=comfyui,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=_environment(comfyui),
            # Its own group, so that Ctrl-C reaches us alone and we can cancel the prompt first.
            start_new_session=True,
        )
    return ComfyServer(port, folder, log, process)


@contextlib.contextmanager
def _guard(server: ComfyServer) -> Iterator[None]:
    """End the server also when this process is killed. Leave this block once it has stopped."""
    script = str(Path(__file__).with_name("guard.py"))
    command = [sys.executable, "-I", "-S", script, str(server.process.pid), str(server.folder)]
    # Its own group: what is sent to ours must not reach it.
    guard = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
    try:
        yield
    finally:
        guard.communicate(b"\n")


def _mount(comfyui: Path, folder: Path, own_models: bool) -> list[str]:
    """Arguments that make the server load this checkout of the pack, without a copy."""
    if not own_models and _has_pack(comfyui / "custom_nodes"):
        return []
    link = folder / "custom_nodes" / PACK_NAME
    try:
        link.symlink_to(PACK, target_is_directory=True)
    except OSError as error:
        raise WorkflowError(
            f"cannot link the pack into a ComfyUI ({error}). Copy {PACK} into {comfyui / 'custom_nodes'}."
        ) from error
    if own_models:
        return []
    config = folder / "extra_model_paths.yaml"
    # JSON is valid YAML and quotes any path correctly.
    config.write_text(json.dumps({"a2v": {"custom_nodes": str(folder / "custom_nodes")}}), encoding="utf-8")
    return ["--extra-model-paths-config", str(config)]


def _has_pack(custom_nodes: Path) -> bool:
    """Whether a ComfyUI already carries this pack, as this checkout or as an installed copy."""
    if not custom_nodes.is_dir():
        return False
    return any(
        child.resolve() == PACK or child.name.lower() == PACK_NAME
        for child in custom_nodes.iterdir()
        if child.is_dir()
    )


def _environment(comfyui: Path) -> dict[str, str]:
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
    # The pack's folder must not be importable there: a top-level `nodes` would shadow ComfyUI's own.
    environment.pop("PYTHONPATH", None)
    share_processors(environment)
    if comfyui != PINNED:
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
    return environment


def _wait_until_ready(server: ComfyServer) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        code = server.process.poll()
        if code is not None:
            raise WorkflowError(
                f"ComfyUI ended with code {code} while starting. Its log ends:\n{server.log_tail()}"
            )
        if _responds(server.port):
            return
        time.sleep(0.1)
    raise WorkflowError(
        f"ComfyUI did not answer within {READY_SECONDS:.0f} s. Its log ends:\n{server.log_tail()}"
    )


def _clear(folder: Path, kept: set[str]) -> None:
    """Delete a server's folder, except for the subfolders in `kept`."""
    if not kept:
        shutil.rmtree(folder, ignore_errors=True)
        return
    for part in [part for part in folder.iterdir() if part.name not in kept]:
        if part.is_dir():
            shutil.rmtree(part, ignore_errors=True)
        else:
            part.unlink(missing_ok=True)


def _responds(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/system_stats")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
