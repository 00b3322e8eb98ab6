"""Motion modules in the files that AnimateDiff's authors published."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from a2v_core.backbones.unet_motion import load_unet_motion
from a2v_core.backbones.unet_motion.adapter import find_adapter, renamed
from a2v_core.errors import CheckpointError
from a2v_core.models import identify
from a2v_core.places import MOTION_ADAPTER
from tests.tiny_motion import filled, make_tiny_adapter
from tests.tiny_original import published

CHANNELS = (32, 64)
HEADS = 8


def adapter(**settings: Any) -> Any:
    from diffusers import MotionAdapter

    facts = {"motion_layers_per_block": 1, "motion_max_seq_length": 24, **settings}
    return filled(MotionAdapter(block_out_channels=CHANNELS, motion_num_attention_heads=HEADS, **facts))


@pytest.fixture(scope="module")
def network() -> Any:
    return adapter()


@pytest.fixture(scope="module")
def folder(network: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model for pictures beside an adapter in the diffusers layout."""
    made = make_tiny_adapter(tmp_path_factory.mktemp("models") / "model", CHANNELS)
    shutil.rmtree(made / "motion_adapter")
    network.save_pretrained(made / "motion_adapter")
    return made


def beside(folder: Path, tmp_path: Path, name: str, content: Any) -> Path:
    """The same model with a file in the place of the adapter's folder."""
    made = shutil.copytree(folder, tmp_path / "model")
    shutil.rmtree(made / "motion_adapter")
    (made / "motion_adapter").mkdir()
    write = save_file if name.endswith(".safetensors") else torch.save
    write(content, made / "motion_adapter" / name)
    return made


@pytest.mark.parametrize("name", ["mm_sd_v15_v2.ckpt", "v3_sd15_mm.ckpt", "mm.safetensors"])
def test_published_files(folder: Path, network: Any, tmp_path: Path, name: str) -> None:
    """Bare, as a trainer saved them, and in safetensors."""
    content = published(network.state_dict())
    assert "mid_block.motion_modules.0.temporal_transformer.norm.bias" in content
    assert any(key.endswith("transformer_blocks.0.attention_blocks.1.pos_encoder.pe") for key in content)
    wrapped = {"epoch": 3, "state_dict": {f"module.{key}": value for key, value in content.items()}}
    made = beside(folder, tmp_path, name, wrapped if name.startswith("v3") else content)
    assert identify(made / "motion_adapter" / name).kind == MOTION_ADAPTER
    one, two = (load_unet_motion(path).unet for path in (folder, made))
    assert one.config == two.config
    assert one.config.motion_max_seq_length == 24
    other = two.state_dict()
    assert all(torch.equal(value, other[key]) for key, value in one.state_dict().items())


def test_renaming_is_that_of_diffusers(network: Any) -> None:
    """But for the position embeddings, which diffusers leaves out and computes."""
    from diffusers.loaders.single_file_utils import convert_animatediff_checkpoint_to_diffusers

    content = published(network.state_dict())
    own, theirs = renamed(content), convert_animatediff_checkpoint_to_diffusers(content)
    assert {key for key in own if not key.endswith(".pe")} == set(theirs)
    assert all(torch.equal(own[key], value) for key, value in theirs.items())
    assert set(own) == set(network.state_dict())


def test_sizes_are_read_from_the_weights(tmp_path: Path) -> None:
    other = adapter(motion_layers_per_block=2, motion_max_seq_length=32, use_motion_mid_block=False)
    torch.save(published(other.state_dict()), tmp_path / "mm_sd_v15.ckpt")
    found = find_adapter(tmp_path)
    assert list(found.network.config.block_out_channels) == list(CHANNELS)
    facts = ("motion_layers_per_block", "motion_max_seq_length", "use_motion_mid_block")
    assert [found.network.config[name] for name in facts] == [2, 32, False]
    found.fill(torch.float16)
    state = found.network.state_dict()
    assert all(torch.equal(state[key], value.half()) for key, value in other.state_dict().items())


def test_what_is_wrong_is_named(folder: Path, network: Any, tmp_path: Path) -> None:
    content = published(network.state_dict())
    made = beside(folder, tmp_path, "mm.ckpt", {"model.diffusion_model.x": torch.zeros(2)})
    file = made / "motion_adapter" / "mm.ckpt"
    with pytest.raises(CheckpointError, match=r"mm\.ckpt: expected a motion adapter, but .* unknown"):
        load_unet_motion(made)
    torch.save({key: value for key, value in content.items() if "pos_encoder" not in key}, file)
    with pytest.raises(CheckpointError, match=r"mm\.ckpt: has no position embedding"):
        load_unet_motion(made)
    torch.save({key: value for key, value in content.items() if "mid_block" not in key or "ff" in key}, file)
    with pytest.raises(CheckpointError, match=r"mm\.ckpt: expected motion adapter weights.*missing: mid_"):
        load_unet_motion(made)
    torch.save({"state_dict": content, "hook": print}, file)
    with pytest.raises(CheckpointError, match=r"mm\.ckpt: holds Python objects .*so it is refused"):
        load_unet_motion(made)
    torch.save(content, file.with_name("other.ckpt"))
    with pytest.raises(CheckpointError, match=r"holds no config\.json and 2 model files"):
        load_unet_motion(made)
