"""Graphs with the models and samplers of ComfyUI itself."""

from __future__ import annotations

from .graph import ADAPTER, DEMO, DRAWN_LINKS, LOAD_MAPPER, MAPPER, POOLING, WAN, Graph, Node, drawn

LOAD_ADAPTER: Node = ("A2VLoadAudioAdapter", 0, {"adapter_name": ADAPTER})
HEARD_LINKS = (
    "adapter.mapper > mapper.mapper",
    "adapter.mapper > pooling.mapper",
    "mapper.frame_tokens > pooling.frame_tokens",
    "pooling.audio_tokens > apply.audio_tokens",
    "adapter.audio_adapter > apply.audio_adapter",
)


GRAPHS: dict[str, Graph] = {
    "A2VLoadAudioAdapter": Graph(
        {
            "adapter": LOAD_ADAPTER,
            "mapper": MAPPER,
            "pooling": POOLING,
            "apply": ("A2VApplyAudioAdapter", 3, {}),
        },
        HEARD_LINKS,
    ),
    "A2VApplyAudioAdapter": Graph(
        {
            "model": ("UNETLoader", 0, {"unet_name": WAN}),
            "adapter": LOAD_ADAPTER,
            "mapper": ("A2VAudioMapper", 1, {"num_frames": 81, "fps": 16.0}),
            "pooling": POOLING,
            "positive": ("CLIPTextEncode", 2, {"text": "a drummer on a stage"}),
            "negative": ("CLIPTextEncode", 2, {"text": ""}),
            "apply": ("A2VApplyAudioAdapter", 3, {}),
            "latent": ("EmptyHunyuanLatentVideo", 3, {"width": 832, "height": 480, "length": 81}),
            "sampler": ("KSampler", 4, {}),
        },
        (
            *HEARD_LINKS,
            "model.MODEL > apply.model",
            "positive.CONDITIONING > apply.positive",
            "negative.CONDITIONING > apply.negative",
            "apply.model > sampler.model",
            "apply.positive > sampler.positive",
            "apply.negative > sampler.negative",
            "latent.LATENT > sampler.latent_image",
        ),
    ),
    "A2VLoadDemoCLIP": Graph(
        {
            "model": ("UNETLoader", 0, {"unet_name": "a2v_demo_wan.safetensors"}),
            "clip": ("A2VLoadDemoCLIP", 0, {}),
            "vae": ("VAELoader", 0, {"vae_name": "a2v_demo_wan_vae.safetensors"}),
            "positive": ("CLIPTextEncode", 1, {"text": "a video of a red ball bouncing"}),
            "negative": ("CLIPTextEncode", 1, {"text": ""}),
            "latent": ("EmptyHunyuanLatentVideo", 1, {"width": 64, "height": 64, "length": 25}),
            **drawn(2),
        },
        (
            "clip.clip > positive.clip",
            "clip.clip > negative.clip",
            "model.MODEL > sampler.model",
            "positive.CONDITIONING > sampler.positive",
            "latent.LATENT > sampler.latent_image",
            "vae.VAE > decode.vae",
            *DRAWN_LINKS,
        ),
        run=True,
    ),
    "A2VT2VModelAsModel": Graph(
        {
            "load": ("A2VLoadT2VModel", 0, {"model_name": DEMO}),
            "core": ("A2VT2VModelAsModel", 0, {}),
            "positive": ("CLIPTextEncode", 1, {"text": "a video of a red ball"}),
            "negative": ("CLIPTextEncode", 1, {"text": ""}),
            "latents": ("EmptyLatentImage", 1, {"width": 64, "height": 64, "batch_size": 12}),
            **drawn(2),
        },
        (
            "load.model > core.t2v_model",
            "core.clip > positive.clip",
            "core.clip > negative.clip",
            "core.model > sampler.model",
            "positive.CONDITIONING > sampler.positive",
            "latents.LATENT > sampler.latent_image",
            "core.vae > decode.vae",
            *DRAWN_LINKS,
        ),
        run=True,
        widths={"positive": 260, "negative": 260},
        heights={"positive": 120, "negative": 120},
    ),
    "A2VTextEncode": Graph(
        {
            "sd": ("CheckpointLoaderSimple", 0, {}),
            "load_mapper": LOAD_MAPPER,
            "mapper": MAPPER,
            "pooling": POOLING,
            "negative": ("CLIPTextEncode", 2, {"text": "blurry"}),
            "encode": ("A2VTextEncode", 3, {}),
            "latents": ("EmptyLatentImage", 3, {"width": 512, "height": 512}),
            "sampler": ("KSampler", 4, {}),
        },
        (
            "load_mapper.mapper > mapper.mapper",
            "load_mapper.mapper > pooling.mapper",
            "mapper.frame_tokens > pooling.frame_tokens",
            "pooling.audio_tokens > encode.audio_tokens",
            "sd.CLIP > encode.clip",
            "sd.CLIP > negative.clip",
            "sd.MODEL > sampler.model",
            "mapper.num_frames > latents.batch_size",
            "encode.conditioning > sampler.positive",
            "negative.CONDITIONING > sampler.negative",
            "latents.LATENT > sampler.latent_image",
        ),
        widths={"encode": 340},
    ),
}
