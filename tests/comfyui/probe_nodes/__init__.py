"""Test nodes for a real ComfyUI: unusual AUDIO values going in, a look at the values coming out.

What a well-behaved pack may legally put on the wire, or what a person may do between two runs; nothing of the
pack under test is replaced.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import comfy.model_management
import folder_paths
import torch
from comfy_api.latest import ComfyExtension, io, ui
from safetensors.torch import save_file

from .core_models import ProbeFrame, ProbeSD
from .sampling import ProbeControl, ProbeMemory, ProbeNoise, ProbeRow, ProbeSigmas, ProbeSplit
from .schedules import ProbeEntries, ProbeJson, ProbePooled
from .signals import ProbeJoin, ProbeSame
from .video_models import (
    ProbeCancel,
    ProbeFloats,
    ProbeGuide,
    ProbeLoaded,
    ProbeStates,
    ProbeText,
    ProbeVideoModel,
)


class LazySound(Mapping[str, Any]):
    """Decodes when asked, as VideoHelperSuite's audio does."""

    def __init__(self, audio: Mapping[str, Any]) -> None:
        self._audio = audio

    def __getitem__(self, key: str) -> Any:
        return self._audio[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._audio)

    def __len__(self) -> int:
        return len(self._audio)


def _variant(audio: Any, kind: str) -> Any:
    wave, rate = audio["waveform"], audio["sample_rate"]
    kinds = {
        "lazy": lambda: LazySound(audio),
        "none": lambda: None,
        "double": lambda: {"waveform": wave.double(), "sample_rate": rate},
        "batch": lambda: {"waveform": torch.cat([wave * 0, wave]), "sample_rate": rate},
        "one sample": lambda: {"waveform": wave[..., :1], "sample_rate": rate},
        "empty": lambda: {"waveform": wave[..., :0], "sample_rate": rate},
        "text": lambda: "hits.wav",
        "nan": lambda: {"waveform": wave * torch.nan, "sample_rate": rate},
    }
    return kinds[kind]()


class ProbeAudio(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        inputs = [io.Audio.Input("audio"), io.String.Input("kind")]
        return io.Schema(node_id="ProbeAudio", inputs=inputs, outputs=[io.Audio.Output()])

    @classmethod
    def execute(cls, audio: Any, kind: str) -> io.NodeOutput:
        return io.NodeOutput(_variant(audio, kind))


class ProbeImages(io.ComfyNode):
    """So many frames [n, 16, 16, 3] of noise, 0 of them too; fewer than 0 is None."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        inputs = [io.Int.Input("count", min=-1)]
        return io.Schema(node_id="ProbeImages", inputs=inputs, outputs=[io.Image.Output()])

    @classmethod
    def execute(cls, count: int) -> io.NodeOutput:
        generator = torch.Generator().manual_seed(0)
        return io.NodeOutput(None if count < 0 else torch.rand(count, 16, 16, 3, generator=generator))


class ProbeLook(io.ComfyNode):
    """Shows any value: type, shape, device and range of what is in it."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        inputs = [io.AnyType.Input("value")]
        return io.Schema(node_id="ProbeLook", inputs=inputs, outputs=[], is_output_node=True)

    @classmethod
    def execute(cls, value: Any) -> io.NodeOutput:
        return io.NodeOutput(ui=ui.PreviewText(_look(value)))


class ProbeForeignEncoder(io.ComfyNode):
    """An AUDIO_ENCODER that is not BEATs, and its features."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        outputs = [io.AudioEncoder.Output(), io.AudioEncoderOutput.Output()]
        return io.Schema(node_id="ProbeForeignEncoder", inputs=[], outputs=outputs)

    @classmethod
    def execute(cls) -> io.NodeOutput:
        features = {"encoded_audio": torch.zeros(1, 4, 8), "encoded_audio_all_layers": [], "audio_samples": 1}
        return io.NodeOutput(torch.nn.Linear(2, 2), features)


class ProbeUnload(io.ComfyNode):
    """What ComfyUI does when the user asks it to unload all models, or when memory runs out."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        inputs = [io.AnyType.Input("value"), io.Int.Input("nonce", default=0)]
        return io.Schema(node_id="ProbeUnload", inputs=inputs, outputs=[io.AnyType.Output()])

    @classmethod
    def execute(cls, value: Any, nonce: int) -> io.NodeOutput:
        comfy.model_management.unload_all_models()
        return io.NodeOutput(value)


class ProbeUNet(io.ComfyNode):
    """Has ComfyUI load the UNet of a text-to-video model; writes its weights and a prediction to a file."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        inputs = [io.AnyType.Input("model"), io.String.Input("name"), io.Int.Input("nonce", default=0)]
        return io.Schema(node_id="ProbeUNet", inputs=inputs, outputs=[], is_output_node=True)

    @classmethod
    def execute(cls, model: Any, name: str, nonce: int) -> io.NodeOutput:
        latents, text = noise(1, 4, 3, 4, 6), noise(2, 3, 77, 32)
        # The pack's own class: ComfyUI imports it under a name that nobody else knows.
        context = sys.modules[type(model.backbone).__module__].ContextBatch(text)
        with model.memory.loaded("denoiser", 0):
            prediction = model.backbone.denoise(latents, torch.tensor(301), context)
        tensors = {"prediction": prediction.float().contiguous()}
        (unet,) = model.backbone.parts()["denoiser"]
        tensors |= {key: value.contiguous() for key, value in unet.state_dict().items()}
        path = Path(folder_paths.get_output_directory()) / name
        save_file(tensors, path)
        return io.NodeOutput(ui=ui.PreviewText(str(path)))


def noise(*shape: int) -> torch.Tensor:
    """The same numbers for the same shape."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def _look(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        low, high = (float(value.min()), float(value.max())) if value.numel() else (0.0, 0.0)
        return f"{value.dtype} {list(value.shape)} {value.device} {low:.4f}..{high:.4f}"
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {_look(value[key])}" for key in value)
    if isinstance(value, (list, tuple)):
        return f"{type(value).__name__} of {len(value)}: {_look(value[0])}" if value else "empty"
    return repr(value) if isinstance(value, (int, float, str, type(None))) else type(value).__name__


class Probes(ComfyExtension):
    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return [
            ProbeAudio,
            ProbeImages,
            ProbeLook,
            ProbeForeignEncoder,
            ProbeUnload,
            ProbeUNet,
            ProbeSD,
            ProbeFrame,
            ProbeText,
            ProbeStates,
            ProbeFloats,
            ProbeVideoModel,
            ProbeLoaded,
            ProbeGuide,
            ProbeCancel,
            ProbeNoise,
            ProbeSigmas,
            ProbeSplit,
            ProbeRow,
            ProbeControl,
            ProbeMemory,
            ProbeJoin,
            ProbeSame,
            ProbeJson,
            ProbePooled,
            ProbeEntries,
        ]


async def comfy_entrypoint() -> Probes:
    return Probes()
