"""Random Wan models in ComfyUI's own layout and audio adapters for them, in several sizes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file

from a2v_core.audio import load_beats
from a2v_core.backbones.dit import AdapterConfig, AudioAdapter, every_third, save_adapter
from a2v_core.backbones.wan import core_transformer
from a2v_core.demo import demo_path
from a2v_core.tokens import AudioMapper, MapperConfig


@dataclass(frozen=True)
class Size:
    """A Wan and its audio adapter.

    heads of 128 each make the width; frames, width, height  of the clip: video frames and pixels
    """

    heads: int
    layers: int
    ffn: int
    token_width: int
    inner: int
    adapter_heads: int
    frames: int
    width: int
    height: int


# mid: blocks of Wan 2.1 1.3B, which has 30 of them.
SIZES = {
    "tiny": Size(2, 6, 1024, token_width=128, inner=128, adapter_heads=2, frames=25, width=64, height=64),
    "mid": Size(12, 8, 8960, token_width=1024, inner=384, adapter_heads=6, frames=17, width=128, height=128),
}
# Wan 2.1 1.3B itself: for a GPU.
FULL = Size(12, 30, 8960, token_width=1024, inner=384, adapter_heads=6, frames=81, width=832, height=480)


def write_models(models: Path, size: Size, device: torch.device | str = "cpu") -> None:
    """`wan.safetensors` in models/diffusion_models and models/a2v_audio_adapters: noise, but no zeros.

    The random numbers are drawn on `device`.
    """
    from diffusers import WanTransformer3DModel

    networks, adapters = models / "diffusion_models", models / "a2v_audio_adapters"
    for folder in (networks, adapters):
        folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    with torch.device(device):
        transformer = WanTransformer3DModel(
            num_attention_heads=size.heads,
            attention_head_dim=128,
            ffn_dim=size.ffn,
            num_layers=size.layers,
            rope_max_seq_len=64,
        )
    weights = {name: weight.cpu() for name, weight in transformer.bfloat16().state_dict().items()}
    save_file(core_transformer(weights), networks / "wan.safetensors")
    save_adapter(adapters / "wan.safetensors", _adapter(size))


def _adapter(size: Size) -> AudioAdapter:
    beats = load_beats(demo_path("beats")).config
    mapper = AudioMapper(
        MapperConfig(
            input_size=beats.encoder_layers * beats.encoder_embed_dim,
            output_size=size.token_width,
            layout="time_aligned",
        )
    )
    config = AdapterConfig(
        family="Wan",
        base_model="noise",
        width=128 * size.heads,
        layers=size.layers,
        blocks=every_third(size.layers),
        time=4,
        first_alone=True,
        token_width=size.token_width,
        inner=size.inner,
        heads=size.adapter_heads,
    )
    adapter = AudioAdapter(config, mapper)
    for parameter in adapter.attention.parameters():  # zeros would be no work for some kernels
        torch.nn.init.normal_(parameter, std=0.02)
    return adapter
