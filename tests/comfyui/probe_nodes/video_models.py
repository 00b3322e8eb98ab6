"""What ComfyUI's own video models need in tests: text, lists of numbers, precisions, a look at its memory."""

from __future__ import annotations

import json
import logging
from typing import Any

import comfy.model_management
import comfy.sd
import folder_paths
import torch
from comfy_api.latest import io, ui
from comfy_extras.nodes_lt import LTXVAddGuide


class ProbeText(io.ComfyNode):
    """CONDITIONING of one random text [1, length, width]; with the mask that LTX-Video wants."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        sizes = [io.Int.Input("length", default=6), io.Int.Input("width", default=4096)]
        inputs = [io.Int.Input("seed"), *sizes]
        return io.Schema(node_id="ProbeText", inputs=inputs, outputs=[io.Conditioning.Output()])

    @classmethod
    def execute(cls, seed: int, length: int, width: int) -> io.NodeOutput:
        text = torch.randn(1, length, width, generator=torch.Generator().manual_seed(seed))
        return io.NodeOutput([[text, {"attention_mask": torch.ones(1, length, dtype=torch.int64)}]])


class ProbeStates(io.ComfyNode):
    """The states [1, L, C] of a CONDITIONING as a LATENT, which core can save."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        inputs = [io.Conditioning.Input("conditioning")]
        return io.Schema(node_id="ProbeStates", inputs=inputs, outputs=[io.Latent.Output()])

    @classmethod
    def execute(cls, conditioning: Any) -> io.NodeOutput:
        return io.NodeOutput({"samples": conditioning[0][0]})


class ProbeFloats(io.ComfyNode):
    """A FLOAT that is a list, as packs for schedules give it."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        inputs = [io.String.Input("values")]
        outputs = [io.Float.Output(), io.Sigmas.Output()]
        return io.Schema(node_id="ProbeFloats", inputs=inputs, outputs=outputs)

    @classmethod
    def execute(cls, values: str) -> io.NodeOutput:
        listed = json.loads(values)
        return io.NodeOutput(listed, torch.tensor(listed))


class ProbeVideoModel(io.ComfyNode):
    """A diffusion model stored in one precision that computes in another."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        inputs = [io.String.Input("name"), io.String.Input("stored"), io.String.Input("computes")]
        return io.Schema(node_id="ProbeVideoModel", inputs=inputs, outputs=[io.Model.Output()])

    @classmethod
    def execute(cls, name: str, stored: str, computes: str) -> io.NodeOutput:
        path = folder_paths.get_full_path_or_raise("diffusion_models", name)
        model = comfy.sd.load_diffusion_model(path, model_options={"dtype": getattr(torch, stored)})
        model.model.manual_cast_dtype = getattr(torch, computes)
        return io.NodeOutput(model)


class ProbeGuide(io.ComfyNode):
    """One frame of noise as a guide, by core's own function: after the latent's frames, as LTXVAddGuide."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        texts = [io.Conditioning.Input("positive"), io.Conditioning.Input("negative")]
        outputs = [io.Conditioning.Output(), io.Conditioning.Output(), io.Latent.Output()]
        return io.Schema(node_id="ProbeGuide", inputs=[*texts, io.Latent.Input("latent")], outputs=outputs)

    @classmethod
    def execute(cls, positive: Any, negative: Any, latent: Any) -> io.NodeOutput:
        samples = latent["samples"]
        guide = torch.randn(samples[:, :, :1].shape, generator=torch.Generator().manual_seed(0))
        mask = torch.ones(1, 1, *samples.shape[2:])
        scales = (8, 32, 32)
        made = LTXVAddGuide.append_keyframe(positive, negative, 0, samples, mask, guide, 1.0, scales)
        positive, negative, samples, mask = made
        return io.NodeOutput(positive, negative, {"samples": samples, "noise_mask": mask})


class ProbeCancel(io.ComfyNode):
    """A MODEL in whose first block the user presses Cancel; the log says which blocks begin after that."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        inputs = [io.Model.Input("model"), io.Int.Input("blocks"), io.Int.Input("nonce")]
        return io.Schema(node_id="ProbeCancel", inputs=inputs, outputs=[io.Model.Output()])

    @classmethod
    def execute(cls, model: Any, blocks: int, nonce: int) -> io.NodeOutput:
        watched = model.clone()

        def watch(block: int) -> Any:
            def run(args: Any, extra: Any) -> Any:
                logging.info("probe %s: block %s begins", nonce, block)
                if block == 0:
                    comfy.model_management.interrupt_current_processing()
                return extra["original_block"](args)

            return run

        for block in range(blocks):
            watched.set_model_patch_replace(watch(block), "dit", "double_block", block)
        return io.NodeOutput(watched)


class ProbeLoaded(io.ComfyNode):
    """The models that ComfyUI has loaded: one line each, its class and its size in bytes."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        inputs = [io.AnyType.Input("after")]
        return io.Schema(node_id="ProbeLoaded", inputs=inputs, outputs=[], is_output_node=True)

    @classmethod
    def execute(cls, after: Any) -> io.NodeOutput:
        loaded = [entry.model for entry in comfy.model_management.current_loaded_models]
        lines = [f"{type(patcher.model).__name__} {patcher.model_size()}" for patcher in loaded if patcher]
        return io.NodeOutput(ui=ui.PreviewText("\n".join(sorted(lines))))
