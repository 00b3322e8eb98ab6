"""The temporal layers of a long video, a few frames or a few pixels at a time.

Temporal convolutions see the frames before and after: they run on a few frames and one more at both ends.
Temporal attention sees all frames, but one pixel: it runs on a few pixels, in windows over the frames
(FreeNoise, arXiv 2310.15169, section 3.3: attention is fused, projections and feed-forward layers run once
per frame). Group normalisation over time takes the moments of all frames first.

Motion modules have position embeddings: in every window the positions begin anew, as where AnimateDiff runs
on windows of a longer video.

Legend: F frames, C channels, h w latent size, P pixels, W windows, n frames of a window.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as nnf
from torch import Tensor

from ...devices import in_float64
from ..windows import Windows


@dataclass(frozen=True)
class Plan:
    """How the work is cut and where it is done.

    windows            of temporal attention, on the UNet's device
    chunk              frames that run at once
    device             where layers run: the UNet's
    activation_device  where activations of all frames are kept from one layer to the next
    closed_loop        the last frame meets the first
    """

    windows: Windows
    chunk: int
    device: torch.device
    activation_device: torch.device
    closed_loop: bool = False


def temporal_conv(plan: Plan, layer: Any, x: Tensor) -> Tensor:
    """Four times normalisation, SiLU and a convolution over three frames; added to what came in."""
    y = x
    for part in (layer.conv1, layer.conv2, layer.conv3, layer.conv4):
        y = _convolved(plan, part, y, x if part is layer.conv4 else None)
    return y


def _convolved(plan: Plan, layers: Any, y: Tensor, added: Tensor | None) -> Tensor:
    norm, *middle, conv = layers
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
            result = torch.empty((frames, *moved.shape[1:]), dtype=y.dtype, device=plan.activation_device)
        result[start:stop] = moved.to(plan.activation_device)
    return result


def temporal_transformer(plan: Plan, model: Any, x: Tensor) -> Tensor:
    """diffusers' TransformerTemporalModel or AnimateDiffTransformer3D on a few pixels at a time, its
    attention in windows."""
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
        written[:, :, start : start + step] = rows.permute(1, 2, 0).to(plan.activation_device)
    return result


def _transformer_block(windows: Windows, block: Any, rows: Tensor) -> Tensor:
    """diffusers' BasicTransformerBlock with two self-attentions over time; rows [p, F, C]."""
    length = windows.index.shape[1]
    places = None if block.pos_embed is None else block.pos_embed.pe[:, :length].to(rows)
    rows = _attention(windows, block.attn1, block.norm1(rows), places) + rows
    if block.attn2 is not None:
        rows = _attention(windows, block.attn2, block.norm2(rows), places) + rows
    return rows + block.ff(block.norm3(rows))


def _attention(windows: Windows, attention: Any, rows: Tensor, places: Tensor | None) -> Tensor:
    """Self-attention within every window of frames, fused by the windows' weights; rows [p, F, C].

    `places` [1, n, C] are added to the rows of every window; projections are linear, so once is enough.
    """
    count, length = windows.index.shape

    def in_windows(project: Any) -> Tensor:  # [p, F, C] -> [p * W, heads, n, width]
        spread = project(rows)[:, windows.index.flatten()]
        if places is not None:
            added = project(places) - project(torch.zeros_like(places))  # without the bias
            spread = spread + added.repeat(1, count, 1)
        return spread.reshape(-1, length, attention.heads, spread.shape[-1] // attention.heads).transpose(
            1, 2
        )

    query, key, value = (in_windows(project) for project in (attention.to_q, attention.to_k, attention.to_v))
    seen = nnf.scaled_dot_product_attention(query, key, value, scale=attention.scale)
    fused = windows.fuse(seen.transpose(1, 2).reshape(len(rows), count * length, -1))
    for step in attention.to_out:
        fused = step(fused)
    return fused


def _moments(plan: Plan, norm: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    """Scale and shift [C] by which group normalisation over all frames changes x [F, C, h, w]."""
    means, squares = [], []
    for part in x.split(plan.chunk):
        sizes = len(part), part.shape[1], part[0, 0].numel(), norm.num_groups
        # PyTorch's own kernel: ten times as fast on a CPU as torch.var_mean.
        _, mean, inverse = torch.native_group_norm(part.to(plan.device).float(), None, None, *sizes, norm.eps)
        mean = in_float64(mean)
        means.append(mean)
        squares.append(in_float64(inverse) ** -2 - norm.eps + mean**2)
    mean = torch.cat(means).mean(0)
    variance = (torch.cat(squares).mean(0) - mean**2).clamp(min=0)
    repeats = norm.num_channels // norm.num_groups
    inverse = (variance + norm.eps).rsqrt().repeat_interleave(repeats)
    scale = in_float64(norm.weight.to(plan.device)) * inverse
    shift = in_float64(norm.bias.to(plan.device)) - mean.repeat_interleave(repeats) * scale
    return scale.float().to(plan.device), shift.float().to(plan.device)
