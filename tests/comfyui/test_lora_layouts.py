"""LoRAs of every layout, put on and taken off by ComfyUI: the weights are what the layout's own rule says."""

from __future__ import annotations

import copy
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from a2v_core.backbones.lora.merge import merge_lora
from a2v_core.backbones.unet3d.backbone import UNet3DBackbone
from a2v_core.backbones.unet3d.load import load_unet3d
from a2v_core.prompts import ContextBatch
from tests.comfyui.driver import Comfy
from tests.tiny_t2v import make_tiny_t2v

Tensors = dict[str, Tensor]

BLOCK = "down_blocks.0.attentions.0.transformer_blocks.0"
ATTENTION = (f"{BLOCK}.attn2.to_k", f"{BLOCK}.attn1.to_out.0")
CONVS = ("mid_block.resnets.0.conv1", "down_blocks.1.temp_convs.0.conv2.3", "conv_in")
LAYERS = (*ATTENTION, *CONVS, "time_embedding.linear_1")
STRENGTH = 0.7


def flat(name: str) -> str:
    return name.replace(".", "_")


def processor(name: str) -> str:
    return name.replace(".to_", ".processor.to_").removesuffix(".0")


# How the trainers name the halves of an update of a layer.
SPELLINGS: dict[str, Callable[[str], tuple[str, str]]] = {
    "plain": lambda n: (f"{n}.lora_up.weight", f"{n}.lora_down.weight"),
    "kohya": lambda n: (f"lora_unet_{flat(n)}.lora_up.weight", f"lora_unet_{flat(n)}.lora_down.weight"),
    "lycoris": lambda n: (f"lycoris_{flat(n)}.lora_up.weight", f"lycoris_{flat(n)}.lora_down.weight"),
    "peft": lambda n: (f"base_model.model.{n}.lora_B.weight", f"base_model.model.{n}.lora_A.weight"),
    "peft, named": lambda n: (f"{n}.lora_B.default.weight", f"{n}.lora_A.default.weight"),
    "diffusers": lambda n: (f"unet.{n}.lora_B.weight", f"unet.{n}.lora_A.weight"),
    "diffusers, older": lambda n: (f"unet.{n}.lora.up.weight", f"unet.{n}.lora.down.weight"),
    "diffusers, old": lambda n: (f"{n}.lora_linear_layer.up.weight", f"{n}.lora_linear_layer.down.weight"),
    "processors": lambda n: (
        f"unet.{processor(n)}_lora.up.weight",
        f"unet.{processor(n)}_lora.down.weight",
    ),
}


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def halves(weight: Tensor, rank: int = 3) -> tuple[Tensor, Tensor]:
    up = random(len(weight), rank, *[1] * (weight.ndim - 2))
    return up, 0.1 * random(rank, *weight.shape[1:], seed=1)


def product(up: Tensor, down: Tensor) -> Tensor:
    return torch.einsum("or,r...->o...", up.flatten(1), down)


@pytest.fixture(scope="module")
def model(probes: Comfy, tmp_path_factory: pytest.TempPathFactory) -> UNet3DBackbone:
    """The toy model of the server, loaded here too."""
    return load_unet3d(make_tiny_t2v(tmp_path_factory.mktemp("models") / "tiny"))


@pytest.fixture
def loras(probes: Comfy) -> Path:
    folder = probes.server.models / "loras"
    folder.mkdir(exist_ok=True)
    return folder


def graph_of(lora: str = "none", strength: float = STRENGTH, dtype: str = "fp32", nonce: int = 0) -> Any:
    loader = {
        "model_name": "tiny",
        "dtype": dtype,
        "download_if_missing": False,
        "lora_name": lora,
        "lora_strength": strength,
    }
    return {
        "loader": {"class_type": "A2VLoadT2VModel", "inputs": loader},
        "look": {
            "class_type": "ProbeUNet",
            "inputs": {"model": ["loader", 0], "name": "unet.safetensors", "nonce": nonce},
        },
    }


def unet_of(probes: Comfy, *args: Any, **kwargs: Any) -> Tensors:
    run = probes.good(graph_of(*args, **kwargs))
    return load_file(run.outputs["look"]["text"][0])


def same(found: Tensors, expected: Tensors) -> bool:
    return found.keys() == expected.keys() and all(
        torch.equal(found[key].float(), expected[key].float()) for key in expected
    )


