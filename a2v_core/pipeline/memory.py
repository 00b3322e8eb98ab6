"""Who brings the parts of a text-to-video model to where they run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

import torch

from ..backbones import Backbone, OffloadedWeights, Part, require, to_device
from ..devices import free_bytes


class MemoryManager(Protocol):
    """Keeps text encoder, denoiser and VAE; each is loaded when its turn comes."""

    def loaded(self, part: Part, work: float) -> AbstractContextManager[None]:
        """While it lasts, a part is where it runs, with room for about `work` bytes beside its weights."""

    def free(self, part: Part) -> float:
        """Bytes that a loaded part may work in."""


class InPlace:
    """Leaves every part where its owner has put it."""

    def __init__(self, backbone: Backbone) -> None:
        self._backbone = backbone

    @contextmanager
    def loaded(self, part: Part, work: float) -> Iterator[None]:
        """Nothing is moved."""
        yield

    def free(self, part: Part) -> float:
        """See `devices.free_bytes`."""
        return free_bytes(next(self._backbone.parts()[part][0].parameters()).device)


class InTurn:
    """Keeps one part at a time on a device, the others in the CPU's memory.

    With `offload` the large weights of the denoiser stay in the CPU's memory while it runs, and each is
    copied when its layer needs it: the least memory, and the slowest way. A2VError for a model that cannot.
    """

    def __init__(self, backbone: Backbone, device: torch.device | str, *, offload: bool = False) -> None:
        self._backbone, self._device = backbone, torch.device(device)
        self._offloaded = require(backbone, OffloadedWeights, "offload") if offload else None
        to_device(backbone, "cpu")

    @contextmanager
    def loaded(self, part: Part, work: float) -> Iterator[None]:
        """The part is on the device, and back on the CPU afterwards."""
        if part == "denoiser" and self._offloaded is not None:
            undo = self._offloaded.offload_weights(self._device)
            try:
                yield
            finally:
                undo()
            return
        parts = self._backbone.parts()[part]
        for network in parts:
            network.to(self._device)
        try:
            yield
        finally:
            for network in parts:
                network.to("cpu")

    def free(self, part: Part) -> float:
        """See `InPlace.free`."""
        return free_bytes(self._device)
