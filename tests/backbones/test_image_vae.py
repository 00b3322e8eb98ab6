"""Chunked VAE decode and encode."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from a2v_core.backbones.image_vae import decode_chunks, encode, scale_factor
from a2v_core.errors import A2VError
from tests.golden_recipe import fill_module, recipe
from tests.tiny_t2v import tiny_vae

LATENTS = recipe("latents", (5, 4, 3, 2)) * 4


def decode(vae: Any, latents: Tensor, chunk: int = 8) -> Tensor:
    return torch.cat(list(decode_chunks(vae, latents, chunk)))


@pytest.fixture(scope="module")
def vae() -> Any:
    module = tiny_vae()
    module.load_state_dict(fill_module(module.state_dict()))
    return module.eval().requires_grad_(False)


def test_decoded_as_diffusers_does(vae: Any) -> None:
    frames = decode(vae, LATENTS, 2)
    assert frames.shape == (5, 24, 16, 3)
    assert frames.dtype == torch.float32
    assert frames.is_contiguous()
    expected = vae.decode(LATENTS / 0.18215).sample
    torch.testing.assert_close(frames, (expected / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1))
    assert frames.std() > 0.05


@pytest.mark.parametrize("chunk", [1, 2, 3, 5, 100])
def test_chunk_size_does_not_change_the_picture(vae: Any, chunk: int) -> None:
    torch.testing.assert_close(decode(vae, LATENTS, chunk), decode(vae, LATENTS, 5), atol=1e-5, rtol=0)
    sizes = [len(part) for part in decode_chunks(vae, LATENTS, chunk)]
    assert sum(sizes) == 5
    assert max(sizes) == min(chunk, 5)


def test_decoding_is_lazy(vae: Any) -> None:
    """A long video is decoded while it is written: nothing before it is asked for."""
    calls: list[int] = []
    handle = vae.decoder.register_forward_pre_hook(lambda module, args: calls.append(len(args[0])))
    chunks = decode_chunks(vae, LATENTS, 2)
    assert calls == []
    next(chunks)
    handle.remove()
    assert calls == [2]


def test_encode_gives_the_scaled_posterior_mean(vae: Any) -> None:
    frames = decode(vae, LATENTS)
    latents = encode(vae, frames, 2)
    expected = vae.encode(frames.permute(0, 3, 1, 2) * 2 - 1).latent_dist.mean * 0.18215
    torch.testing.assert_close(latents, expected, atol=1e-5, rtol=1e-5)
    assert latents.shape == LATENTS.shape


def test_half_precision_gives_float32_frames(vae: Any) -> None:
    frames = decode(vae, LATENTS)
    try:
        half = decode(vae.to(torch.bfloat16), LATENTS)
        assert encode(vae, frames).dtype == torch.float32
    finally:
        vae.to(torch.float32)
    assert half.dtype == torch.float32
    assert (half - frames).abs().mean() < 0.02


def test_bad_input_is_named(vae: Any) -> None:
    assert scale_factor(vae.config) == 8
    with pytest.raises(A2VError, match="0 frames at a time"):
        decode(vae, LATENTS, 0)
    with pytest.raises(A2VError, match=r"\[1, 5, 4, 3, 2\]: this VAE decodes \[frames, 4"):
        decode(vae, LATENTS[None])
    with pytest.raises(A2VError, match=r"shape \[0, 4, 3, 2\]"):
        decode(vae, LATENTS[:0])
    with pytest.raises(A2VError, match="decoded picture is not finite"):
        decode(vae, LATENTS * torch.nan)
    with pytest.raises(A2VError, match="width is 20 pixels"):
        encode(vae, torch.zeros(1, 24, 20, 3))
    with pytest.raises(A2VError, match=r"expected \[frames, height, width, 3\]"):
        encode(vae, torch.zeros(3, 24, 16))
