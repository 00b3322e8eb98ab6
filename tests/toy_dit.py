"""A throw-away second family of models: a tiny video DiT with a time-causal VAE and flow matching.

It has the facts of Wan 2.1: 16 latent channels, a latent stands for 8 x 8 pixels of 4 frames, the first frame
alone. Text is CLIP's; the tokens of a latent frame look at the text of that latent frame. Only tests know it.

Legend: B branches or clips, c latent channels, F video frames, f latent frames, h w latent size, N tokens, n
tokens of a latent frame, H W picture size, L text positions, C text width, D token width, E model width.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as nnf
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from a2v_core.backbones import (
    DTYPES,
    PARTS,
    BackboneSpec,
    Grid,
    Part,
    check_folder,
    fingerprint_of,
    read_json,
)
from a2v_core.backbones.diffusers_folder import DIFFUSERS_STEM, read_weights
from a2v_core.checkpoints import load_strict
from a2v_core.errors import A2VError
from a2v_core.prompts import ContextBatch, FrameContext, encode_clips, encode_prompt
from a2v_core.schedules import FlowSchedule
from a2v_core.tokens import AudioTokens
from tests.golden_recipe import fill_module
from tests.tiny_t2v import TEXT_WIDTH, tiny_text_encoder, write_json, write_tokenizer

NAME = "ToyDiT"
CHANNELS, SPACE, TIME, PATCH = 16, 8, 4, 2
WIDTH, HEADS, BLOCKS = 48, 4, 2
SPEC = BackboneSpec(
    family="a toy DiT",
    latent_channels=CHANNELS,
    space=SPACE,
    size_multiple=SPACE * PATCH,
    native_frames=9,
    native_size=(32, 32),
    token_width=TEXT_WIDTH,
    latent_format="Wan21",
    time=TIME,
    first_alone=True,
)


def waves(places: Tensor, width: int) -> Tensor:
    """Sines and cosines of places or timesteps [N], [N, width]."""
    rates = 1000.0 ** -(torch.arange(width // 2, device=places.device) / (width // 2))
    angles = places.float()[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def shifted(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """Adaptive layer norm of tokens [B, N, E] by shift and scale [B, E]."""
    return nnf.layer_norm(x, x.shape[-1:]) * (1 + scale[:, None]) + shift[:, None]


class Attention(nn.Module):
    """Tokens [B, N, E] look at a context [B, M, C]."""

    def __init__(self, context_width: int) -> None:
        super().__init__()
        self.q, self.out = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.k, self.v = nn.Linear(context_width, WIDTH), nn.Linear(context_width, WIDTH)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        q, k, v = (
            y.unflatten(2, (HEADS, -1)).transpose(1, 2) for y in (self.q(x), self.k(context), self.v(context))
        )
        seen: Tensor = self.out(nnf.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
        return seen


class Block(nn.Module):
    """Self-attention over the clip, a look of every latent frame at its own text, MLP; AdaLN by the time."""

    def __init__(self) -> None:
        super().__init__()
        self.modulation = nn.Linear(WIDTH, 6 * WIDTH)
        self.itself, self.text = Attention(WIDTH), Attention(TEXT_WIDTH)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 2 * WIDTH), nn.GELU(), nn.Linear(2 * WIDTH, WIDTH))

    def forward(self, x: Tensor, time: Tensor, texts: Tensor) -> Tensor:
        """x [B, f * n, E], time [B, E], texts [B, f, L, C]."""
        shift, scale, gate, shift_2, scale_2, gate_2 = self.modulation(nnf.silu(time)).chunk(6, dim=1)
        y = shifted(x, shift, scale)
        x = x + gate[:, None] * self.itself(y, y)
        by_frame = x.unflatten(1, (texts.shape[1], -1)).flatten(0, 1)
        x = x + self.text(nnf.layer_norm(by_frame, (WIDTH,)), texts.flatten(0, 1)).reshape(x.shape)
        changed: Tensor = x + gate_2[:, None] * self.mlp(shifted(x, shift_2, scale_2))
        return changed


class ToyDiT(nn.Module):
    """The denoiser: patches of 1 x 2 x 2 latents, what it predicts is a flow."""

    def __init__(self) -> None:
        super().__init__()
        self.config = {"channels": CHANNELS, "width": WIDTH, "blocks": BLOCKS}
        self.patch, self.out = nn.Linear(PATCH**2 * CHANNELS, WIDTH), nn.Linear(WIDTH, PATCH**2 * CHANNELS)
        self.time = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.SiLU(), nn.Linear(WIDTH, WIDTH))
        self.blocks = nn.ModuleList(Block() for _ in range(BLOCKS))
        self.recomputes = False

    def forward(self, x: Tensor, t: Tensor, texts: Tensor) -> Tensor:
        """x [B, c, f, h, w], t [B], texts [B, f, L, C] -> flow [B, c, f, h, w]."""
        b, c, f, h, w = x.shape
        cut = x.reshape(b, c, f, h // PATCH, PATCH, w // PATCH, PATCH).permute(0, 2, 3, 5, 1, 4, 6)
        tokens = (self.patch(cut.flatten(4)) + places(cut).to(x)).flatten(1, 3)
        time = self.time(waves(t, WIDTH).to(x))
        for block in self.blocks:
            if self.recomputes and torch.is_grad_enabled():
                tokens = checkpoint(block, tokens, time, texts, use_reentrant=False)
            else:
                tokens = block(tokens, time, texts)
        flow = self.out(nnf.layer_norm(tokens, (WIDTH,))).reshape(cut.shape)
        joined: Tensor = flow.permute(0, 4, 1, 2, 5, 3, 6).reshape(x.shape)
        return joined


def places(cut: Tensor) -> Tensor:
    """Where every patch of [B, f, rows, columns, ...] is, [f, rows, columns, E]."""
    sizes = cut.shape[1:4]
    each = [waves(torch.arange(size, device=cut.device), WIDTH // 3) for size in sizes]
    views = [
        wave.view(*(-1 if k == axis else 1 for k in range(3)), WIDTH // 3).expand(*sizes, -1)
        for axis, wave in enumerate(each)
    ]
    return torch.cat(views, dim=-1)


class ToyVAE(nn.Module):
    """4 frames of 8 x 8 pixels to a latent and back; a latent knows the one before it, never a later one.

    Latents are brought to a mean and a scale for every channel, as those of Wan are.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        cube = (TIME, SPACE, SPACE)
        self.shrink, self.grow = nn.Conv3d(3, 8, cube, cube), nn.ConvTranspose3d(8, 3, cube, cube)
        self.see, self.tell = nn.Conv3d(8, CHANNELS, (2, 1, 1)), nn.Conv3d(CHANNELS, 8, (2, 1, 1))
        channels = torch.linspace(-1, 1, CHANNELS).view(-1, 1, 1, 1)
        self.register_buffer("mean", channels / 4, persistent=False)
        self.register_buffer("scale", 1 + channels / 2, persistent=False)

    def encode(self, pixels: Tensor, chunk: int) -> Tensor:
        """Pixels [1, 3, F, H, W] in -1..1 to latents [1, c, f, h, w], `chunk` latent frames at once."""
        first = pixels[:, :, :1]
        whole = torch.cat([first] * (TIME - 1) + [pixels], dim=2)
        seen = torch.cat([self.shrink(part) for part in whole.split(TIME * chunk, dim=2)], dim=2)
        latents: Tensor = (self.see(torch.cat([seen[:, :, :1], seen], dim=2)) - self.mean) / self.scale
        return latents

    def decode(self, latents: Tensor, chunk: int) -> Iterator[Tensor]:
        """Latents [1, c, f, h, w] to pixels [1, 3, k, H, W] in about -1..1, `chunk` latent frames at once."""
        latents = latents * self.scale + self.mean
        latents = torch.cat([latents[:, :, :1], latents], dim=2)
        for start in range(0, latents.shape[2] - 1, chunk):
            told = self.tell(latents[:, :, start : start + chunk + 1])
            pixels: Tensor = 4 * self.grow(nnf.silu(told))
            yield pixels if start else pixels[:, :, TIME - 1 :]


