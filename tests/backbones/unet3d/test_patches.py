"""Which modules of a UNet3D are compiled, recomputed or kept, and that the whole model then gives the same.

The backend of torch.compile here runs the traced graphs with PyTorch's own operators; making machine code of
them takes minutes. `python -m benchmarks.full_size --compile` does that.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.resnet import ResnetBlock2D, TemporalConvLayer
from diffusers.models.unets.unet_3d_blocks import DownBlock3D
from torch import Tensor, nn
from transformers.models.clip.modeling_clip import CLIPEncoderLayer

from a2v_core.backbones.clip_unet.patches import (
    checkpoint_blocks,
    checkpoint_layers,
    compile_blocks,
    repeated_blocks,
)
from a2v_core.backbones.clip_unet.units import attention_layers
from a2v_core.backbones.clip_unet.whole import understands
from a2v_core.backbones.unet3d.backbone import UNet3DBackbone
from a2v_core.backbones.unet3d.load import load_unet3d
from a2v_core.backbones.unet3d.per_frame import denoise
from a2v_core.layers import is_replaced
from a2v_core.prompts import ContextBatch
from a2v_core.prompts.splice import encode_ids
from a2v_core.sampling.sampler import sample
from a2v_core.sampling.settings import SampleSettings
from tests.tiny_t2v import TEXT_WIDTH, tiny_unet

BACKEND = "eager"
BLOCKS = 25
KINDS = (ResnetBlock2D, TemporalConvLayer, BasicTransformerBlock)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def evaluate(backbone: UNet3DBackbone) -> Tensor:
    with torch.no_grad():
        return backbone.denoise(
            random(1, 4, 3, 4, 4), torch.tensor(301), ContextBatch(random(2, 3, 77, 32, seed=1))
        ).float()


def compiled(folder: Path, dtype: str = "fp32") -> UNet3DBackbone:
    backbone = load_unet3d(folder, dtype)
    compile_blocks(backbone.unet, BACKEND)
    assert sum(is_replaced(block) for block in repeated_blocks(backbone.unet)) == BLOCKS
    return backbone


def graphs() -> int:
    """How many were traced since the last reset."""
    return int(torch._dynamo.utils.counters["stats"]["unique_graphs"])


@pytest.fixture
def counted() -> None:
    """Nothing is traced yet."""
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()


@pytest.mark.parametrize("dtype", ["fp32", "fp8"])
def test_the_same_numbers_in_few_graphs(tiny_folder: Path, dtype: str, counted: None) -> None:
    expected = evaluate(load_unet3d(tiny_folder, dtype))
    backbone = compiled(tiny_folder, dtype)
    assert understands(backbone.unet)
    torch.testing.assert_close(evaluate(backbone), expected, atol=1e-4, rtol=1e-4)
    made = graphs()
    assert 0 < made < BLOCKS  # blocks of one kind and shape share theirs
    evaluate(backbone)
    assert graphs() == made


def test_what_breaks_a_graph_is_an_error(tiny_folder: Path, counted: None) -> None:
    backbone = compiled(tiny_folder)
    convolution = backbone.unet.mid_block.resnets[0].conv1

    def look(module: nn.Module, args: tuple[Tensor, ...]) -> None:
        torch._dynamo.graph_break()

    handle = convolution.register_forward_pre_hook(look)
    with pytest.raises(torch._dynamo.exc.Unsupported):
        evaluate(backbone)
    handle.remove()
    assert evaluate(backbone).isfinite().all()


def test_hooks_of_the_blocks_stay_outside(tiny_folder: Path) -> None:
    """That is where ComfyUI's Cancel takes effect."""
    backbone = compiled(tiny_folder)
    ran: list[str] = []
    for name, module in backbone.unet.named_modules():
        if isinstance(module, KINDS) or name in ("mid_block", "down_blocks.0"):
            module.register_forward_pre_hook(lambda module, args: ran.append(type(module).__name__))
    evaluate(backbone)
    assert {kind.__name__ for kind in KINDS} <= {*ran}

    def cancel(module: nn.Module, args: tuple[Tensor, ...]) -> None:
        raise InterruptedError

    backbone.unet.up_blocks[0].resnets[1].register_forward_pre_hook(cancel)
    with pytest.raises(InterruptedError):
        evaluate(backbone)


