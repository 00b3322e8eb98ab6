"""The server with tiny models in ComfyUI's own layouts."""

from __future__ import annotations

import pytest

from tests.comfyui.driver import Comfy
from tests.comfyui.hearing import graphs


@pytest.fixture(scope="session")
def models(probes: Comfy) -> Comfy:
    graphs.install(probes.server.models)
    return probes
