"""The tiny Wan in a folder, and loaded anew for every test."""

from __future__ import annotations

from pathlib import Path

import pytest

from a2v_core.backbones import load_t2v
from a2v_core.backbones.wan import WanBackbone
from tests.tiny_wan import make_tiny_wan


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_wan(tmp_path_factory.mktemp("wan") / "wan")


@pytest.fixture
def wan(folder: Path) -> WanBackbone:
    backbone = load_t2v(folder)
    assert isinstance(backbone, WanBackbone)
    return backbone
