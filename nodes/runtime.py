"""The one door to ComfyUI's internals: devices, memory, progress, cancel and preview.

(Its neighbour `folders.py` asks ComfyUI for files; the node files know only its public node API.)
"""

from __future__ import annotations

import copy
import logging
import math
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import comfy.latent_formats
import comfy.model_management as mm
import comfy.model_patcher
import comfy.ops
import comfy.utils
import folder_paths
import latent_preview
import torch
from comfy_execution.graph_utils import ExecutionBlocker
from torch import Tensor, nn

from ..a2v_core.backbones import BackboneSpec
from ..a2v_core.pipeline import Watcher
from ..a2v_core.sampling import SampleSettings, on_disk
from ..a2v_core.sampling.long import Progress as KeptSteps
from ..a2v_core.sampling.long import keep_newest

_log = logging.getLogger(__name__)

Devices = tuple[torch.device, torch.device]
Module = TypeVar("Module", bound=nn.Module)

FRAMES_ON_DISK = 2**29  # bytes of frames from which on they lie in a file
DECODING = 1 / 8  # of a step of the progress bar for every frame


def text_devices() -> Devices:
    """Where encoders of text and sound run, and where they wait."""
    return mm.text_encoder_device(), mm.text_encoder_offload_device()


def unet_devices() -> Devices:
    """Where denoising runs, and where the UNet waits."""
    return mm.get_torch_device(), mm.unet_offload_device()


def vae_devices() -> Devices:
    """Where pictures are decoded, and where the VAE waits."""
    return mm.vae_device(), mm.vae_offload_device()


def unet_dtype_name() -> str:
    """ "fp32", "fp16", "bf16" or "fp8": what ComfyUI would choose here, its command line flags included."""
    supported = [torch.float16, torch.bfloat16, torch.float32]
    dtype = mm.unet_dtype(device=mm.get_torch_device(), supported_dtypes=supported)
    if dtype.itemsize == 1:  # only when a flag asks for it
        return "fp8" if has_fp8() else "fp16"
    names = {torch.float32: "fp32", torch.float64: "fp32", torch.bfloat16: "bf16"}
    return names.get(dtype, "fp16")


def has_fp8() -> bool:
    """Whether weights can be stored in 8 bits where denoising runs; PyTorch has no such type on Apple's."""
    return bool(mm.get_torch_device().type != "mps")


def vae_dtype() -> torch.dtype:
    """ComfyUI's choice for an SD VAE: never fp16 unless the user asks for it, since that VAE overflows."""
    dtype: torch.dtype = mm.vae_dtype(mm.vae_device(), [torch.bfloat16, torch.float32])
    return dtype


def intermediate(tensor: Tensor) -> Tensor:
    """A tensor as it travels between nodes: on ComfyUI's device for that, float32."""
    return tensor.to(mm.intermediate_device(), torch.float32)


def free_memory(device: torch.device) -> float:
    """Bytes that work on a device may take now; what PyTorch holds in reserve is free."""
    return float(mm.get_free_memory(device))


