"""The bundled BEATs, loaded once."""

from __future__ import annotations

import pytest

from a2v_core.audio import BEATs, load_beats
from a2v_core.demo import demo_path


@pytest.fixture(scope="session")
def demo_beats() -> BEATs:
    return load_beats(demo_path("beats"))
