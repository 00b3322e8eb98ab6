"""The small graphs of the help pages, one for every node."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Graph:
    """nodes: name -> (node type, column, widget values); links: "name.output > name.input".

    run: queue the graph before the screenshot, for nodes that show their result. below: a node placed under
    the columns, with their total width.
    """

    nodes: dict[str, tuple[str, int, dict[str, Any]]]
    links: tuple[str, ...]
    run: bool = False
    widths: dict[str, int] = field(default_factory=dict)
    heights: dict[str, int] = field(default_factory=dict)
    below: str = ""


DEMO = "demo (bundled)"
WAN, ADAPTER = "wan2.1_t2v_1.3B_fp16.safetensors", "my_wan_adapter.safetensors"
VIDEO = "my_video.mp4"
Node = tuple[str, int, dict[str, Any]]
SOUND: Node = ("A2VLoadAudio", 0, {"audio": "demo (bundled): drum.wav"})
BEATS: Node = ("A2VLoadBEATs", 0, {"beats_name": DEMO})
ENCODE: Node = ("A2VBEATsEncode", 1, {"hop": "80 ms"})
LOAD_MAPPER: Node = ("A2VLoadAudioMapper", 0, {"mapper_name": DEMO})
MAPPER: Node = ("A2VAudioMapper", 1, {})
POOLING: Node = ("A2VTemporalContextPooling", 2, {})

ENCODED = {"sound": SOUND, "beats": BEATS, "encode": ENCODE}
ENCODED_LINKS = ("sound.AUDIO > encode.audio", "beats.AUDIO_ENCODER > encode.audio_encoder")
MAPPED = {**ENCODED, "load_mapper": LOAD_MAPPER, "mapper": MAPPER}
MAPPED_LINKS = (
    *ENCODED_LINKS,
    "encode.audio_features > mapper.audio_features",
    "load_mapper.mapper > mapper.mapper",
)
POOLED = {**MAPPED, "pooling": POOLING}
POOLED_LINKS = (
    *MAPPED_LINKS,
    "mapper.frame_tokens > pooling.frame_tokens",
    "load_mapper.mapper > pooling.mapper",
)

LOAD_ADAPTER: Node = ("A2VLoadAudioAdapter", 0, {"adapter_name": ADAPTER})
HEARD_LINKS = (
    "adapter.mapper > mapper.mapper",
    "adapter.mapper > pooling.mapper",
    "mapper.frame_tokens > pooling.frame_tokens",
    "pooling.audio_tokens > apply.audio_tokens",
    "adapter.audio_adapter > apply.audio_adapter",
)

GRAPHS: dict[str, Graph] = {
    "A2VLoadAudio": Graph(
        {"sound": SOUND, "play": ("PreviewAudio", 1, {})}, ("sound.AUDIO > play.audio",), run=True
    ),
    "A2VLoadBEATs": Graph(ENCODED, ENCODED_LINKS),
    "A2VBEATsEncode": Graph(MAPPED, MAPPED_LINKS),
    "A2VLoadAudioMapper": Graph(
        {"load_mapper": LOAD_MAPPER, "mapper": MAPPER, "pooling": POOLING},
        (
            "load_mapper.mapper > mapper.mapper",
            "load_mapper.mapper > pooling.mapper",
            "mapper.frame_tokens > pooling.frame_tokens",
        ),
    ),
    "A2VAudioMapper": Graph(POOLED, POOLED_LINKS),
    "A2VTemporalContextPooling": Graph(
        {
            "load_mapper": LOAD_MAPPER,
            "model": ("A2VLoadT2VModel", 0, {"model_name": DEMO}),
            "mapper": MAPPER,
            "pooling": POOLING,
            "sampler": ("A2VT2VSampler", 3, {}),
        },
        (
            "load_mapper.mapper > mapper.mapper",
            "load_mapper.mapper > pooling.mapper",
            "mapper.frame_tokens > pooling.frame_tokens",
            "pooling.audio_tokens > sampler.audio_tokens",
            "model.model > sampler.model",
        ),
        widths={"sampler": 360},
    ),
    "A2VAudioPreview": Graph(
        {**POOLED, "preview": ("A2VAudioPreview", 3, {})},
        (*POOLED_LINKS, "pooling.audio_tokens > preview.audio_tokens", "sound.AUDIO > preview.audio"),
        run=True,
        below="preview",
    ),
    "A2VLoadT2VModel": Graph(
        {
            "model": ("A2VLoadT2VModel", 0, {"model_name": DEMO}),
            "sampler": ("A2VT2VSampler", 1, {"prompt": "a video of a red ball"}),
            "show": ("SaveAnimatedWEBP", 2, {"fps": 12.0}),
        },
        ("model.model > sampler.model", "sampler.images > show.images"),
        run=True,
        widths={"sampler": 360},
    ),
    "A2VT2VSampler": Graph(
        {
            **POOLED,
            "model": ("A2VLoadT2VModel", 2, {"model_name": DEMO}),
            "sampler": ("A2VT2VSampler", 3, {}),
            "video": ("CreateVideo", 4, {}),
            "save": ("SaveVideo", 4, {"filename_prefix": "video/help"}),
        },
        (
            *POOLED_LINKS,
            "model.model > sampler.model",
            "pooling.audio_tokens > sampler.audio_tokens",
            "sound.AUDIO > sampler.audio",
            "sampler.images > video.images",
            "sampler.audio > video.audio",
            "sampler.fps > video.fps",
            "video.VIDEO > save.video",
        ),
        run=True,
        widths={"sampler": 360},
    ),
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
            "sampler": ("KSampler", 2, {"steps": 20, "cfg": 3.0}),
            "decode": ("VAEDecode", 3, {}),
            "show": ("SaveAnimatedWEBP", 3, {"fps": 12.0}),
        },
        (
            "clip.clip > positive.clip",
            "clip.clip > negative.clip",
            "model.MODEL > sampler.model",
            "positive.CONDITIONING > sampler.positive",
            "negative.CONDITIONING > sampler.negative",
            "latent.LATENT > sampler.latent_image",
            "sampler.LATENT > decode.samples",
            "vae.VAE > decode.vae",
            "decode.IMAGE > show.images",
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
            "sampler": ("KSampler", 2, {"steps": 20, "cfg": 3.0}),
            "decode": ("VAEDecode", 3, {}),
            "show": ("SaveAnimatedWEBP", 3, {"fps": 12.0}),
        },
        (
            "load.model > core.t2v_model",
            "core.clip > positive.clip",
            "core.clip > negative.clip",
            "core.model > sampler.model",
            "positive.CONDITIONING > sampler.positive",
            "negative.CONDITIONING > sampler.negative",
            "latents.LATENT > sampler.latent_image",
            "sampler.LATENT > decode.samples",
            "core.vae > decode.vae",
            "decode.IMAGE > show.images",
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
    "A2VAVAlignScore": Graph(
        {
            "video": ("LoadVideo", 0, {"file": VIDEO}),
            "parts": ("GetVideoComponents", 1, {}),
            "score": ("A2VAVAlignScore", 2, {"variant": "trusted"}),
        },
        ("video.VIDEO > parts.video", "video.VIDEO > score.images", "parts.audio > score.audio"),
        run=True,
        widths={"score": 640},
        heights={"score": 640},
    ),
}
