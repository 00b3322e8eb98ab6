"""Latents to an mp4 while they are decoded: a video of minutes never lies in memory as pictures.

Legend: c latent channels, f latent frames, h w latent size.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import torch
from torch import Tensor

from ..backbones import Backbone
from ..checkpoints import read_checkpoint, write_safetensors
from ..errors import CheckpointError, MediaError
from ..media import Waveform


def save_latents(path: str | os.PathLike[str], latents: Tensor) -> None:
    """Latents [1, c, f, h, w] to a safetensors file that `stream_video` reads. Atomic."""
    write_safetensors(Path(path), {"latents": latents.contiguous()}, {})


def decode_video(backbone: Backbone, latents: Tensor, chunk: int = 8) -> Tensor:
    """All frames [F, H, W, 3] of latents [1, c, f, h, w], float32 0..1 on the CPU. See `Backbone.decode`."""
    return torch.cat(list(backbone.decode(latents, chunk)))


def stream_video(
    path: str | os.PathLike[str],
    backbone: Backbone,
    latents: Tensor | str | os.PathLike[str],
    fps: float,
    audio: Waveform | None = None,
    *,
    chunk: int = 8,
    crf: int = 18,
) -> None:
    """Decode latents [1, c, f, h, w], or a file of `save_latents`, into an mp4, `chunk` of them at a time.

    The video is that of `write_video` with all frames decoded beforehand. Errors as `Backbone.decode` and
    `write_video`; CheckpointError for a file without latents.
    """
    from ..media import write_video  # PyAV only where a file is written

    if not isinstance(latents, Tensor):
        place = Path(latents)
        tensors = read_checkpoint(place).tensors
        if "latents" not in tensors:
            raise CheckpointError(f"{place}: holds no latents; give a file of save_latents")
        latents = tensors["latents"]
    write_video(path, backbone.decode(latents, chunk), fps, audio, crf=crf)


def on_disk(path: str | os.PathLike[str], shape: tuple[int, ...]) -> Tensor:
    """A float32 tensor of zeros that lives in a file: the system keeps of it in memory what fits.

    For frames of a long video that some other code wants as one tensor. The file goes when the system lets it
    go: at once where an open file can be removed, else it is the caller's. MediaError when the disk is full.
    """
    place = Path(path)
    size = 4 * int(torch.Size(shape).numel())
    try:
        with open(place, "wb") as file:
            # Claimed now: a disk that fills up later would kill the process.
            os.posix_fallocate(file.fileno(), 0, size) if hasattr(os, "posix_fallocate") else file.truncate(
                size
            )
        tensor = torch.from_file(str(place), shared=True, size=size // 4).reshape(shape)
    except (OSError, RuntimeError) as error:
        place.unlink(missing_ok=True)
        raise MediaError(f"{place}: no room for {size / 2**30:.1f} GiB of frames ({error})") from error
    with contextlib.suppress(OSError):  # Windows keeps the name of a file that is in use
        place.unlink()
    return tensor
