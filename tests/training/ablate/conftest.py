"""Tiny base models of all three kinds, as files."""

from __future__ import annotations

from pathlib import Path

import pytest

from a2v_core.backbones.wan import WanFiles
from tests.tiny_core_wan import write_wan, write_wan_vae
from tests.tiny_motion import make_tiny_motion
from training.ablate.bases import BaseFiles


@pytest.fixture(scope="session")
def base_files(models: Path, tmp_path_factory: pytest.TempPathFactory) -> BaseFiles:
    """Files of BEATs, a UNet3D, an AnimateDiff and a Wan."""
    folder = tmp_path_factory.mktemp("bases")
    wan = WanFiles(folder / "wan.safetensors", folder / "wan_vae.safetensors", models / "t2v")
    write_wan(wan.transformer)
    write_wan_vae(wan.vae)
    motion = make_tiny_motion(folder / "animatediff", longest=32)
    return BaseFiles(models / "beats.safetensors", models / "t2v", wan, motion)
