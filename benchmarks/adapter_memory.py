"""Memory of a training step of an audio adapter: what `training.memory` computes against what is allocated.

    python -m benchmarks.adapter_memory [--width C] [--blocks N] [--mlp M] [--frames F] [--side PX] [--json]

A Wan with random weights, in bf16 and fp32, with and without gradient checkpointing; one clip of F latent
frames. Counted is every allocation of forward and backward on the CPU, weights and gradients apart, by
torch's profiler.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from a2v_core.backbones.dit import AdapterConfig, AudioAdapter, audio_in_blocks, every_third
from a2v_core.layers import checkpoint_modules
from a2v_core.tokens import AudioMapper, MapperConfig
from training.memory import TEXT_POSITIONS, Denoiser, batch_bytes

from .machine import describe_machine

HEAD, TEXT_WIDTH, TOKEN_WIDTH, INNER = 128, 64, 64, 128
DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}


def compare(
    width: int, blocks: int, mlp: int, frames: int, side: int, precision: str, *, recompute: bool
) -> dict[str, Any]:
    """Bytes of a step, `computed` and `measured`, of a model of width C and clips of side x side pixels."""
    from diffusers import WanTransformer3DModel

    config = {
        "num_attention_heads": width // HEAD,
        "attention_head_dim": HEAD,
        "ffn_dim": mlp,
        "num_layers": blocks,
        "text_dim": TEXT_WIDTH,
        "qk_norm": "rms_norm_across_heads",
        "cross_attn_norm": True,
    }
    torch.manual_seed(0)
    model, dtype = WanTransformer3DModel(**config), DTYPES[precision]
    torch.nn.Module.to(model, dtype).eval().requires_grad_(False)
    for name, parameter in model.named_parameters():
        if set(model._keep_in_fp32_modules) & set(name.split(".")):
            parameter.data = parameter.data.float()
    adapter = _adapter(width, blocks)
    if recompute:
        checkpoint_modules([*model.blocks, *adapter.attention.layers()])
    latent = side // 8
    x = torch.randn(1, 16, frames, latent, latent, dtype=dtype)
    text = torch.randn(1, TEXT_POSITIONS, TEXT_WIDTH, dtype=dtype)
    tokens = torch.randn(1, frames, 24, TOKEN_WIDTH, dtype=dtype, requires_grad=True)

    def step() -> None:
        with audio_in_blocks(model.blocks, adapter, tokens, torch.ones(1, 1)):
            flow = model(x, torch.tensor([500]), text, return_dict=False)[0]
            flow.float().square().mean().backward()

    step()  # what is made once, gradients among it
    count = frames * (latent // 2) ** 2
    sizes = Denoiser.of(config, precision)
    computed = batch_bytes(sizes, adapter.config, count, 1, recompute=recompute)
    return {
        "precision": precision,
        "checkpointing": recompute,
        "computed": computed,
        "measured": peak_bytes(step),
    }


def peak_bytes(work: Callable[[], None]) -> int:
    """The most that is allocated at once on the CPU while it runs, beyond what was there."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        work()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        profiled.export_chrome_trace(str(path))
        events = json.loads(path.read_text())["traceEvents"]
    changes = [(event["ts"], event["args"]["Bytes"]) for event in events if event.get("name") == "[memory]"]
    now = most = 0
    for _, change in sorted(changes, key=itemgetter(0)):
        now += change
        most = max(most, now)
    return most


def _adapter(width: int, blocks: int) -> AudioAdapter:
    config = AdapterConfig(
        family="Wan",
        base_model="random",
        width=width,
        layers=blocks,
        blocks=every_third(blocks),
        time=4,
        first_alone=True,
        token_width=TOKEN_WIDTH,
        inner=INNER,
        heads=2,
    )
    return AudioAdapter(
        config, AudioMapper(MapperConfig(input_size=8, hidden_size=8, output_size=TOKEN_WIDTH))
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.adapter_memory",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name, value, meaning in (
        ("width", 512, "width of the model, divisible by 128"),
        ("blocks", 8, "blocks of the model"),
        ("mlp", 2048, "width of the MLP"),
        ("frames", 5, "latent frames"),
        ("side", 256, "pixels of a side"),
    ):
        parser.add_argument(f"--{name}", type=int, default=value, help=f"{meaning} (default: {value})")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args(arguments)
    sizes = (chosen.width, chosen.blocks, chosen.mlp, chosen.frames, chosen.side)
    rows = [compare(*sizes, name, recompute=on) for name in DTYPES for on in (True, False)]
    if chosen.json:
        print(json.dumps({"rows": rows, "machine": describe_machine()}, indent=2))
        return 0
    for row in rows:
        kind = "checkpointing" if row["checkpointing"] else "no checkpointing"
        measured, computed = (row[key] / 2**20 for key in ("measured", "computed"))
        print(
            f"{row['precision']}, {kind:18} measured {measured:8.0f} MiB, computed {computed:8.0f} MiB "
            f"({computed / measured:.2f})"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
