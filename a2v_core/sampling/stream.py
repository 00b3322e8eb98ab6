"""Latents to an mp4 while they are decoded: a video of minutes never lies in memory as pictures.

Legend: F video frames, c latent channels, h w latent size, H W picture size.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from ..backbones import Backbone
from ..checkpoints import write_safetensors
from ..errors import CheckpointError, MediaError
from ..media import Waveform, write_video


def save_latents(path: str | os.PathLike[str], latents: Tensor) -> None:
    """Latents [F, c, h, w] to a safetensors file that `stream_video` reads piece by piece. Atomic."""
    write_safetensors(Path(path), {"latents": latents.contiguous()}, {"frames": str(len(latents))})


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
    """Decode latents [F, c, h, w], or a file of `save_latents`, into an mp4, `chunk` frames at a time.

    The video is that of `write_video` with all frames decoded beforehand. Errors as `decode_chunks` and
    `write_video`; CheckpointError for a file without latents.
    """
    parts = [latents] if isinstance(latents, Tensor) else _read(Path(latents), chunk)
    write_video(
        path,
        (frames for part in parts for frames in backbone.decode_chunks(part, chunk)),
        fps,
        audio,
        crf=crf,
    )


def _read(path: Path, chunk: int) -> Iterator[Tensor]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            latents = file.get_slice("latents")
            for start in range(0, latents.get_shape()[0], chunk):
                yield latents[start : start + chunk]
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path}: holds no latents ({error}); give a file of save_latents") from error


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