def test_a_copy_runs_its_own_weights(tiny_folder: Path) -> None:
    backbone = compiled(tiny_folder)
    expected = evaluate(backbone)
    twin = UNet3DBackbone(
        copy.deepcopy(backbone.unet),
        backbone.vae,
        backbone.text_encoder,
        backbone.tokenizer,
        backbone.scheduler_config,
        backbone.spec,
    )
    for parameter in backbone.unet.parameters():
        parameter.zero_()
    assert torch.equal(evaluate(twin), expected)
    assert not evaluate(backbone).any()


@pytest.mark.parametrize("speed", ["fast", "attention_2"])
def test_speed_modes(tiny_folder: Path, speed: str) -> None:
    settings = SampleSettings(3, 3.0, seed=0, width=32, height=32, num_frames=3, speed=speed)
    found = []
    for backbone in (load_unet3d(tiny_folder), compiled(tiny_folder)):
        contexts = [backbone.encode_prompt(prompt, None, 3) for prompt in ("a ball", "")]
        found.append(sample(backbone, contexts[0], contexts[1], settings))
    torch.testing.assert_close(found[1], found[0], atol=0.02 if speed == "fast" else 1e-3, rtol=0.02)


def test_gradients_take_the_plain_way(tiny_folder: Path, counted: None) -> None:
    backbone = compiled(tiny_folder)
    text = random(1, 2, 77, 32).requires_grad_()
    backbone.denoise(random(1, 4, 2, 4, 4), torch.tensor(5), ContextBatch(text)).square().mean().backward()
    assert text.grad is not None
    assert graphs() == 0


def test_attention_layers_are_those_after_the_first_transformer(tiny_folder: Path) -> None:
    unet = load_unet3d(tiny_folder).unet
    names = {id(module): name for name, module in unet.named_modules()}
    found = [names[id(layer)] for layer in attention_layers(unet)]
    assert len(found) == len(set(found)) == 2 * 2 * 4  # two layers in each of two transformers in four places
    assert all(name.endswith(("attn1", "attn2")) for name in found)
    assert not any(name.startswith("transformer_in") for name in found)


Checkpoint = Callable[[nn.Module], Callable[[], None]]


def gradient(kind: str, network: Any) -> Tensor:
    """The gradient of something that runs through the network."""
    if kind == "text":
        tokens = torch.linspace(-1, 1, TEXT_WIDTH).reshape(1, 1, -1).requires_grad_()
        encode_ids(network, torch.tensor([[0, 5, 100, 2]]), tokens, 100).square().sum().backward()
        assert tokens.grad is not None
        return tokens.grad
    text = torch.linspace(-1, 1, 2 * 3 * TEXT_WIDTH).reshape(1, 2, 3, -1).requires_grad_()
    denoise(network, torch.ones(1, 4, 2, 4, 4), 10, text).square().sum().backward()
    assert text.grad is not None
    return text.grad


@pytest.mark.parametrize(("kind", "wrap"), [("text", checkpoint_layers), ("unet", checkpoint_blocks)])
def test_checkpointing_twice_is_once(kind: str, wrap: Checkpoint, encoder: Any) -> None:
    torch.manual_seed(0)
    network = encoder if kind == "text" else tiny_unet().eval().requires_grad_(False)
    part = next(m for m in network.modules() if isinstance(m, CLIPEncoderLayer | DownBlock3D))
    inner = next(m for m in part.modules() if isinstance(m, nn.Linear))
    calls: list[int] = []
    handle = inner.register_forward_hook(lambda *_: calls.append(1))
    plain = gradient(kind, network)
    assert len(calls) == 1
    undo = wrap(network)
    second = wrap(network)
    torch.testing.assert_close(gradient(kind, network), plain)
    assert len(calls) == 1 + 2  # forward, and once more in backward
    second()
    assert is_replaced(part), "the second call put nothing on"
    undo()
    assert not is_replaced(part)
    torch.testing.assert_close(gradient(kind, network), plain)
    assert len(calls) == 1 + 2 + 1
    handle.remove()
