"""A sampling run that can be killed: every prediction of the model is written down as it is made.

A prediction is what a step costs; everything else in the loop is cheap and follows from the predictions and
the seed. So a run that starts again takes the predictions it finds and goes on with the model after them: the
same numbers for every scheduler, whatever it remembers of earlier steps.

Legend: B guidance branches, F video frames, h w latent size.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ..checkpoints import read_checkpoint, write_safetensors
from ..errors import CheckpointError
from .backbone import Backbone
from .context import FrameContext
from .long_backbone import WrappedBackbone
from .settings import SampleSettings
from .windows import LongSettings

if TYPE_CHECKING:
    from .reuse import Reuse

_PREFIX = "sampling_"


@dataclass
class Progress:
    """Where a run of `sample_long` writes its steps; `run` is its own folder, known once it has begun."""

    folder: Path
    run: Path | None = None

    def finish(self) -> None:
        """The result is safe: the steps are not needed any more."""
        if self.run is not None:
            shutil.rmtree(self.run, ignore_errors=True)


class RecordedBackbone(WrappedBackbone):
    """`inner` for one run of `sample`, whose predictions are kept in a folder of `progress`.

    The folder's name is a fingerprint of everything the numbers follow from, so other runs never mix in; a
    file that a crash left half-written is made again.
    """

    def __init__(
        self,
        inner: Backbone,
        progress: Progress,
        contexts: Sequence[FrameContext],
        settings: SampleSettings,
        long: LongSettings,
    ) -> None:
        super().__init__(inner)
        self.folder = progress.folder / (_PREFIX + _fingerprint(inner, contexts, settings, long))
        self.folder.mkdir(parents=True, exist_ok=True)
        progress.run = self.folder
        self._calls = 0

    def denoise(
        self, latents: Tensor, t: Tensor | float, context: Tensor, reuse: Reuse | None = None
    ) -> Tensor:
        """See `Backbone.denoise`; a call that was made in an earlier run is read from its file.

        Nothing is taken from earlier steps, which an earlier run may have made: `reuse` does not count.
        """
        path = self.folder / f"{self._calls:05d}.safetensors"
        self._calls += 1
        made = self._read(path, float(t), (len(context), *latents.shape[1:]))
        if made is None:
            made = self.inner.denoise(latents, t, context)
            write_safetensors(path, {"prediction": made.contiguous()}, {"timestep": repr(float(t))})
        return made.to(latents.device)

    def _read(self, path: Path, t: float, shape: tuple[int, ...]) -> Tensor | None:
        if not path.is_file():
            return None
        try:
            found = read_checkpoint(path)
        except CheckpointError:
            return None
        made = found.tensors.get("prediction")
        fits = made is not None and tuple(made.shape) == shape and found.metadata.get("timestep") == repr(t)
        return made if fits else None


def keep_newest(folder: Path, runs: int = 3) -> None:
    """Removes all but the `runs` newest recorded runs of `folder`; 0 removes all. Other files stay."""
    found = [path for path in folder.glob(f"{_PREFIX}*") if path.is_dir()]
    for path in sorted(found, key=lambda run: run.stat().st_mtime)[: max(0, len(found) - runs)]:
        shutil.rmtree(path, ignore_errors=True)


def _fingerprint(
    inner: Backbone, contexts: Sequence[FrameContext], settings: SampleSettings, long: LongSettings
) -> str:
    """Says apart runs that may differ: settings, texts, weights, device and version of torch."""
    digest = hashlib.sha256()
    facts = [asdict(settings), asdict(long), dict(inner.scheduler_config)]
    digest.update(json.dumps([*facts, str(inner.device), torch.__version__], default=str).encode())
    for context in contexts:
        for tensor in (context.states, context.index):
            digest.update(_bytes(tensor))
    for name, tensor in _weights(inner):
        # A few numbers of every tensor tell fine-tuned models apart; reading billions would take seconds.
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode() + _bytes(tensor.flatten()[:64]))
    return digest.hexdigest()[:24]


def _weights(backbone: Any) -> Iterator[tuple[str, Tensor]]:
    while isinstance(backbone, WrappedBackbone):
        backbone = backbone.inner
    unet = getattr(backbone, "unet", None)
    if isinstance(unet, nn.Module):
        yield from unet.state_dict().items()


def _bytes(tensor: Tensor) -> bytes:
    return bytes(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
