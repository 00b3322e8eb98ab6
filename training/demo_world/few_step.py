"""Distils the demo text-to-video model into a LoRA that samples in a few steps, without guidance.

Reflow (arXiv 2209.03003, for diffusion models 2309.06380): the teacher, the frozen model with guidance and 20
steps, samples a video from every initial noise; the LoRA then learns to predict that video from any point on
the straight path between the two. Each noise has one video, so nothing is averaged, and few steps suffice.

Legend: B clips, F frames, L text positions, C text width, c latent channels, h w latent size.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from a2v_core.backbones import load_t2v, to_device
from a2v_core.checkpoints import read_checkpoint, write_safetensors
from a2v_core.pipeline import VideoPipeline, VideoRequest
from a2v_core.prompts import ContextBatch
from a2v_core.sampling import SampleSettings, Speed
from a2v_core.tokens import AudioTokens, load_mapper

from ..parts import PredictionError
from .fitting import device, fit
from .mapper import POOL, encode_pool, pool_scene, prompt
from .world import FPS, NUM_FRAMES, clip_caption

PAIRS = 1000
BLOCK = 50  # pairs in one file
TEACHER = Speed("guidance every second step, bf16", guidance_every=2, bfloat16=True)
TEACHER_STEPS = 20
GUIDANCE = 3.0
TEXT_ONLY = 0.3  # share of the pairs whose prompt has no sound
CLIPS = 4
RANK = 12  # 1.7 MB
PURE_NOISE = 0.35  # share of the clips at the last timestep, which matters most
LOWEST_TIMESTEP = 200  # below, the teacher is good enough


class LowRank(nn.Module):
    """LoRA of one weight: weight + up @ down, for Linear, Conv2d and Conv3d."""

    def __init__(self, weight: Tensor, rank: int) -> None:
        super().__init__()
        rank = min(rank, weight.shape[0], weight[0].numel())
        self.up = nn.Parameter(torch.zeros(weight.shape[0], rank, *[1] * (weight.ndim - 2)))
        self.down = nn.Parameter(torch.empty(rank, *weight.shape[1:]))
        nn.init.kaiming_uniform_(self.down, a=5**0.5)

    def forward(self, weight: Tensor) -> Tensor:
        return weight + (self.up.flatten(1) @ self.down.flatten(1)).view_as(weight)


def add_low_rank(unet: nn.Module, rank: int) -> dict[str, LowRank]:
    """Freezes a UNet and adds a zero-initialised LoRA to every layer; returns them by layer name."""
    unet.requires_grad_(False)
    loras = {}
    for name, layer in list(unet.named_modules()):
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.Conv3d):
            loras[name] = LowRank(layer.weight, rank)
            parametrize.register_parametrization(layer, "weight", loras[name])
    return loras


def named_tensors(loras: dict[str, LowRank]) -> dict[str, Tensor]:
    """The LoRAs as tensors of a file: `<layer>.lora_up.weight` and `lora_down`, half precision."""
    tensors = {}
    for name, lora in loras.items():
        tensors[f"{name}.lora_up.weight"] = lora.up.detach().half().contiguous()
        tensors[f"{name}.lora_down.weight"] = lora.down.detach().half().contiguous()
    return tensors


def initial_noise(number: int, shape: tuple[int, ...]) -> Tensor:
    """Initial noise of pair `number`."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(number))


@torch.no_grad()
def sample_pairs(work: Path, first: int) -> dict[str, Tensor]:
    """Pairs `first` to `first + BLOCK`: {"context": [BLOCK, F, L, C], "clean": [BLOCK, c, F, h, w]}, float16.

    Sampled once and cached in `work/few_step`.
    """
    path = work / "few_step" / f"{first:05d}.safetensors"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        backbone = load_t2v(work / "t2v", "fp32")
        to_device(backbone, device())
        mapper, pool = load_mapper(work / "mapper.safetensors").to(device()), encode_pool(work, POOL)
        pipeline = VideoPipeline(backbone)
        contexts, clean = [], []
        for number in range(first, first + BLOCK):
            scene, _ = pool_scene(number % POOL)
            rng = np.random.default_rng([8, number])
            words = tokens = None
            if rng.random() >= TEXT_ONLY:
                features = pool["features"][number % POOL, None]
                words = mapper(features, pool["times"], NUM_FRAMES, FPS)
                tokens = AudioTokens({word: piece[0] for word, piece in words.items()}, fps=FPS)
            text = prompt(scene, rng) if words else clip_caption(scene, rng)
            # The sampler's noise of this seed is `initial_noise`.
            settings = SampleSettings(TEACHER_STEPS, GUIDANCE, seed=number, speed=TEACHER)
            request = VideoRequest(text, tokens, settings=settings).resolved(pipeline.spec)
            texts = pipeline.encode(request)
            clean.append(pipeline.sample(request, texts)[0])
            contexts.append(texts.prompt.per_frame)
        write_safetensors(
            path, {"context": torch.stack(contexts).half(), "clean": torch.stack(clean).half()}, {}
        )
    return {name: value.to(device()) for name, value in read_checkpoint(path).tensors.items()}


def train(work: Path, steps: int = 2000, minutes: float = 0.0) -> None:
    """Samples the pairs, fits the LoRA and writes `work/few_steps.safetensors`."""
    blocks = [sample_pairs(work, first) for first in range(0, PAIRS, BLOCK)]
    pairs = {key: torch.cat([block[key] for block in blocks]) for key in ("context", "clean")}
    torch.manual_seed(0)
    backbone = load_t2v(work / "t2v", parts=["denoiser"])
    (unet,) = backbone.parts()["denoiser"]
    loras = add_low_rank(unet, RANK)
    unet.to(device())
    prediction = PredictionError.of(backbone)
    last = prediction.schedule.train_timesteps - 1

    def loss(step: int) -> dict[str, Tensor]:
        unet.eval()
        rng = np.random.default_rng([9, step])
        chosen = rng.integers(PAIRS, size=CLIPS)
        clean = pairs["clean"][chosen].float()
        noise = torch.stack([initial_noise(int(n), tuple(clean.shape[1:])) for n in chosen]).to(clean)
        t = torch.from_numpy(rng.integers(LOWEST_TIMESTEP, last + 1, size=CLIPS)).to(clean.device)
        t[torch.from_numpy(rng.random(CLIPS) < PURE_NOISE).to(clean.device)] = last
        context = ContextBatch(pairs["context"][chosen].float())
        error = prediction.per_clip(clean, noise, t, context)
        start = t == last
        return {"loss": error.mean(), "start": error[start].sum() / start.sum().clamp(min=1)}

    weights = fit("few_step", work, unet, loss, steps=steps, learning_rate=6e-4, decay=0.99, minutes=minutes)
    unet.load_state_dict(weights)
    write_safetensors(work / "few_steps.safetensors", named_tensors(loras), {})
