"""A sampling run that can be killed: every prediction of the model is written down as it is made.

A prediction is what a step costs; everything else in the loop is cheap and follows from the predictions and
the seed. So a run that starts again takes the predictions it finds and goes on with the model after them: the
same numbers for every scheduler, whatever it remembers of earlier steps. How many branches of guidance go
through the model at once is a matter of memory and may be another then: predictions are counted one by one.

Legend: B guidance branches.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from ...backbones import Backbone, bytes_of
from ...checkpoints import read_checkpoint, write_safetensors
from ...errors import CheckpointError
from ...prompts import ContextBatch, FrameContext
from ..guidance import Denoise
from ..settings import SampleSettings
from .settings import LongSettings

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


class RecordedDenoise:
    """`denoise` for one run of `sample` with `backbone`, its predictions kept in a folder of `progress`.

    The folder's name is a fingerprint of everything the numbers follow from, so other runs never mix in; a
    file that a crash left half-written is made again.
    """

    def __init__(
        self,
        denoise: Denoise,
        backbone: Backbone,
        progress: Progress,
        contexts: Sequence[FrameContext],
        settings: SampleSettings,
        long: LongSettings,
    ) -> None:
        self._denoise = denoise
        self.folder = progress.folder / (_PREFIX + _fingerprint(backbone, contexts, settings, long))
        self.folder.mkdir(parents=True, exist_ok=True)
        progress.run = self.folder
        self._done = 0  # predictions, one for every branch
        self._next: list[Tensor] = []  # those that follow, of a file that has been read

    def __call__(self, x: Tensor, t: Tensor, context: ContextBatch) -> Tensor:
        """See `Backbone.denoise`; a call that was made in an earlier run is read from its file."""
        count = len(context)
        made = self._recorded(count, float(t), x.shape[1:])
        if made is None:
            made = self._denoise(x, t, context)
            facts = {"timestep": repr(float(t))}
            write_safetensors(self._path(self._done), {"prediction": made.contiguous()}, facts)
        self._done += count
        return made.to(x.device)

    def _path(self, number: int) -> Path:
        """The file that begins with this prediction; it holds as many as went through the model at once."""
        return self.folder / f"{number:05d}.safetensors"

    def _recorded(self, count: int, t: float, shape: torch.Size) -> Tensor | None:
        """The next `count` predictions if an earlier run made all of them."""
        found, self._next = self._next, []
        while len(found) < count:
            made = self._read(self._path(self._done + len(found)), t, shape)
            if made is None:
                return None
            found += made.split(1)
        self._next = found[count:]
        return torch.cat(found[:count])

    def _read(self, path: Path, t: float, shape: torch.Size) -> Tensor | None:
        if not path.is_file():
            return None
        try:
            found = read_checkpoint(path)
        except CheckpointError:
            return None
        made = found.tensors.get("prediction")
        fits = made is not None and made.shape[1:] == shape and found.metadata.get("timestep") == repr(t)
        return made if fits else None


def keep_newest(folder: Path, runs: int = 3) -> None:
    """Removes all but the `runs` newest recorded runs of `folder`; 0 removes all. Other files stay."""
    found = [path for path in folder.glob(f"{_PREFIX}*") if path.is_dir()]
    for path in sorted(found, key=lambda run: run.stat().st_mtime)[: max(0, len(found) - runs)]:
        shutil.rmtree(path, ignore_errors=True)


def _fingerprint(
    backbone: Backbone, contexts: Sequence[FrameContext], settings: SampleSettings, long: LongSettings
) -> str:
    """Says apart runs that may differ: settings, texts, model, device and version of torch."""
    # What depends on free memory changes nothing but rounding.
    facts = [asdict(replace(settings, batch_guidance=True)), asdict(replace(long, on_cpu=None))]
    digest = hashlib.sha256(backbone.fingerprint())
    digest.update(json.dumps([*facts, str(backbone.device), torch.__version__], default=str).encode())
    for context in contexts:
        for tensor in (context.states, context.index, context.audio):
            if tensor is not None:
                digest.update(bytes_of(tensor))
    return digest.hexdigest()[:24]
