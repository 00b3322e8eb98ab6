"""A long video through a stock UNet3DConditionModel: layer by layer over all frames, a few at a time.

What a layer needs decides what it gets. Spatial layers see one frame: they run on a few frames at once.
Temporal convolutions see the frames before and after: a few frames and one more at both ends. Temporal
attention sees all frames, but one pixel: it runs on a few pixels, in windows over the frames (FreeNoise,
arXiv 2310.15169, section 3.3: attention is fused, projections and feed-forward layers run once per frame).
Group normalisation over time takes the moments of all frames first. So everything but attention's windows is
what the UNet itself computes, and the memory for work is that of one short clip; only one copy of the running
activations and the skip connections grow with the video.

Legend: F frames, C channels, h w latent size, P pixels, L text positions, W windows, n frames of a window.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as nnf
from torch import Tensor

from ..windows import Windows


@dataclass(frozen=True)
class Plan:
    """How the work is cut. windows: on the UNet's device. chunk: frames at once. store: where frames wait."""

    windows: Windows
    chunk: int
    device: torch.device
    store: torch.device
    closed_loop: bool = False


def waiting_bytes(unet: Any, latents: Tensor) -> int:
    """About what of a video [F, 4, h, w] waits between layers: its skip connections and three activations."""
    first, level, pixels = 4, 0, latents.shape[-2] * latents.shape[-1]
    values = first * int(unet.config.block_out_channels[0]) * pixels
    for block in unet.down_blocks:
        width = int(block.resnets[-1].out_channels)
        values += len(block.resnets) * width * pixels // 4**level
        if block.downsamplers:
            level += 1
            values += width * pixels // 4**level
    return values * len(latents) * int(next(unet.parameters()).element_size())


@torch.no_grad()
def denoise_long(unet: Any, latents: Tensor, t: Tensor, texts: Tensor, plan: Plan) -> Tensor:
    """What the UNet predicts for one long video under B texts: latents [F, 4, h, w], one timestep t, texts
    [B, F, L, C].

    The forward of diffusers' UNet3DConditionModel, step by step; the first layers, which see no text, run
    once for all texts. Returns [B, F, 4, h, w] on `plan.store`.
    """
    dtype = next(unet.parameters()).dtype
    latents, texts = latents.to(plan.store, dtype), texts.to(dtype=dtype)
    time = unet.time_proj(t.to(plan.device).reshape(1)).to(dtype)
    emb = unet.time_embedding(time)
    # Sizes that are not divisible make the UNet upsample to the size of the skip connection.
    fits = all(size % 2**unet.num_upsamplers == 0 for size in latents.shape[-2:])

    x = _frames(plan, unet.conv_in, latents)
    x = _temporal_transformer(plan, unet.transformer_in, x)
    first = _layers(unet.down_blocks[0])[0]
    moved = _temporal_conv(plan, first.temporal_conv, _resnet(plan, first.resnet, emb, x))
    return torch.stack([_denoise(plan, unet, emb, text, x, moved, fits) for text in texts])


def _denoise(
    plan: Plan, unet: Any, emb: Tensor, text: Tensor, x: Tensor, moved: Tensor, fits: bool
) -> Tensor:
    """All that follows the first layers: x is what the first block gets, moved what its first pair made."""
    skips = [x]
    for block in unet.down_blocks:
        for layer in _layers(block):
            x = _attend(plan, layer, text, moved) if len(skips) == 1 else _layer(plan, layer, emb, text, x)
            skips.append(x)
        for downsampler in block.downsamplers or ():
            x = _frames(plan, downsampler, x)
            skips.append(x)
    resnet, temporal = unet.mid_block.resnets[0], unet.mid_block.temp_convs[0]
    x = _temporal_conv(plan, temporal, _resnet(plan, resnet, emb, x))
    for layer in _middle_layers(unet.mid_block):
        x = _layer(plan, layer, emb, text, x)
    for number, block in enumerate(unet.up_blocks):
        for layer in _layers(block):
            x = _layer(plan, layer, emb, text, x, skips.pop())
        size = None if fits or number == len(unet.up_blocks) - 1 else skips[-1].shape[2:]
        for upsampler in block.upsamplers or ():
            x = _frames(plan, lambda part, up=upsampler, to=size: up(part, to), x)
    return _frames(plan, lambda part: unet.conv_out(unet.conv_act(unet.conv_norm_out(part))), x)


