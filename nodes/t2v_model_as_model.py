"""T2V Model as MODEL: a loaded text-to-video model for ComfyUI's own samplers and its other nodes."""

from __future__ import annotations

from comfy_api.latest import io

from ..a2v_core.backbones.clip_unet import CLIPUNet
from ..a2v_core.errors import A2VError
from .core_clip import core_clip, text_of
from .core_model import core_model
from .core_vae import core_vae
from .sockets import CATEGORY, T2VModel
from .t2v_model import ManagedT2V

NODE = "T2V Model as MODEL"


class A2VT2VModelAsModel(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="A2VT2VModelAsModel",
            display_name=NODE,
            category=CATEGORY,
            description=(
                "A model from Load T2V Model for ComfyUI's own nodes: KSampler and the other samplers, CLIP "
                "Text Encode, LoRA loaders, VAE Decode and Encode. The frames of the video are the batch: "
                "sample an Empty Latent Image whose batch_size is the number of frames."
            ),
            inputs=[
                T2VModel.Input(
                    "t2v_model",
                    tooltip=(
                        "From Load T2V Model: ModelScope, Zeroscope, AnimateDiff or the bundled model. Its "
                        "LoRA comes along."
                    ),
                )
            ],
            outputs=[
                io.Model.Output(
                    display_name="model",
                    tooltip="For KSampler and other samplers. Its LATENT has one entry for every frame.",
                ),
                io.Clip.Output(
                    display_name="clip", tooltip="For CLIP Text Encode and Text Encode (Audio Tokens)."
                ),
                io.Vae.Output(
                    display_name="vae", tooltip="For VAE Decode and VAE Encode, tiled or not, frame by frame."
                ),
            ],
        )

    @classmethod
    def execute(cls, t2v_model: ManagedT2V) -> io.NodeOutput:
        backbone, parts = t2v_model.backbone, t2v_model.memory.parts
        if not isinstance(backbone, CLIPUNet):
            raise A2VError(
                f"{NODE}: {t2v_model.spec.family} is no UNet with a CLIP and a VAE of pictures; load it with "
                "ComfyUI's own Load Diffusion Model, Load CLIP and Load VAE instead"
            )
        return io.NodeOutput(
            core_model(parts["denoiser"][0]),
            core_clip(text_of(backbone), parts["text"][0]),
            core_vae(backbone, parts["vae"][0]),
        )