def check(found: Tensors, unet: nn.Module, updates: Tensors) -> None:
    """The weights of `updates` are changed by them, all others are what they were."""
    original = unet.state_dict()
    for name, tensor in original.items():
        layer = name.removesuffix(".weight")
        if name.endswith(".weight") and layer in updates:
            assert updates[layer].abs().mean() > 0.01
            torch.testing.assert_close(found[name], tensor + updates[layer], atol=1e-5, rtol=1e-5)
        else:
            assert torch.equal(found[name], tensor), name


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_of_a_low_rank_update(
    probes: Comfy, loras: Path, model: UNet3DBackbone, spelling: str
) -> None:
    layers = ATTENTION if spelling == "processors" else LAYERS
    tensors: Tensors = {}
    updates = {}
    for layer in layers:
        up, down = halves(model.unet.get_submodule(layer).weight)
        names = SPELLINGS[spelling](layer)
        tensors |= dict(zip(names, (up, down), strict=True))
        scale = 1.0
        if spelling in ("kohya", "lycoris"):
            tensors[names[0].replace(".lora_up.weight", ".alpha")] = torch.tensor(1.5)
            scale = 1.5 / 3
        updates[layer] = STRENGTH * scale * product(up, down)
    save_file(tensors, loras / "spelled.safetensors")
    check(unet_of(probes, "spelled.safetensors"), model.unet, updates)
    merged = load_merged(model, loras / "spelled.safetensors")
    check(merged.state_dict(), model.unet, updates)


def load_merged(model: UNet3DBackbone, path: Path) -> Any:
    """The library's way: the same weights, for good."""
    unet = copy.deepcopy(model.unet)
    merge_lora(unet, path, STRENGTH)
    return unet


