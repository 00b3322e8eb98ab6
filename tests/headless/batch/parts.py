"""A batch as a process of its own, and what it leaves."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import urlopen

import numpy as np
from PIL import Image

from a2v_core.headless.__main__ import main
from a2v_core.media import load_audio
from tests.headless.test_run import sound_prompt, write_wav

ROOT = Path(__file__).resolve().parents[3]


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "a2v_core.headless", "batch", *map(str, arguments)]


class Ran(NamedTuple):
    stdout: str
    stderr: str


def call(*arguments: object, code: int = 0) -> Ran:
    """Run the command in this process; `code` is the exit code that it must have."""
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        found = main(["batch", *map(str, arguments)])
    assert found == code, errors.getvalue() + out.getvalue()
    return Ran(out.getvalue(), errors.getvalue())


class Running(NamedTuple):
    """A batch in a process of its own."""

    process: subprocess.Popen[bytes]
    log: Path

    def told(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def end(self, code: int = 0) -> str:
        assert self.process.wait(300) == code, self.told()
        return self.told()


@contextlib.contextmanager
def started(log: Path, *arguments: object) -> Iterator[Running]:
    """A batch that is killed at the end of the block if it still runs."""
    with open(log, "wb") as stream:
        process = subprocess.Popen(command(*arguments), cwd=ROOT, stdout=stream, stderr=stream)
    try:
        yield Running(process, log)
    finally:
        process.kill()
        process.wait()


def copying_prompt() -> dict[str, Any]:
    """Load a sound, save it: fast, and the same samples every time."""
    prompt = sound_prompt()
    del prompt["7"]
    return prompt


def drawing_prompt() -> dict[str, Any]:
    """A copy of the sound and a picture of noise from a seed: two files, fast, the same content every time.

    Not the same bytes: a server that has a picture in its cache names its file, with the prompt of the run
    that made it inside."""
    size = {"width": 48, "height": 32, "batch_size": 1, "color": 0x336699}
    return copying_prompt() | {
        "1": {"class_type": "EmptyImage", "inputs": size},
        "2": {"class_type": "ImageAddNoise", "inputs": {"image": ["1", 0], "seed": 99, "strength": 0.5}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "noise"}},
    }


def wait_for(condition: Callable[[], bool], seconds: float = 300.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)


def ask(url: str, what: str) -> dict[str, Any]:
    """What the server says of its queue or its history."""
    with urlopen(f"{url}/{what}", timeout=60) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def write_sounds(folder: Path, count: int) -> list[Path]:
    folder.mkdir(exist_ok=True)
    return [write_wav(folder / f"tone {n}.wav", 0.2 + n / 50, 200.0 + 40 * n) for n in range(count)]


def write_table(path: Path, columns: list[str], rows: list[list[object]]) -> Path:
    with open(path, "w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([columns, *rows])
    return path


def read_runs(out: Path) -> list[dict[str, str]]:
    with open(out / "runs.csv", newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def outputs(out: Path) -> dict[str, bytes]:
    """Name -> content of what a batch has made, its tables aside."""
    files = (path for path in out.iterdir() if path.is_file())
    return {path.name: path.read_bytes() for path in files if path.stem != "runs"}


def contents(out: Path) -> dict[str, str]:
    """Name -> hash of the pixels or samples of what a batch with `drawing_prompt` has made."""
    return {path.name: _content(path) for path in out.iterdir() if path.suffix in (".png", ".flac")}


def _content(path: Path) -> str:
    if path.suffix == ".png":
        with Image.open(path) as picture:
            values = np.asarray(picture)
    else:
        values = load_audio(path).samples.numpy()
    return f"{values.shape} {hashlib.sha256(values.tobytes()).hexdigest()}"


def facts(out: Path) -> list[dict[str, Any]]:
    """The runs of runs.json without what differs from time to time."""
    runs = json.loads((out / "runs.json").read_text())["runs"]
    changing = ("seconds", "server", "files")
    return [{name: value for name, value in run.items() if name not in changing} for run in runs]