@dataclass(frozen=True)
class _Layer:
    resnet: Any
    temporal_conv: Any
    attention: Any = None
    temporal_attention: Any = None
    resnet_first: bool = True


def _layers(block: Any) -> list[_Layer]:
    """Of a down or up block: resnet, temporal convolution, and with text the two transformers."""
    pairs = zip(block.resnets, block.temp_convs, strict=True)
    if not hasattr(block, "attentions"):
        return [_Layer(*pair) for pair in pairs]
    both = zip(pairs, block.attentions, block.temp_attentions, strict=True)
    return [_Layer(*pair, *attentions) for pair, *attentions in both]


def _middle_layers(block: Any) -> list[_Layer]:
    """Of the middle block: here the transformers come first."""
    parts = (block.resnets[1:], block.temp_convs[1:], block.attentions, block.temp_attentions)
    return [_Layer(*four, resnet_first=False) for four in zip(*parts, strict=True)]


def _layer(plan: Plan, layer: _Layer, emb: Tensor, text: Tensor, x: Tensor, *skip: Tensor) -> Tensor:
    if layer.resnet_first:
        x = _temporal_conv(plan, layer.temporal_conv, _resnet(plan, layer.resnet, emb, x, *skip))
    x = _attend(plan, layer, text, x)
    if not layer.resnet_first:
        x = _temporal_conv(plan, layer.temporal_conv, _resnet(plan, layer.resnet, emb, x))
    return x


def _attend(plan: Plan, layer: _Layer, text: Tensor, x: Tensor) -> Tensor:
    if layer.attention is None:
        return x
    x = _frames(plan, lambda part, words: layer.attention(part, words, return_dict=False)[0], x, text)
    return _temporal_transformer(plan, layer.temporal_attention, x)


def _resnet(plan: Plan, resnet: Any, emb: Tensor, *inputs: Tensor) -> Tensor:
    """A spatial resnet; a skip connection joins chunk by chunk."""
    return _frames(plan, lambda *parts: resnet(torch.cat(parts, 1), emb.expand(len(parts[0]), -1)), *inputs)


