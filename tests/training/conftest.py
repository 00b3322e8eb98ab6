"""Real media files and tiny real models for the tests of the trainer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from a2v_core.audio import save_beats
from tests.audio.tiny import tiny_beats
from tests.tiny_t2v import make_tiny_t2v
from tests.tiny_wan import make_tiny_wan
from tests.training.media import small_training, write_clips


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with beats.safetensors and a text-to-video model t2v."""
    folder = tmp_path_factory.mktemp("models")
    save_beats(folder / "beats.safetensors", tiny_beats())
    make_tiny_t2v(folder / "t2v")
    return folder


@pytest.fixture(scope="session")
def wan_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Wan."""
    return make_tiny_wan(tmp_path_factory.mktemp("wan") / "wan")


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of six videos of 1.5 s, two of them in `test`, one with a caption."""
    return write_clips(tmp_path_factory.mktemp("clips"))


@pytest.fixture
def values(models: Path, clips: Path, tmp_path: Path) -> dict[str, Any]:
    """A small training on these files, as the YAML file would say it."""
    return small_training(models, clips, tmp_path / "run")
