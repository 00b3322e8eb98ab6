"""Fixtures for all tests."""

from __future__ import annotations

from collections.abc import Iterator
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
def local_ray() -> Iterator[Any]:
    """A real Ray of two CPUs on this machine, the module itself; started once, when a test first asks."""
    with on_ray(Cluster(cpus=2, store_bytes=100 * 2**20)) as ray:
        yield ray
