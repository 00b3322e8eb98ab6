"""The tiny Wan in 8 bits, in bfloat16 for a while, offloaded and compiled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from a2v_core.backbones import (
    CompiledBlocks,
    HalfPrecision,
    OffloadedWeights,
    Recompute,
    load_t2v,
    require,
)
from a2v_core.backbones.wan import WanBackbone
from a2v_core.backbones.wan.patches import compile_blocks
from a2v_core.layers import is_replaced
from tests.backbones.wan.clip import FRAMES, PROMPT, adapter, predict, tokens_of


def some_flow(wan: WanBackbone) -> Tensor:
    """What it predicts for some noise and text, in float32."""
    return predict(wan, wan.encode_prompt(PROMPT, None, FRAMES)).float()


def change(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().mean() / other.abs().mean())


@torch.no_grad()
def test_weights_in_8_bits(folder: Path, wan: WanBackbone) -> None:
    """Those of the blocks; what diffusers keeps in float32 stays so."""
    small = load_t2v(folder, "fp8")
    assert isinstance(small, WanBackbone)
    (denoiser,) = small.denoisers
    dtypes = {name: value.dtype for name, value in denoiser.state_dict().items()}
    assert dtypes["blocks.0.attn1.to_q.weight"] == torch.float8_e4m3fn
    assert dtypes["blocks.2.ffn.net.0.proj.weight"] == torch.float8_e4m3fn
    assert dtypes["patch_embedding.weight"] == torch.bfloat16
    assert dtypes["condition_embedder.time_embedder.linear_1.weight"] == torch.float32
    assert dtypes["blocks.0.scale_shift_table"] == torch.float32
    half = load_t2v(folder, "bf16")
    assert isinstance(half, WanBackbone)
    exact = some_flow(wan)
    assert 0 < change(some_flow(half), exact) < change(some_flow(small), exact) < 0.1
    small.adapter = adapter().to(torch.bfloat16)
    heard = small.encode_prompt(PROMPT, tokens_of(FRAMES), FRAMES)
    assert change(predict(small, heard).float(), some_flow(small)) > 0.01


@torch.no_grad()
def test_bfloat16_for_a_while(folder: Path, wan: WanBackbone) -> None:
    half = load_t2v(folder, "bf16")
    assert isinstance(half, WanBackbone)
    before, context = some_flow(wan), wan.encode_prompt(PROMPT, None, FRAMES)
    with wan.bfloat16("denoiser"):
        near = predict(wan, context)
        assert wan.denoisers[0].scale_shift_table.dtype == torch.float32
        assert wan.denoisers[0].rope.freqs_cos.dtype == half.denoisers[0].rope.freqs_cos.dtype
    assert torch.equal(near, predict(half, context))
    assert torch.equal(some_flow(wan), before)
    wan.adapter, half.adapter = adapter(), adapter().to(torch.bfloat16)
    heard = wan.encode_prompt(PROMPT, tokens_of(FRAMES), FRAMES)
    with wan.bfloat16("denoiser"):
        assert torch.equal(predict(wan, heard), predict(half, heard))
    with wan.bfloat16("text"):
        assert change(wan.encode_prompt(PROMPT, None, FRAMES).states.float(), context.states) > 0


@torch.no_grad()
def test_offloaded_and_compiled(folder: Path, wan: WanBackbone) -> None:
    wan.adapter = adapter()
    context = wan.encode_prompt(PROMPT, tokens_of(FRAMES), FRAMES)
    before = predict(wan, context)
    undo = wan.offload_weights("cpu")
    assert torch.equal(predict(wan, context), before)
    undo()
    undo = compile_blocks(wan.denoisers, "eager")
    assert all(is_replaced(block) for block in wan.denoisers[0].blocks)
    torch.testing.assert_close(predict(wan, context), before, atol=1e-5, rtol=1e-5)
    undo()
    assert torch.equal(predict(wan, context), before)
    able: tuple[Any, ...] = (CompiledBlocks, HalfPrecision, OffloadedWeights, Recompute)
    for capability in able:
        assert require(wan, capability, "a test") is wan
