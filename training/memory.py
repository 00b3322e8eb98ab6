"""Memory of a training of an audio adapter, computed before anything is loaded.

    python -m training.memory CONFIG [--set a.b=c] [--published]

For models of the Wan family. --published takes the sizes of Wan 2.1 1.3B instead of the config's model, which
then need not be there. What is counted: weights of the frozen denoiser, the adapter with gradient, AdamW and
EMA, and what one batch needs at its peak; with a cache neither UMT5 nor the VAE is in memory. A GPU needs
about 1 GB more for its libraries. Counted for the route frame_attention: bias takes less, words more.
`benchmarks.adapter_memory` compares it with what smaller models take.

Legend: C width of the model, N video tokens of a batch, E inner width of the adapter, L text positions.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from a2v_core.backbones import BackboneSpec, BlockStack, load_t2v, read_json
from a2v_core.backbones.dit import WAN, AdapterConfig, AudioAdapter
from a2v_core.tokens import AudioMapper

from .cli import exit_status
from .config import Config, load_config
from .errors import ConfigError

TEXT_POSITIONS = 512
BEATS_LAYERS, BEATS_WIDTH = 12, 768
ITEM_BYTES = {"fp32": 4, "bf16": 2, "fp16": 2}
# Wan 2.1 1.3B, as its transformer/config.json has it.
PUBLISHED: Mapping[str, Any] = {
    "num_attention_heads": 12,
    "attention_head_dim": 128,
    "in_channels": 16,
    "out_channels": 16,
    "text_dim": 4096,
    "freq_dim": 256,
    "ffn_dim": 8960,
    "num_layers": 30,
    "cross_attn_norm": True,
    "qk_norm": "rms_norm_across_heads",
}


@dataclass(frozen=True)
class Memory:
    """Bytes: frozen weights; adapter with gradient, AdamW and EMA; the peak of a batch."""

    frozen: int
    trained: int
    batch: int

    @property
    def total(self) -> int:
        """All together."""
        return self.frozen + self.trained + self.batch


@dataclass(frozen=True)
class Denoiser:
    """Sizes of a Wan denoiser. C, width of its MLP, blocks; bytes of a value and of all its weights."""

    width: int
    mlp: int
    blocks: int
    item: int
    weights: int

    @classmethod
    def of(cls, config: Mapping[str, Any], precision: str) -> Denoiser:
        """From transformer/config.json."""
        from diffusers import WanTransformer3DModel

        known = {key: value for key, value in config.items() if not key.startswith("_")}
        with torch.device("meta"):
            model = WanTransformer3DModel(**known)
        item, in_fp32 = ITEM_BYTES[precision], set(model._keep_in_fp32_modules)
        weights = sum(
            parameter.numel() * (4 if in_fp32 & set(name.split(".")) else item)
            for name, parameter in model.named_parameters()
        )
        return cls(
            config["num_attention_heads"] * config["attention_head_dim"],
            config["ffn_dim"],
            config["num_layers"],
            item,
            weights,
        )


def memory_of(config: Config, denoiser: Denoiser, spec: BackboneSpec, text_width: int) -> Memory:
    """Of a training by a config. A2VError for a length or size of clips that the model does not have."""
    from .loop.trained_adapter import adapter_config
    from .loop.trained_mapper import mapper_config

    data, options = config.data, config.adapter
    own = adapter_config(config, spec, BlockStack(denoiser.blocks, denoiser.width, text_width))
    layers = len(config.cache.layers) or BEATS_LAYERS
    with torch.device("meta"):
        mapper = AudioMapper(mapper_config(config, BEATS_WIDTH, layers, options.token_width))
        adapter = AudioAdapter(own, mapper)
    values = sum(parameter.numel() for parameter in adapter.parameters())
    copies = 4 if config.optimizer.ema_decay is None else 5  # weights, gradient, two moments, EMA
    grid = spec.grid(data.num_frames, data.width, data.height)
    tokens = config.run.batch_size * grid.frames * grid.height * grid.width // 4
    peak = batch_bytes(
        denoiser, own, tokens, config.run.batch_size, recompute=config.run.gradient_checkpointing
    )
    return Memory(denoiser.weights, 4 * copies * values, peak)


def batch_bytes(
    denoiser: Denoiser, adapter: AdapterConfig, tokens: int, clips: int, *, recompute: bool
) -> int:
    """The most that forward and backward of a batch of N tokens need at once, weights apart.

    Of every block after the first with audio, backward needs (24 + 6 b) C + b M bytes a token, where b are
    the bytes of a value and M the width of the MLP, and 2 b L C for the text; of every layer of the adapter
    16 C + 12 E a token. Recomputed, only the inputs stay, b C a token of a block and 4 C of a layer, and one
    block at a time has the rest. 22 C + 1.75 b M a token are for the work itself. The numbers were counted in
    diffusers' Wan and are a little high: by up to a sixth on models of width 256 and 512.
    """
    width, item = denoiser.width, denoiser.item
    block = tokens * ((24 + 6 * item) * width + item * denoiser.mlp)
    block += clips * 2 * item * TEXT_POSITIONS * width
    layer = tokens * (16 * width + 12 * adapter.inner)
    work = round(tokens * (22 * width + 1.75 * item * denoiser.mlp))
    blocks, layers = denoiser.blocks - adapter.blocks[0] - 1, len(adapter.blocks)
    if recompute:
        return tokens * width * (item * blocks + 4 * layers) + max(block, layer) + work
    return blocks * block + layers * layer + work


def as_text(memory: Memory) -> str:
    """The report for people."""
    rows = {
        "frozen denoiser": memory.frozen,
        "adapter, gradient, AdamW, EMA": memory.trained,
        "a batch at its peak": memory.batch,
        "together": memory.total,
    }
    return "\n".join(f"{name:32}{count / 1e9:8.2f} GB" for name, count in rows.items())


def report(path: str, overrides: Sequence[str], published: bool) -> str:
    """What the command prints."""
    config = load_config(path, overrides)
    sizes, spec = (PUBLISHED, WAN.spec) if published else _sizes(config.models.t2v)
    denoiser = Denoiser.of(sizes, config.run.precision)
    return as_text(memory_of(config, denoiser, spec, int(sizes["text_dim"])))


def _sizes(folder: Path) -> tuple[Mapping[str, Any], BackboneSpec]:
    spec = load_t2v(folder, parts=[]).spec
    if spec.audio != "frame_attention":
        raise ConfigError(
            f"{folder}: {spec.family} takes no audio adapter; the memory of training one is computed for Wan"
        )
    return read_json(folder / "transformer" / "config.json"), spec


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status, 1 for bad input."""
    parser = argparse.ArgumentParser(
        prog="python -m training.memory",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("config", metavar="CONFIG", help="YAML file, see docs/training.md")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override a value")
    parser.add_argument("--published", action="store_true", help="the sizes of Wan 2.1 1.3B")
    options = parser.parse_args(arguments)

    def job() -> int:
        print(report(options.config, options.set, options.published))
        return 0

    return exit_status(job)


if __name__ == "__main__":
    sys.exit(main())
