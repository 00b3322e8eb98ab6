"""Low-rank updates in the layout of T2V-Turbo, written here by its rules, and by name."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from a2v_core.backbones.lora.merge import guidance_embedding, merge_lora
from a2v_core.backbones.unet3d.per_frame import denoise
from a2v_core.errors import CheckpointError
from tests.tiny_t2v import TEXT_WIDTH, tiny_unet

KINDS = (nn.Linear, nn.Conv2d, nn.Conv3d)


@pytest.fixture(scope="module")
def unet() -> Any:
    torch.manual_seed(0)
    unet = tiny_unet().eval().requires_grad_(False)
    for module in unet.modules():  # diffusers starts the last temporal convolutions at zero
        if isinstance(module, nn.Conv3d):
            nn.init.normal_(module.weight, std=0.1)
    return unet


def student(unet: Any) -> Any:
    """A UNet with a projection of the guidance scale and the weights of `unet`, as T2V-Turbo makes it."""
    from diffusers import UNet3DConditionModel

    twin = UNet3DConditionModel.from_config(unet.config, time_cond_proj_dim=256).eval().requires_grad_(False)
    twin.load_state_dict(unet.state_dict(), strict=False)
    nn.init.zeros_(twin.time_embedding.cond_proj.weight)
    return twin


def inject(unet: Any, rank: int = 3) -> list[Tensor]:
    """Adds random low-rank updates to a network and returns the list that T2V-Turbo saves for them.

    Each is a layer `down` of the same kind to `rank` channels, then a 1 x 1 layer `up`; up comes first.
    """
    tensors: list[Tensor] = []
    for module in unet.modules():
        if isinstance(module, KINDS):
            weight = module.weight
            r = min(rank, weight.shape[0], weight.shape[1])
            down = 0.1 * torch.randn(r, *weight.shape[1:])
            up = 0.1 * torch.randn(weight.shape[0], r, *[1] * (weight.ndim - 2))
            weight.add_(torch.einsum("or...,ri...->oi...", up, down))
            tensors += [nn.Parameter(up), nn.Parameter(down)]
    return tensors


def inputs() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    return torch.randn(1, 4, 2, 4, 4, generator=generator), torch.randn(1, 7, TEXT_WIDTH, generator=generator)


def flat(name: str) -> str:
    return "lora_unet_" + name.replace(".", "_")


def processor(name: str) -> str:
    return "unet." + name.replace(".to_", ".processor.to_")


@torch.no_grad()
def test_turbo_layout_with_its_guidance_scale(unet: Any, tmp_path: Path) -> None:
    """The merged stock UNet gives what the distilled one gives with timestep_cond."""
    distilled = student(unet)
    torch.save(inject(distilled), tmp_path / "unet_lora.pt")
    latents, text = inputs()
    merged = copy.deepcopy(unet)
    changed = merge_lora(merged, tmp_path / "unet_lora.pt", guidance=6.0)
    assert changed == sum(isinstance(module, KINDS) for module in unet.modules())
    condition = guidance_embedding(6.0, 256)[None]
    expected = distilled(latents, 401, text, timestep_cond=condition).sample
    result = denoise(merged, latents, 401, text[:, None].expand(-1, 2, -1, -1))
    torch.testing.assert_close(result, expected, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(result, unet(latents, 401, text).sample, atol=0.01)
    other = copy.deepcopy(unet)
    merge_lora(other, tmp_path / "unet_lora.pt", guidance=2.0)
    assert not torch.allclose(other(latents, 401, text).sample, expected, atol=1e-3)


@torch.no_grad()
def test_turbo_layout_without_a_guidance_scale_and_half_strength(unet: Any, tmp_path: Path) -> None:
    whole = copy.deepcopy(unet)
    torch.save(inject(whole), tmp_path / "unet_lora.pt")
    merged = copy.deepcopy(unet)
    merge_lora(merged, tmp_path / "unet_lora.pt", strength=0.5)
    for name, weight in merged.named_parameters():
        middle = (unet.get_parameter(name) + whole.get_parameter(name)) / 2
        torch.testing.assert_close(weight.data, middle.data, atol=1e-5, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize(
    ("rename", "alpha"),
    [
        (lambda name: (f"unet.{name}.lora_A.weight", f"unet.{name}.lora_B.weight"), None),
        (
            lambda name: (f"base_model.model.{name}.lora_A.weight", f"base_model.model.{name}.lora_B.weight"),
            None,
        ),
        (lambda name: (f"{name}.lora_down.weight", f"{name}.lora_up.weight"), 1.5),
        (lambda name: (f"unet.{name}.lora.down.weight", f"unet.{name}.lora.up.weight"), None),
        (lambda name: (f"{name}.lora_linear_layer.down.weight", f"{name}.lora_linear_layer.up.weight"), None),
        (lambda name: (f"{processor(name)}_lora.down.weight", f"{processor(name)}_lora.up.weight"), None),
        (lambda name: (f"{name}.lora_A.default.weight", f"{name}.lora_B.default.weight"), None),
        (
            lambda name: (
                f"{flat(name)}.lora_down.weight",
                f"{flat(name)}.lora_up.weight",
            ),
            2.0,
        ),
    ],
)
def test_named_layouts(
    rename: Callable[[str], tuple[str, str]], alpha: float | None, unet: Any, tmp_path: Path
) -> None:
    name = "mid_block.attentions.0.transformer_blocks.0.attn2.to_k"
    weight = unet.get_submodule(name).weight
    down, up = torch.randn(3, weight.shape[1]), torch.randn(weight.shape[0], 3)
    keys = rename(name)
    tensors = {keys[0]: down, keys[1]: up}
    if alpha is not None:
        tensors[keys[0].replace(".lora_down.weight", ".alpha")] = torch.tensor(alpha)
    save_file(tensors, tmp_path / "lora.safetensors")
    merged = copy.deepcopy(unet)
    assert merge_lora(merged, tmp_path / "lora.safetensors") == 1
    scale = 1.0 if alpha is None else alpha / 3
    torch.testing.assert_close(merged.get_submodule(name).weight.data, weight + scale * up @ down)


@pytest.mark.parametrize(
    "layout",
    [
        {"hada_w1_a": (8, 2), "hada_w1_b": (2, 32), "hada_w2_a": (8, 2), "hada_w2_b": (2, 32)},
        {"lokr_w1": (2, 2), "lokr_w2": (4, 16)},
        {"lora_up.weight": (16, 2), "lora_down.weight": (2, 32), "dora_scale": (16, 1)},
        {"oft_blocks": (4, 4, 4)},
        {"magic": (3, 3)},
    ],
)
@pytest.mark.parametrize("spell", [flat, str])
def test_other_layouts_are_refused_by_name(
    unet: Any, tmp_path: Path, spell: Callable[[str], str], layout: dict[str, tuple[int, ...]]
) -> None:
    name = "mid_block.attentions.0.transformer_blocks.0.attn2.to_k"
    path = tmp_path / "lora.safetensors"
    save_file({f"{spell(name)}.{end}": torch.randn(shape) for end, shape in layout.items()}, path)
    before = {key: weight.clone() for key, weight in unet.state_dict().items()}
    with pytest.raises(
        CheckpointError, match=rf"is not part of a plain low-rank update .* of {name}.*ComfyUI"
    ):
        merge_lora(unet, path)
    assert all(torch.equal(before[key], weight) for key, weight in unet.state_dict().items())


def test_what_is_for_another_part_is_named(
    unet: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tensors = {"lora_te_text_mlp_fc1.lora_up.weight": torch.ones(4, 1)}
    tensors |= {"lora_te_text_mlp_fc1.lora_down.weight": torch.ones(1, 4)}
    save_file(tensors, tmp_path / "text.safetensors")
    with pytest.raises(CheckpointError, match=r"changes lora_te_text_mlp_fc1, which this UNet lacks"):
        merge_lora(unet, tmp_path / "text.safetensors")
    weight = unet.conv_out.weight
    tensors |= {"conv_out.lora_up.weight": torch.ones(len(weight), 1, 1, 1)}
    tensors |= {"conv_out.lora_down.weight": torch.ones(1, *weight.shape[1:])}
    save_file(tensors, tmp_path / "both.safetensors")
    assert merge_lora(copy.deepcopy(unet), tmp_path / "both.safetensors") == 1
    assert "both.safetensors: 2 of its 4 tensors are not used" in caplog.text
    assert "lora_te_text_mlp_fc1.lora_down.weight" in caplog.text


def test_guidance_embedding_is_sines_then_cosines() -> None:
    embedded = guidance_embedding(7.5, 256)
    assert embedded.shape == (256,)
    torch.testing.assert_close(embedded[0], torch.tensor(7500.0).sin(), atol=1e-3, rtol=0)
    torch.testing.assert_close(embedded[128], torch.tensor(7500.0).cos(), atol=1e-3, rtol=0)
    torch.testing.assert_close(embedded[127], torch.tensor(0.75).sin(), atol=1e-4, rtol=0)


def test_bad_files_are_named_and_change_nothing(unet: Any, tmp_path: Path) -> None:
    path = tmp_path / "unet_lora.pt"
    before = {name: weight.clone() for name, weight in unet.state_dict().items()}
    with pytest.raises(CheckpointError, match="no such file"):
        merge_lora(unet, path)
    path.write_bytes(b"not a checkpoint")
    with pytest.raises(CheckpointError, match="cannot be read as plain tensors"):
        merge_lora(unet, path)
    torch.save([torch.zeros(2, 2)] * 10, path)
    with pytest.raises(CheckpointError, match="a list of 10 tensors, but this UNet has"):
        merge_lora(unet, path)
    wrong = inject(copy.deepcopy(unet))
    wrong[-1] = nn.Parameter(torch.zeros(3, 5, 3, 3))
    torch.save(wrong, path)
    with pytest.raises(CheckpointError, match="the update is for another UNet"):
        merge_lora(unet, path)
    save_file({"no.such.lora_A.weight": torch.zeros(1, 2)}, tmp_path / "half.safetensors")
    with pytest.raises(CheckpointError, match=r"has no.such.lora_A.weight but no no.such.lora_B.weight"):
        merge_lora(unet, tmp_path / "half.safetensors")
    both = {"no.such.lora_A.weight": torch.zeros(1, 2), "no.such.lora_B.weight": torch.zeros(2, 1)}
    save_file(both, tmp_path / "whole.safetensors")
    with pytest.raises(CheckpointError, match=r"changes no.such, which this UNet lacks"):
        merge_lora(unet, tmp_path / "whole.safetensors")
    assert all(torch.equal(before[name], weight) for name, weight in unet.state_dict().items())