class _Holder(nn.Module):
    """ModelPatcher sets `device` on what it patches, which diffusers and transformers models do not allow."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module


class Home(NamedTuple):
    """Where a module lies in what ComfyUI moves and patches: `root`, and what the names of its weights begin
    with there."""

    root: nn.Module
    prefix: str


class WholePatcher(comfy.model_patcher.ModelPatcher):
    """Loads a model whole or not at all, also when ComfyUI's own samplers ask for it and memory is short.

    Layers of diffusers and transformers cannot fetch their weights one by one as ComfyUI's own can. That is
    why it is a plain ModelPatcher also where newer versions have a CoreModelPatcher, which counts on such
    layers; core does the same for models that must be whole.
    """

    def load(self, *args: Any, **kwargs: Any) -> None:
        super().load(*args, **{**kwargs, "full_load": True})

    def partially_unload(self, *args: Any, **kwargs: Any) -> int:
        return 0  # bytes that were freed: then all of it is pushed out


class Managed:
    """A module that ComfyUI moves to its device before use and may push out when others need the memory.

    It is loaded whole or not at all (`WholePatcher`). `home` says where it lies in a larger model of
    ComfyUI's; by itself otherwise.
    """

    def __init__(self, module: nn.Module, devices: Devices, home: Home | None = None) -> None:
        load_device, offload_device = devices
        # ComfyUI's log names models by their class.
        home = home or Home(named_like(module, _Holder)(module), "module.")
        self._prefix = home.prefix
        self.patcher: Any = WholePatcher(home.root, load_device=load_device, offload_device=offload_device)

    def load(self, memory: float = 0) -> None:
        """Bring it to its device, with room for `memory` bytes of work. Out of memory passes through."""
        mm.load_models_gpu([self.patcher], memory_required=memory, force_full_load=True)

    @property
    def device(self) -> torch.device:
        """Where the module is now."""
        device: torch.device = next(self.patcher.model.parameters()).device
        return device

    def patched(self, patches: Iterable[tuple[Mapping[str, Any], float]]) -> Managed:
        """The same module with patches on its weights, each with a strength, whenever this is what is loaded.

        They are named by `weight_key`. Loading one takes the patches of the other off again, exactly.
        """
        clone = copy.copy(self)
        clone.patcher = self.patcher.clone()
        for changes, strength in patches:
            clone.patcher.add_patches(changes, strength)
        return clone

    def weight_key(self, name: str) -> str:
        """The patcher's name for a weight of the module."""
        return f"{self._prefix}{name}"

    def weight_name(self, key: str) -> str:
        """The module's own name for a weight, from the patcher's."""
        return key.removeprefix(self._prefix)

    def weight(self, name: str) -> Tensor:
        """A weight of the module without any patches, wherever it waits."""
        key = self.weight_key(name)
        original: Tensor = self.patcher.get_key_patches(key)[key][0][0]
        return original


class ManagedLayers:
    """A module of linear layers and norms that ComfyUI keeps as it keeps its own models.

    Its layers become core's: they compute in the precision of what they get and fetch their weights when they
    need them. So it may be loaded in part, and works beside a model of any precision. ComfyUI's log calls it
    `name`.
    """

    def __init__(self, module: nn.Module, devices: Devices, name: str) -> None:
        load_device, offload_device = devices
        holder = type(name, (_Holder,), {})(module.requires_grad_(False))
        _use_core_layers(holder)
        patcher = getattr(comfy.model_patcher, "CoreModelPatcher", comfy.model_patcher.ModelPatcher)
        self.patcher: Any = patcher(holder, load_device=load_device, offload_device=offload_device)


def _use_core_layers(module: nn.Module) -> None:
    """Put core's layers in the place of PyTorch's, with the very same weights: core leaves its own empty."""
    for name, layer in module.named_children():
        if isinstance(layer, nn.Linear):
            made = comfy.ops.manual_cast.Linear(
                layer.in_features, layer.out_features, layer.bias is not None, device="meta"
            )
            made.weight, made.bias = layer.weight, layer.bias
        elif isinstance(layer, nn.RMSNorm):
            made = comfy.ops.manual_cast.RMSNorm(layer.normalized_shape, layer.eps, device="meta")
            made.weight = layer.weight
        else:
            _use_core_layers(layer)
            continue
        setattr(module, name, made)


def named_like(module: nn.Module, base: type[Module]) -> type[Module]:
    """A class like `base` with the name of another module's class."""
    return type(type(module).__name__, (base,), {})


def no_output(reason: str) -> Any:
    """In the place of an output that a node has not got: whoever is connected to it stops with the reason."""
    return ExecutionBlocker(reason)


def stop_if_cancelled() -> None:
    """Raise ComfyUI's interrupt when the user pressed Cancel."""
    mm.throw_exception_if_processing_interrupted()


@contextmanager
def cancel_points(modules: Iterable[nn.Module]) -> Iterator[None]:
    """While it lasts, Cancel takes effect before each of `modules` runs, not only between steps."""

    def check(module: nn.Module, args: tuple[Any, ...]) -> None:
        stop_if_cancelled()

    handles = [module.register_forward_pre_hook(check) for module in modules]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def kept_steps() -> KeptSteps:
    """Where a long video keeps its steps: with the user's settings, since ComfyUI clears its temp folder."""
    folder = Path(folder_paths.get_user_directory()) / "a2v_progress"
    keep_newest(folder)
    return KeptSteps(folder)


