"""What a sampler is given from outside: its noise and its sigmas; and core's samplers without batching."""

from __future__ import annotations

import json
from typing import Any

import comfy.controlnet
import comfy.model_management
import comfy.samplers
import torch
from comfy_api.latest import io, ui


class _Noise:
    """Noise [F, c, h, w] in the order in which the pack's own sampler draws it, times a factor."""

    def __init__(self, seed: int, factor: float) -> None:
        self.seed, self._factor = seed, factor

    def generate_noise(self, latent: dict[str, Any]) -> torch.Tensor:
        frames, *shape = latent["samples"].shape
        generator = torch.Generator("cpu").manual_seed(self.seed)
        drawn = torch.randn(1, shape[0], frames, *shape[1:], generator=generator)
        return drawn[0].transpose(0, 1) * self._factor


class ProbeNoise(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        inputs = [io.Int.Input("seed"), io.Float.Input("factor", default=1.0, min=0.0, max=1e6)]
        return io.Schema(node_id="ProbeNoise", inputs=inputs, outputs=[io.Noise.Output()])

    @classmethod
    def execute(cls, seed: int, factor: float) -> io.NodeOutput:
        return io.NodeOutput(_Noise(seed, factor))


class ProbeSigmas(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        inputs = [io.String.Input("values")]
        return io.Schema(node_id="ProbeSigmas", inputs=inputs, outputs=[io.Sigmas.Output()])

    @classmethod
    def execute(cls, values: str) -> io.NodeOutput:
        return io.NodeOutput(torch.tensor(json.loads(values), dtype=torch.float32))


def _one_by_one(args: dict[str, Any]) -> list[torch.Tensor]:
    """As core does when memory is short: a forward for every conditioning."""
    common = args["input"], args["sigma"], args["model_options"]
    options = {**common[2]}
    del options["sampler_calc_cond_batch_function"]
    done = [
        comfy.samplers.calc_cond_batch(args["model"], [cond], common[0], common[1], options)[0]
        for cond in args["conds"]
    ]
    return list(done)


class ProbeSplit(io.ComfyNode):
    """A MODEL whose conditionings are never denoised in one batch."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        inputs = [io.Model.Input("model")]
        return io.Schema(node_id="ProbeSplit", inputs=inputs, outputs=[io.Model.Output()])

    @classmethod
    def execute(cls, model: Any) -> io.NodeOutput:
        split = model.clone()
        split.set_model_sampler_calc_cond_batch_function(_one_by_one)
        return io.NodeOutput(split)


class ProbeRow(io.ComfyNode):
    """A CONDITIONING with the row of one frame taken from another."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        inputs = [
            io.Conditioning.Input("conditioning"),
            io.Conditioning.Input("other"),
            io.Int.Input("frame"),
            io.Int.Input("frames"),
        ]
        return io.Schema(node_id="ProbeRow", inputs=inputs, outputs=[io.Conditioning.Output()])

    @classmethod
    def execute(cls, conditioning: Any, other: Any, frame: int, frames: int) -> io.NodeOutput:
        rows = conditioning[0][0][:1].repeat(frames, 1, 1)
        rows[frame] = other[0][0][0]
        return io.NodeOutput([[rows, conditioning[0][1]]])


class _Control(comfy.controlnet.ControlBase):
    """A ControlNet that changes nothing."""

    def get_control(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return {"output": []}

    def copy(self) -> _Control:
        made = _Control()
        self.copy_to(made)
        return made


class ProbeControl(io.ComfyNode):
    """A CONDITIONING with a ControlNet, as core's node for them applies one."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        inputs = [io.Conditioning.Input("conditioning")]
        return io.Schema(node_id="ProbeControl", inputs=inputs, outputs=[io.Conditioning.Output()])

    @classmethod
    def execute(cls, conditioning: Any) -> io.NodeOutput:
        added = {"control": _Control(), "control_apply_to_uncond": True}
        return io.NodeOutput([[states, {**extra, **added}] for states, extra in conditioning])


def _times_held(module: torch.nn.Module) -> int:
    """How many of the models that ComfyUI counts have weights of this one."""
    own = {id(weight) for weight in module.parameters()}
    models = [one.model.model for one in comfy.model_management.current_loaded_models]
    return sum(any(id(weight) in own for weight in model.parameters()) for model in models)


class ProbeMemory(io.ComfyNode):
    """How often ComfyUI holds each of these, and how much of a MODEL is loaded in hardly any memory."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        inputs = [
            io.Model.Input("model"),
            io.Clip.Input("clip"),
            io.Vae.Input("vae"),
            io.AnyType.Input("after"),
        ]
        return io.Schema(node_id="ProbeMemory", inputs=inputs, outputs=[], is_output_node=True)

    @classmethod
    def execute(cls, model: Any, clip: Any, vae: Any, after: Any) -> io.NodeOutput:
        held = [_times_held(patcher.model) for patcher in (model, clip.patcher, vae.patcher)]
        kept = model.partially_unload(model.offload_device, 1)
        model.detach()
        model.partially_load(model.load_device, 1)
        loaded = [kept, model.loaded_size() / model.model_size()]
        return io.NodeOutput(ui=ui.PreviewText(json.dumps({"held": held, "loaded": loaded})))