def _frames(plan: Plan, run: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
    """`run` on a few frames of all inputs [F, ...] at a time."""
    frames, result = inputs[0].shape[0], None
    for start in range(0, frames, plan.chunk):
        span = slice(start, start + plan.chunk)
        part = run(*(tensor[span].to(plan.device) for tensor in inputs))
        if result is None:
            result = torch.empty((frames, *part.shape[1:]), dtype=part.dtype, device=plan.store)
        result[span] = part.to(plan.store)
    assert result is not None
    return result


def _moments(plan: Plan, norm: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    """Scale and shift [C] by which group normalisation over all frames changes x [F, C, h, w]."""
    means, squares = [], []
    for part in x.split(plan.chunk):
        sizes = len(part), part.shape[1], part[0, 0].numel(), norm.num_groups
        # PyTorch's own kernel: ten times as fast on a CPU as torch.var_mean.
        _, mean, inverse = torch.native_group_norm(part.to(plan.device).float(), None, None, *sizes, norm.eps)
        means.append(mean.double())
        squares.append(inverse.double() ** -2 - norm.eps + mean.double() ** 2)
    mean = torch.cat(means).mean(0)
    variance = (torch.cat(squares).mean(0) - mean**2).clamp(min=0)
    repeats = norm.num_channels // norm.num_groups
    inverse = (variance + norm.eps).rsqrt().repeat_interleave(repeats)
    scale = norm.weight.to(plan.device).double() * inverse
    shift = norm.bias.to(plan.device).double() - mean.repeat_interleave(repeats) * scale
    return scale.float(), shift.float()


def _temporal_conv(plan: Plan, layer: Any, x: Tensor) -> Tensor:
    """Four times normalisation, SiLU and a convolution over three frames; added to what came in."""
    y = x
    for stage in (layer.conv1, layer.conv2, layer.conv3, layer.conv4):
        y = _convolved(plan, stage, y, x if stage is layer.conv4 else None)
    return y


def _convolved(plan: Plan, stage: Any, y: Tensor, added: Tensor | None) -> Tensor:
    norm, *middle, conv = stage
    scale, shift = (values[:, None, None] for values in _moments(plan, norm, y))
    frames, result = y.shape[0], torch.empty_like(y)
    for start in range(0, frames, plan.chunk):
        stop = min(start + plan.chunk, frames)
        wanted = torch.arange(start - 1, stop + 1)
        inside = wanted % frames if plan.closed_loop else wanted.clamp(0, frames - 1)
        part = (y[inside.to(y.device)].to(plan.device).float() * scale + shift).to(y.dtype)
        for step in middle:
            part = step(part)
        if not plan.closed_loop:  # beyond the ends the convolution sees zeros, not frames
            outside = ((wanted < 0) | (wanted >= frames)).to(plan.device)
            part = part.masked_fill(outside[:, None, None, None], 0)
        # The convolution pads both ends by itself: those two frames are dropped.
        moved = conv(part.transpose(0, 1)[None])[0].transpose(0, 1)[1:-1]
        if added is not None:
            moved = added[start:stop].to(plan.device) + moved
        if moved.shape[1] != result.shape[1]:
            result = torch.empty((frames, *moved.shape[1:]), dtype=y.dtype, device=plan.store)
        result[start:stop] = moved.to(plan.store)
    return result


def _temporal_transformer(plan: Plan, model: Any, x: Tensor) -> Tensor:
    """diffusers' TransformerTemporalModel on a few pixels at a time, its attention in windows."""
    frames, pixels = x.shape[0], x.shape[2] * x.shape[3]
    scale, shift = _moments(plan, model.norm, x)
    result = torch.empty_like(x)
    columns, written = x.flatten(2), result.flatten(2)  # views, [F, C, P]
    step = max(1, pixels * plan.chunk // frames)
    for start in range(0, pixels, step):
        part = columns[:, :, start : start + step].to(plan.device).permute(2, 0, 1)  # [p, F, C]
        rows = model.proj_in((part.float() * scale + shift).to(x.dtype))
        for block in model.transformer_blocks:
            rows = _transformer_block(plan.windows, block, rows)
        rows = model.proj_out(rows) + part
        written[:, :, start : start + step] = rows.permute(1, 2, 0).to(plan.store)
    return result


def _transformer_block(windows: Windows, block: Any, rows: Tensor) -> Tensor:
    """diffusers' BasicTransformerBlock with two self-attentions over time; rows [p, F, C]."""
    rows = _attention(windows, block.attn1, block.norm1(rows)) + rows
    if block.attn2 is not None:
        rows = _attention(windows, block.attn2, block.norm2(rows)) + rows
    return rows + block.ff(block.norm3(rows))


def _attention(windows: Windows, attention: Any, rows: Tensor) -> Tensor:
    """Self-attention within every window of frames, fused by the windows' weights; rows [p, F, C]."""
    count, length = windows.index.shape

    def in_windows(projected: Tensor) -> Tensor:  # [p, F, C] -> [p * W, heads, n, width]
        spread = projected[:, windows.index.flatten()]
        return spread.reshape(-1, length, attention.heads, spread.shape[-1] // attention.heads).transpose(
            1, 2
        )

    query, key, value = (
        in_windows(project(rows)) for project in (attention.to_q, attention.to_k, attention.to_v)
    )
    seen = nnf.scaled_dot_product_attention(query, key, value, scale=attention.scale)
    fused = windows.fuse(seen.transpose(1, 2).reshape(len(rows), count * length, -1))
    for step in attention.to_out:
        fused = step(fused)
    return fused
