"""Real, tiny models for the front door."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from a2v_core.audio import BEATs, Waveform
from a2v_core.backbones import Backbone, load_t2v
from tests.audio.tiny import tiny_beats
from tests.golden_recipe import recipe


@pytest.fixture(scope="session")
def beats() -> BEATs:
    return tiny_beats()


@pytest.fixture
def backbone(tiny_folder: Path) -> Backbone:
    return load_t2v(tiny_folder)


@pytest.fixture(scope="session")
def sound() -> Waveform:
    """Two seconds at 22.05 kHz, louder and louder."""
    samples = recipe("two seconds", (2, 44100))
    return Waveform(samples / samples.abs().max() * torch.linspace(0.1, 1, 44100), 22050)
