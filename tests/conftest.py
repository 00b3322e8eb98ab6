"""Fixtures for all tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from a2v_core.headless.server import ComfyServer, find_comfyui, running_server
from a2v_core.processors import share_processors

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