def frame_room(shape: tuple[int, ...]) -> Tensor:
    """A tensor for the frames of a video; of a long one the system keeps in memory what fits."""
    device = mm.intermediate_device()
    if device.type != "cpu" or 4 * math.prod(shape) < FRAMES_ON_DISK:
        return torch.empty(shape, dtype=torch.float32, device=device)
    folder = Path(folder_paths.get_temp_directory())
    folder.mkdir(parents=True, exist_ok=True)
    return on_disk(folder / f"a2v_frames_{uuid.uuid4().hex}", shape)


def latent_samples(spec: BackboneSpec, latents: Tensor) -> Tensor:
    """Latents [1, c, f, h, w] as core's VAE of that family takes them in a LATENT.

    [f, c, h, w] where it takes pictures, else [1, c, f, h, w] in core's own scale.
    """
    if spec.time == 1:
        return intermediate(latents[0].movedim(0, 1) / spec.latent_scale)
    known = _latent_format(spec.latent_format, spec.latent_channels)
    if known is None:
        _log.warning(
            "this ComfyUI does not know the latents of %s (%s): the LATENT is not in the scale of its VAE; "
            "update ComfyUI, or use the images",
            spec.family,
            spec.latent_format or f"{spec.latent_channels} channels",
        )
        return intermediate(latents)
    return intermediate(known.process_out(latents))


class Progress:
    """A node's progress bar; every update is also a point where Cancel takes effect."""

    def __init__(self, total: int) -> None:
        self._bar = comfy.utils.ProgressBar(total)

    def __call__(self, done: int, total: int | None = None, preview: Any = None) -> None:
        stop_if_cancelled()
        self._bar.update_absolute(done, total, preview)


class SamplingProgress(Watcher):
    """The progress bar of videos that are made, with previews: of each steps first, then frames."""

    def __init__(self, spec: BackboneSpec, settings: SampleSettings, takes: int = 1) -> None:
        self._decoding = math.ceil(settings.num_frames * DECODING)
        self._takes, self._take = takes, 0
        self._bar = Progress(takes * (settings.steps + self._decoding))
        self._show = latent_previewer(spec.latent_format, spec.latent_channels)
        self._steps = 0

    def take(self, number: int) -> None:
        """See `Watcher`."""
        self._take = number

    def sampled(self, step: int, total: int, estimate: Tensor, latents: Tensor) -> None:
        """See `Watcher`."""
        self._steps = step + 1
        self._update(self._steps, total, self._show and self._show(estimate))

    def decoded(self, done: int, total: int) -> None:
        """See `Watcher`."""
        self._update(self._steps + round(self._decoding * done / total), self._steps)

    def _update(self, done: int, steps: int, preview: Any = None) -> None:
        whole = steps + self._decoding
        self._bar(self._take * whole + done, self._takes * whole, preview)


def latent_previewer(name: str, channels: int) -> Callable[[Tensor], Any] | None:
    """Latents [1, c, f, h, w] of one of core's latent formats -> what `Progress` shows as a preview.

    None when the user wants no previews, or for a format that this ComfyUI does not know.
    """
    latent_format = _latent_format(name, channels)
    if latent_format is None:
        return None
    previewer = latent_preview.get_previewer(mm.get_torch_device(), latent_format)
    if previewer is None:
        return None
    of_video = latent_format.latent_dimensions == 3

    def preview(latents: Tensor) -> Any:
        shown = latents if of_video else latents[0].movedim(0, 1)
        return previewer.decode_latent_to_preview_image("JPEG", shown)

    return preview


def _latent_format(name: str, channels: int) -> Any:
    """One of core's latent formats; None for one that this ComfyUI does not know."""
    known = getattr(comfy.latent_formats, name, None)
    latent_format = None if known is None else known()
    return latent_format if latent_format is not None and latent_format.latent_channels == channels else None