@dataclass
class ToyBackbone:
    """The toy as `Backbone` and `Recompute`; what was not loaded is None."""

    dit: Any
    vae: Any
    text_encoder: Any
    tokenizer: Any
    shift: float = 3.0
    spec: BackboneSpec = SPEC

    @property
    def device(self) -> torch.device:
        device: torch.device = next((self.vae if self.dit is None else self.dit).parameters()).device
        return device

    def parts(self) -> Mapping[Part, Sequence[nn.Module]]:
        parts: dict[Part, Any] = {"text": self.text_encoder, "denoiser": self.dit, "vae": self.vae}
        return {name: (network,) for name, network in parts.items() if network is not None}

    def encode_prompt(self, prompt: str, audio_tokens: AudioTokens | None, num_frames: int) -> FrameContext:
        f = self.spec.grid(num_frames, *self.spec.native_size).frames
        if audio_tokens is not None:
            if audio_tokens.num_frames != num_frames:
                raise A2VError(f"The audio tokens are for {audio_tokens.num_frames} frames, not {num_frames}")
            words = {word: self._by_latent(rows) for word, rows in audio_tokens.words.items()}
            audio_tokens = AudioTokens(words, audio_tokens.fps / self.spec.time)
        return encode_prompt(self.text_encoder, self.tokenizer, prompt, audio_tokens, f)

    def encode_texts(self, prompts: Sequence[str], words: Mapping[str, Tensor]) -> ContextBatch:
        by_latent = {word: self._by_latent(rows) for word, rows in words.items()}
        return ContextBatch(encode_clips(self.text_encoder, self.tokenizer, prompts, by_latent))

    def denoise(self, x: Tensor, t: Tensor, context: ContextBatch) -> Tensor:
        weight = self.dit.patch.weight
        x = x.to(weight).expand(len(context), -1, -1, -1, -1)
        t = t.to(weight.device).reshape(-1).expand(len(context))
        flow: Tensor = self.dit(x, t, context.states.to(weight))
        return flow

    @torch.no_grad()
    def decode(self, latents: Tensor, chunk: int) -> Iterator[Tensor]:
        for pixels in self.vae.decode(latents.to(self.vae.see.weight), chunk):
            yield (pixels[0].float() / 2 + 0.5).clamp(0, 1).permute(1, 2, 3, 0).contiguous().cpu()

    @torch.no_grad()
    def encode(self, frames: Tensor, chunk: int) -> Tensor:
        self.spec.grid(frames.shape[0], frames.shape[2], frames.shape[1])
        pixels = (frames * 2 - 1).permute(3, 0, 1, 2)[None].to(self.vae.see.weight)
        latents: Tensor = self.vae.encode(pixels, chunk).float().cpu()
        return latents

    def schedule(self, name: str, steps: int, seed: int) -> FlowSchedule:
        return FlowSchedule(name, steps, seed, shift=self.shift, device=self.device)

    def work_bytes(self, part: Part, grid: Grid, branches: int = 1) -> int:
        tokens = grid.frames * grid.height * grid.width // PATCH**2
        return {"text": 0, "denoiser": branches * tokens * 40 * WIDTH, "vae": tokens * 4 * TIME * SPACE**2}[
            part
        ]

    def cancel_points(self) -> Iterable[nn.Module]:
        return list(self.dit.blocks)

    def fingerprint(self) -> bytes:
        return fingerprint_of(self.dit, {**self.dit.config, "shift": self.shift})

    def recompute_activations(self) -> Callable[[], None]:
        self.dit.recomputes = True

        def undo() -> None:
            self.dit.recomputes = False

        return undo

    def _by_latent(self, rows: Tensor) -> Tensor:
        """Tokens [..., F, D] to the mean of those that a latent frame stands for, [..., f, D]."""
        spans = map(self.spec.frames_of, range(self.spec.latent_frames(rows.shape[-2])))
        return torch.stack([rows[..., span.start : span.stop, :].mean(-2) for span in spans], dim=-2)