def other_layouts(weight: Tensor) -> dict[str, tuple[Tensors, Tensor]]:
    """Tensors of a layer by their endings, and what they change, for layouts that only core reads."""
    rows, columns = weight.shape
    parts = {name: 0.6 * random(*shape, seed=seed) for seed, (name, shape) in enumerate({
        "hada_w1_a": (rows, 2), "hada_w1_b": (2, columns), "hada_w2_a": (rows, 2), "hada_w2_b": (2, columns),
    }.items())}  # fmt: skip
    loha = (parts["hada_w1_a"] @ parts["hada_w1_b"]) * (parts["hada_w2_a"] @ parts["hada_w2_b"])
    small, large = random(2, 2), 0.2 * random(rows // 2, columns // 2, seed=1)
    up, down = halves(weight)
    dora = 2 * weight.norm(dim=1, keepdim=True)
    whole = (weight + up @ down) * dora / weight.norm(dim=1, keepdim=True)
    turn = 0.2 * random(rows // 4, 4, 4)
    skew = turn - turn.transpose(1, 2)
    rotation = (torch.eye(4) + skew) @ (torch.eye(4) - skew).inverse()
    turned = torch.einsum("knm,kni->kmi", rotation, weight.view(rows // 4, 4, columns)).reshape(weight.shape)
    return {
        "LoHa": (parts, loha),
        "LoKr": ({"lokr_w1": small, "lokr_w2": large}, torch.kron(small, large)),
        "DoRA": (
            {"lora_up.weight": up, "lora_down.weight": down, "dora_scale": dora},
            (whole - weight),
        ),
        "OFT": ({"oft_blocks": turn}, (turned - weight)),
        "difference": ({"diff": 0.1 * random(rows, columns)}, 0.1 * random(rows, columns)),
    }


@pytest.mark.parametrize("layout", ["LoHa", "LoKr", "DoRA", "OFT", "difference"])
def test_layouts_that_only_core_reads(probes: Comfy, loras: Path, model: UNet3DBackbone, layout: str) -> None:
    (layer, _), path = ATTENTION, loras / "other.safetensors"
    tensors, update = other_layouts(model.unet.get_submodule(layer).weight)[layout]
    save_file({f"lora_unet_{flat(layer)}.{end}": tensor for end, tensor in tensors.items()}, path)
    strength = 1.0 if layout == "OFT" else STRENGTH  # core's rotations know no half strength
    check(unet_of(probes, path.name, strength), model.unet, {layer: strength * update})


@pytest.mark.parametrize("dtype", ["fp32", "bf16", "fp8"])
def test_put_on_and_taken_off_exactly(
    probes: Comfy, loras: Path, tmp_path: Path, model: UNet3DBackbone, dtype: str
) -> None:
    """The prediction is that of the library's merged model; without the LoRA every bit is as before."""
    for name, rank in (("first", 3), ("second", 2)):
        tensors: Tensors = {}
        for layer in LAYERS:
            up, down = halves(model.unet.get_submodule(layer).weight, rank)
            tensors |= dict(zip(SPELLINGS["kohya"](layer), (0.5 * up, down), strict=True))
        save_file(tensors, loras / f"{name}.safetensors")
    plain = unet_of(probes, dtype=dtype)
    first = unet_of(probes, "first.safetensors", dtype=dtype)
    second = unet_of(probes, "second.safetensors", dtype=dtype)
    assert not same(first, second)
    assert same(unet_of(probes, "first.safetensors", dtype=dtype, nonce=1), first)
    assert same(unet_of(probes, "first.safetensors", 0.0, dtype=dtype), plain)
    assert same(unet_of(probes, dtype=dtype, nonce=2), plain)
    assert same(unloaded_between(probes, "first.safetensors", dtype), first)

    merged = load_unet3d(make_tiny_t2v(tmp_path / "tiny"), dtype)
    latents = torch.randn((1, 4, 3, 4, 6), generator=torch.Generator().manual_seed(0))
    text = torch.randn((2, 3, 77, 32), generator=torch.Generator().manual_seed(0))
    for path, found in ((None, plain), (loras / "first.safetensors", first)):
        if path is not None:
            merge_lora(merged.unet, path, STRENGTH)
        with torch.no_grad():
            expected = merged.denoise(latents, torch.tensor(301), ContextBatch(text)).float()
        near = (found["prediction"] - expected).norm() / expected.norm()
        assert near < {"fp32": 1e-4, "bf16": 2e-2, "fp8": 2e-2}[dtype], (path, near)
    assert (first["prediction"] - plain["prediction"]).norm() / plain["prediction"].norm() > 0.1


def unloaded_between(probes: Comfy, lora: str, dtype: str) -> Tensors:
    """The UNet after ComfyUI pushed it out and loaded it again."""
    graph = graph_of(lora, dtype=dtype)
    graph["first"] = {"class_type": "ProbeUNet", "inputs": {**graph["look"]["inputs"], "name": "first"}}
    graph["unload"] = {"class_type": "ProbeUnload", "inputs": {"value": ["loader", 0], "nonce": 1}}
    graph["look"]["inputs"]["model"] = ["unload", 0]
    return load_file(probes.good(graph).outputs["look"]["text"][0])


def test_turbo_list_with_its_guidance_scale(probes: Comfy, loras: Path, model: UNet3DBackbone) -> None:
    tensors = []
    for name, module in model.unet.named_modules():
        if isinstance(module, nn.Linear | nn.Conv2d | nn.Conv3d):
            tensors += [0.1 * half for half in halves(module.weight, 2)]
        if name == "time_embedding.linear_1":
            tensors += [0.1 * random(module.in_features, 2), 0.1 * random(2, 256, seed=1)]
    torch.save(tensors, loras / "unet_lora.pt")
    found = unet_of(probes, "unet_lora.pt")
    merged = load_merged(model, loras / "unet_lora.pt").state_dict()
    bias = "time_embedding.linear_1.bias"
    assert (merged[bias] - model.unet.state_dict()[bias]).abs().mean() > 0.01
    for name, tensor in merged.items():
        torch.testing.assert_close(found[name], tensor, atol=1e-5, rtol=1e-4)
    assert same(unet_of(probes), unet_of(probes, nonce=5))


def test_another_strength_reads_no_gigabytes_again(
    probes: Comfy, loras: Path, tmp_path: Path, model: UNet3DBackbone
) -> None:
    """The file is another one that claims to be the same, and broken: what is in memory counts."""
    layer = LAYERS[0]
    halves_of = dict(
        zip(SPELLINGS["plain"](layer), halves(model.unet.get_submodule(layer).weight), strict=True)
    )
    save_file(halves_of, loras / "slider.safetensors")
    update = product(*halves_of.values())
    first = unet_of(probes, "slider.safetensors", 1.0, nonce=1)
    check(first, model.unet, {layer: update})
    path = model_folder(probes) / "unet" / "diffusion_pytorch_model.safetensors"
    stamps = [(place, place.stat().st_mtime_ns) for place in (path, path.parent)]
    aside = path.rename(tmp_path / "aside")
    try:
        path.write_bytes(bytes(aside.stat().st_size))
        for place, time in stamps:
            os.utime(place, ns=(time, time))
        for strength in (0.5, -2.0, 0.0, 1.0):
            found = unet_of(probes, "slider.safetensors", strength, nonce=1)
            check(found, model.unet, {layer: strength * update} if strength else {})
        check(unet_of(probes, nonce=1), model.unet, {})
    finally:
        aside.replace(path)


def model_folder(probes: Comfy) -> Path:
    """Where the server has its toy model."""
    command = " ".join(psutil.Process(probes.server.process.pid).cmdline())
    (config,) = re.findall(r"--extra-model-paths-config[ =](\S+)", command)
    return Path(json.loads(Path(config).read_text())["tests"]["a2v_t2v"]) / "tiny"


def test_what_is_not_used_is_named_in_the_log(probes: Comfy, loras: Path, model: UNet3DBackbone) -> None:
    layer = LAYERS[0]
    tensors = dict(
        zip(SPELLINGS["plain"](layer), halves(model.unet.get_submodule(layer).weight), strict=True)
    )
    for number in range(12):
        tensors[f"lora_te_text_model_encoder_layers_{number}_mlp_fc1.lora_up.weight"] = torch.ones(4, 1)
        tensors[f"lora_te_text_model_encoder_layers_{number}_mlp_fc1.lora_down.weight"] = torch.ones(1, 4)
    save_file(tensors, loras / "partly.safetensors")
    found = unet_of(probes, "partly.safetensors")
    check(found, model.unet, {layer: STRENGTH * product(*list(tensors.values())[:2])})
    log = probes.server.log_tail()
    assert "partly.safetensors: 24 of its 26 tensors are not used" in log
    assert "lora_te_text_model_encoder_layers_0_mlp_fc1" in log
    assert "and 16 more" in log


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"blocks.0.a.lora_A.weight": (2, 8), "blocks.0.a.lora_B.weight": (8, 2)}, "changes blocks.0.a"),
        ({f"lora_unet_{flat(LAYERS[0])}.magic_a": (2, 2)}, "not a LoRA in any known layout"),
        ({f"lora_unet_{flat(LAYERS[0])}.alpha": ()}, "not a LoRA in any known layout"),
        (
            {f"{LAYERS[0]}.lora_A.weight": (2, 33), f"{LAYERS[0]}.lora_B.weight": (8, 2)},
            rf"its update of {LAYERS[0]}.weight does not fit that weight, which is \[8, 32\]; .*another UNet",
        ),
        (
            {f"{LAYERS[0]}.hada_w1_a": (9, 2), f"{LAYERS[0]}.hada_w1_b": (2, 32),
             f"{LAYERS[0]}.hada_w2_a": (9, 2), f"{LAYERS[0]}.hada_w2_b": (2, 32)},
            rf"its update of {LAYERS[0]}.weight does not fit",
        ),
        (
            {f"{LAYERS[0]}.lora_A.weight": (2, 32), f"{LAYERS[0]}.lora_B.weight": (8, 2),
             f"{LAYERS[0]}.dora_scale": (5, 7)},
            rf"its update of {LAYERS[0]}.weight does not fit",
        ),
        ({f"{LAYERS[0]}.oft_blocks": (3, 5, 5)}, rf"its update of {LAYERS[0]}.weight does not fit"),
        ({f"{LAYERS[0]}.diff": (8, 31)}, rf"its update of {LAYERS[0]}.weight does not fit"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(
    probes: Comfy, loras: Path, tensors: dict[str, tuple[int, ...]], message: str
) -> None:
    path = loras / "wrong.safetensors"
    save_file({name: random(*shape) for name, shape in tensors.items()}, path)
    run = probes.run(graph_of(path.name))
    assert run.error is not None
    assert run.error["node_type"] == "A2VLoadT2VModel"
    assert re.search(rf"wrong\.safetensors: .*{message}", run.message), run.message
