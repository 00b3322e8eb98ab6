"""Experiment loggers: TensorBoard and Weights & Biases."""

from __future__ import annotations

import io
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..config import Config
from ..errors import ConfigError


class Loggers:
    """The enabled loggers of the main process."""

    def __init__(self, config: Config, first_step: int) -> None:
        self._board = _tensorboard(config, first_step)
        self._wandb = _wandb(config, first_step)

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Log values by name, after `step` finished steps."""
        if self._board is not None:
            for name, value in values.items():
                self._board.add_scalar(name, value, step)
        if self._wandb is not None:
            self._wandb.log(dict(values), step=step)

    def video(self, name: str, path: Path, frames: Tensor, sound: Tensor, fps: float, step: int) -> None:
        """Log a video: frames [F, H, W, 3] in 0..1 with sound [N] at 16 kHz, which `path` holds as an mp4."""
        if self._board is not None:
            pixels = (frames.clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()
            self._board.file_writer.add_summary(_animation(f"video/{name}", pixels, fps), step)
            self._board.add_audio(f"sound/{name}", sound[None], step, sample_rate=16000)
            self._board.flush()
        if self._wandb is not None:
            import wandb

            self._wandb.log({f"video/{name}": wandb.Video(str(path), format="mp4")}, step=step)

    def close(self) -> None:
        """Flush and close."""
        if self._board is not None:
            self._board.close()
        if self._wandb is not None:
            self._wandb.finish()


def _tensorboard(config: Config, first_step: int) -> Any:
    if not config.logging.tensorboard:
        return None
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ConfigError(
            f"logging.tensorboard: cannot be imported ({error}); install it, or set this to false"
        ) from error
    # Remove the points of steps that will be redone.
    purge = first_step + 1 if first_step else None
    return SummaryWriter(str(config.output_dir / "tensorboard"), purge_step=purge)


def _wandb(config: Config, first_step: int) -> Any:
    if not config.logging.wandb:
        return None
    try:
        import wandb
    except ImportError as error:
        raise ConfigError(
            f"logging.wandb: cannot be imported ({error}); install it, or set this to false"
        ) from error
    # A resumed training continues the same wandb run.
    id_file = config.output_dir / "wandb.id"
    if not (first_step and id_file.is_file()):
        id_file.write_text(uuid.uuid4().hex[:8])
    return wandb.init(
        id=id_file.read_text(),
        project=config.logging.project,
        name=config.output_dir.name,
        dir=str(config.output_dir),
        config=config.model_dump(mode="json"),
        resume="allow",
    )


def _animation(name: str, pixels: NDArray[np.uint8], fps: float) -> Any:
    """An animated GIF as a TensorBoard image summary: TensorBoard's own add_video needs moviepy."""
    from PIL import Image
    from tensorboard.compat.proto.summary_pb2 import Summary

    first, *others = [Image.fromarray(picture) for picture in pixels]
    stream = io.BytesIO()
    first.save(stream, "GIF", save_all=True, append_images=others, duration=round(1000 / fps), loop=0)
    image = Summary.Image(
        height=pixels.shape[1], width=pixels.shape[2], colorspace=3, encoded_image_string=stream.getvalue()
    )
    return Summary(value=[Summary.Value(tag=name, image=image)])
