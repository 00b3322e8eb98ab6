"""What flows through the A2V_T2V_MODEL socket: a text-to-video model whose networks ComfyUI keeps."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path

from ..a2v_core.backbones import Backbone, Part
from ..a2v_core.backbones.clip_unet import CLIPUNet
from ..a2v_core.pipeline import VideoPipeline
from . import runtime
from .core_clip import text_home, text_of
from .core_model import denoiser_home
from .lora import lora_patches


class ComfyMemory:
    """Text encoder, denoiser and VAE as ComfyUI moves them: each is loaded when its turn comes."""

    def __init__(self, backbone: Backbone, parts: Mapping[Part, list[runtime.Managed]]) -> None:
        self._backbone, self.parts = backbone, parts

    @contextmanager
    def loaded(self, part: Part, work: float) -> Iterator[None]:
        """See `MemoryManager`. While the denoiser is loaded, Cancel takes effect within a step too."""
        for managed in self.parts[part]:
            managed.load(work)
        denoises = part == "denoiser"
        with runtime.cancel_points(self._backbone.cancel_points()) if denoises else nullcontext():
            yield

    def free(self, part: Part) -> float:
        """See `MemoryManager`."""
        return runtime.free_memory(self.parts[part][0].device)

    def with_denoiser(self, managed: list[runtime.Managed]) -> ComfyMemory:
        """The same parts with other denoisers."""
        return ComfyMemory(self._backbone, {**self.parts, "denoiser": managed})


class ManagedT2V(VideoPipeline):
    """A pipeline in ComfyUI's memory, whose denoiser may carry a LoRA."""

    memory: ComfyMemory

    def __init__(self, backbone: Backbone) -> None:
        devices = {
            "text": runtime.text_devices(),
            "denoiser": runtime.unet_devices(),
            "vae": runtime.vae_devices(),
        }
        parts = backbone.parts()
        if devices["text"][0].type == "cpu":
            for network in parts["text"]:
                network.float()  # half precision is slow there
        homes = _homes(backbone)
        managed: dict[Part, list[runtime.Managed]] = {
            part: [runtime.Managed(network, devices[part], homes.get(part)) for network in networks]
            for part, networks in parts.items()
        }
        super().__init__(backbone, ComfyMemory(backbone, managed))
        self._base: ManagedT2V | None = None  # keeps what `loaded.py` finds again

    def with_lora(self, path: Path | None, strength: float) -> ManagedT2V:
        """The same model, its networks shared, with a LoRA on the denoiser while it samples; or none."""
        model = copy.copy(self)
        model._base = self
        if path is not None:
            networks = self.backbone.parts()["denoiser"]
            patched = [
                managed.patched(lora_patches(path, network, managed, strength))
                for network, managed in zip(networks, self.memory.parts["denoiser"], strict=True)
            ]
            model.memory = self.memory.with_denoiser(patched)
        return model


def _homes(backbone: Backbone) -> dict[Part, runtime.Home]:
    """Where the parts lie that ComfyUI's own nodes can use too, so that both use the same weights."""
    if not isinstance(backbone, CLIPUNet):
        return {}
    return {"denoiser": denoiser_home(backbone), "text": text_home(text_of(backbone))}