def make_toy_dit(folder: Path) -> Path:
    """Write the toy in the diffusers layout, with recipe weights, and return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "model_index.json", {"_class_name": "ToyPipeline", "transformer": ["tests", NAME]})
    write_json(folder / "scheduler" / "scheduler_config.json", {"shift": 3.0})
    encoder = tiny_text_encoder(write_tokenizer(folder / "tokenizer"))
    networks = {"transformer": ToyDiT(), "vae": ToyVAE(), "text_encoder": encoder}
    for part, network in networks.items():
        config = encoder.config.to_dict() if part == "text_encoder" else {}
        write_json(folder / part / "config.json", {"_class_name": type(network).__name__, **config})
        save_file(fill_module(network.state_dict()), folder / part / f"{DIFFUSERS_STEM}.safetensors")
    return folder


def load_toy_dit(folder: Path, dtype: str = "fp32", parts: Collection[Part] = PARTS) -> ToyBackbone:
    """The loader of the family, as `FAMILIES` wants it."""
    from transformers import CLIPTokenizer

    check_folder(folder)
    tokenizer = CLIPTokenizer.from_pretrained(str(folder / "tokenizer"), local_files_only=True)
    makers: dict[Part, tuple[str, Callable[[], nn.Module]]] = {
        "denoiser": ("transformer", ToyDiT),
        "vae": ("vae", ToyVAE),
        "text": ("text_encoder", lambda: tiny_text_encoder(len(tokenizer))),
    }
    loaded: dict[Part, Any] = {}
    for part in parts:
        place, make = makers[part]
        tensors, path = read_weights(folder / place, (DIFFUSERS_STEM,))
        network = make().to(DTYPES[dtype])
        load_strict(network, tensors, path, NAME)
        loaded[part] = network.eval().requires_grad_(False)
    shift = float(read_json(folder / "scheduler" / "scheduler_config.json")["shift"])
    return ToyBackbone(loaded.get("denoiser"), loaded.get("vae"), loaded.get("text"), tokenizer, shift)
