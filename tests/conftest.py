"""Fixtures for all tests."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from a2v_core.headless.server import ComfyServer, find_comfyui, running_server
from a2v_core.processors import share_processors
from a2v_core.workers import Cluster, on_ray

share_processors()  # nothing above imports torch

pytest_plugins = ["tests.stores.server", "tests.t2v_fixtures"]

settings.register_profile("no-clock", deadline=None)  # a busy machine is no failure
settings.load_profile("no-clock")


@pytest.fixture(scope="session")
def comfy_server() -> Iterator[ComfyServer]:
    """A real ComfyUI on the CPU with the pack mounted and nothing else; started once, when a test first asks.

    Its models, input and output folders are empty and its own (`comfy_server.models`, `.input`, `.output`).
    """
    with running_server(find_comfyui(), own_models=True, cpu=True) as server:
        yield server


@pytest.fixture(scope="session")
def warm_python() -> Iterator[str]:
    """A Python for processes that need torch, diffusers and the trainer, which starts in a moment."""
    folder = Path(tempfile.mkdtemp(prefix="a2v-warm-"))
    python, path = folder / "python", folder / "socket"
    client = Path(__file__).with_name("warm_client.py")
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "{client}" "{path}" "{python}" "$@"\n')
    python.chmod(0o700)
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.warm", str(path)],
        cwd=client.parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert server.stdout is not None
    assert server.stdout.readline() == b"ready\n"
    yield str(python)
    server.communicate()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def local_ray() -> Iterator[Any]:
    """A real Ray of two CPUs on this machine, the module itself; started once, when a test first asks."""
    with on_ray(Cluster(cpus=2, store_bytes=100 * 2**20)) as ray:
        yield ray
