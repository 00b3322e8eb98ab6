"""Processes of their own for commands of the trainer, started in a moment.

`python -m tests.training.forked` imports what the commands need, once, and forks for every line that it
reads: a process that imports torch and diffusers itself takes ten seconds. What runs is a module's `main`.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import traceback
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Command:
    """`main(arguments)` of a module, with more environment, so many threads, and its output in `log`."""

    module: str
    arguments: list[str]
    log: str
    threads: int = 1
    environment: dict[str, str] = field(default_factory=dict)


class Forks:
    """The process that forks, as seen by the tests."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.training.forked"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, command: Command) -> int:
        """Start a process; its id."""
        return self._ask(asdict(command))

    def wait(self, pid: int) -> int:
        """Its exit status, as that of `subprocess.Popen`."""
        return self._ask(pid)

    def close(self) -> None:
        """End what still runs."""
        self._process.communicate()

    def _ask(self, what: Any) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{json.dumps(what)}\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


def serve() -> None:
    """Fork and wait as the lines of the standard input say, until it ends."""
    load()
    running: set[int] = set()
    for line in sys.stdin:
        what = json.loads(line)
        if isinstance(what, int):
            running.discard(what)
            answer = os.waitstatus_to_exitcode(os.waitpid(what, 0)[1])
        else:
            answer = os.fork()
            if answer == 0:
                run(Command(**what))
            running.add(answer)
        print(answer, flush=True)
    for pid in running:
        os.kill(pid, signal.SIGKILL)
    os._exit(0)  # without tidying up what was imported


def load() -> None:
    """Import what the commands need; no module of these starts a thread."""
    import diffusers
    import transformers

    import training.cache.build
    import training.loop  # noqa: F401

    names = ("AutoencoderKL", "UNet3DConditionModel", "AutoencoderKLWan", "WanTransformer3DModel")
    assert all(getattr(diffusers, name) for name in names)
    assert transformers.CLIPTextModel
    assert transformers.CLIPTokenizer


def run(command: Command) -> None:
    """Be that command, and end."""
    import torch

    code = 1
    try:
        for place, flags in ((os.devnull, os.O_RDONLY), (command.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)):
            opened = os.open(place, flags, 0o600)
            for stream in (0,) if flags == os.O_RDONLY else (1, 2):
                os.dup2(opened, stream)
        os.environ |= command.environment
        torch.set_num_threads(command.threads)
        code = importlib.import_module(command.module).main(command.arguments)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve()
