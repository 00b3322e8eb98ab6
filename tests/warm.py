"""A Python that has imported torch, diffusers and the trainer already.

`python -m tests.warm SOCKET` imports them once, and forks for everyone who asks at the socket; to import them
takes a process ten seconds. `warm_client.py` asks for a command line, so that a script which starts it can
stand where `sys.executable` does. Each process is one of its own, with its own environment, folder and
streams; it lasts no longer than its client.
"""

from __future__ import annotations

import contextlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import traceback
from typing import Any

SIZE = 1 << 20


def load() -> None:
    """Import what takes long; none of it starts a thread."""
    import diffusers
    import transformers

    import training.cache.build
    import training.loop  # noqa: F401

    names = ("AutoencoderKL", "UNet3DConditionModel", "AutoencoderKLWan", "WanTransformer3DModel")
    assert all(getattr(diffusers, name) for name in names)
    assert all(getattr(transformers, name) for name in ("CLIPTextModel", "CLIPTokenizer"))


class Server:
    """Forks, and tells clients how it ended."""

    def __init__(self, path: str) -> None:
        self.running: dict[int, socket.socket] = {}
        self.selector = selectors.DefaultSelector()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(64)
        self.ended, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for place in (self.listener, self.ended, sys.stdin):
            self.selector.register(place, selectors.EVENT_READ)

    def serve(self) -> None:
        """Until the standard input ends."""
        while True:
            for key, _ in self.selector.select():
                if key.fileobj is sys.stdin:
                    return
                if key.fileobj is self.listener:
                    self.start()
                elif key.fileobj == self.ended:
                    os.read(self.ended, SIZE)
                    self.reap()
                elif isinstance(key.fileobj, socket.socket):
                    self.drop(key.fileobj)

    def start(self) -> None:
        client, _ = self.listener.accept()
        data, streams, _, _ = socket.recv_fds(client, SIZE, 3)
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for other in (*self.running.values(), self.listener, client):
                other.close()
            become(json.loads(data), streams)
        for stream in streams:
            os.close(stream)
        self.running[pid] = client
        self.selector.register(client, selectors.EVENT_READ)
        client.sendall(f"{pid}\n".encode())

    def reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                client = self.running.pop(ended[0])
                with contextlib.suppress(KeyError):  # as dropped
                    self.selector.unregister(client)
                with contextlib.suppress(OSError):
                    client.sendall(f"{os.waitstatus_to_exitcode(ended[1])}\n".encode())
                client.close()

    def drop(self, client: socket.socket) -> None:
        """Whoever waited has been killed, and so is what it waited for."""
        self.selector.unregister(client)
        for pid, other in self.running.items():
            if other is client:
                os.kill(pid, signal.SIGKILL)

    def end(self) -> None:
        for pid in self.running:
            os.kill(pid, signal.SIGKILL)


def become(request: dict[str, Any], streams: list[int]) -> None:
    """Be that process, and end."""
    code = 1
    try:
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        # Those that are there remember what theirs were: files, pipes or terminals.
        sys.stdin = os.fdopen(0)
        sys.stdout, sys.stderr = os.fdopen(1, "w", buffering=1), os.fdopen(2, "w", buffering=1)
        os.chdir(request["folder"])
        os.environ.clear()
        os.environ.update(request["environment"])
        sys.executable = request["executable"]
        sys.path[:0] = [place for place in os.environ.get("PYTHONPATH", "").split(":") if place]
        run(request["arguments"])
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def run(arguments: list[str]) -> None:
    """-m MODULE ..., or SCRIPT ..."""
    import torch

    if "OMP_NUM_THREADS" in os.environ:
        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        sys.path.insert(0, os.path.dirname(arguments[0]))
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    load()
    server = Server(sys.argv[1])
    print("ready", flush=True)
    server.serve()
    server.end()
    os._exit(0)
