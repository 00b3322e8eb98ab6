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

HEARD_EVENTS_LINKS = ("sound.AUDIO > events.audio", "beats.AUDIO_ENCODER > events.audio_encoder")
WATER: Node = ("A2VLoadAudio", 0, {"audio": "demo (bundled): water_drops.wav"})
CUT = {"fps": 16.0, "shortest": 1.0, "longest": 4.0, "lengths": "Wan (4n+1)"}

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
    "A2VSoundSchedule": Graph(
        {
            "sound": SOUND,
            "schedule": ("A2VSoundSchedule", 1, {"fps": 12.0, "release": 0.3}),
            "text": ("PreviewAny", 2, {}),
        },
        ("sound.AUDIO > schedule.audio", "schedule.keyframes > text.source"),
        run=True,
        widths={"schedule": 560},
    ),
    "A2VScheduledPrompt": Graph(
        {
            "sound": SOUND,
            "load": ("A2VLoadT2VModel", 0, {"model_name": DEMO}),
            "core": ("A2VT2VModelAsModel", 0, {}),
            "schedule": ("A2VSoundSchedule", 1, {"fps": 12.0, "release": 1.2}),
            "rest": ("CLIPTextEncode", 2, {"text": "a video of a blue ball still"}),
            "hit": ("CLIPTextEncode", 2, {"text": "a video of a blue ball top"}),
            "negative": ("CLIPTextEncode", 2, {"text": ""}),
            "travel": ("A2VScheduledPrompt", 3, {}),
            "latents": ("EmptyLatentImage", 3, {"width": 64, "height": 64}),
            "sampler": ("KSampler", 3, {"steps": 20, "cfg": 3.0}),
            "decode": ("VAEDecode", 4, {}),
            "show": ("SaveAnimatedWEBP", 4, {"fps": 12.0}),
        },
        (
            "sound.AUDIO > schedule.audio",
            "load.model > core.t2v_model",
            "core.clip > rest.clip",
            "core.clip > hit.clip",
            "core.clip > negative.clip",
            "rest.CONDITIONING > travel.prompt_0",
            "hit.CONDITIONING > travel.prompt_1",
            "schedule.floats > travel.floats",
            "schedule.frames > latents.batch_size",
            "core.model > sampler.model",
            "travel.conditioning > sampler.positive",
            "negative.CONDITIONING > sampler.negative",
            "latents.LATENT > sampler.latent_image",
            "sampler.LATENT > decode.samples",
            "core.vae > decode.vae",
            "decode.IMAGE > show.images",
        ),
        run=True,
        widths={"schedule": 420},
        heights={"rest": 110, "hit": 110, "negative": 90},
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
    "A2VSoundEvents": Graph(
        {"sound": SOUND, "beats": BEATS, "events": ("A2VSoundEvents", 1, {"phrases": "ball: a ball hits"})},
        HEARD_EVENTS_LINKS,
        run=True,
        widths={"events": 640},
        heights={"events": 640},
    ),
    "A2VTimedPrompts": Graph(
        {
            "sound": WATER,
            "beats": BEATS,
            "events": ("A2VSoundEvents", 1, {}),
            "prompts": (
                "A2VTimedPrompts",
                2,
                {
                    "phrases": "drop: a drop falls into water",
                    "template": "macro photo, {label}",
                    "quiet": "macro photo, still water",
                    "longest": 0.5,
                    "fps": 16.0,
                },
            ),
            "local": ("PreviewAny", 3, {}),
            "lengths": ("PreviewAny", 3, {}),
        },
        (
            *HEARD_EVENTS_LINKS,
            "events.events > prompts.events",
            "prompts.local_prompts > local.source",
            "prompts.segment_lengths > lengths.source",
        ),
        run=True,
        widths={"prompts": 420},
        heights={"prompts": 700, "local": 240, "lengths": 160},
    ),
    "A2VCutList": Graph(
        {"sound": WATER, "cut": ("A2VCutList", 1, CUT)},
        ("sound.AUDIO > cut.audio",),
        run=True,
        widths={"cut": 640},
        heights={"cut": 760},
    ),
    "A2VSegmentOfAudio": Graph(
        {
            "sound": WATER,
            "cut": ("A2VCutList", 1, CUT),
            "segment": ("A2VSegmentOfAudio", 2, {}),
            "play": ("PreviewAudio", 3, {}),
            "frames": ("PreviewAny", 3, {}),
        },
        (
            "sound.AUDIO > cut.audio",
            "sound.AUDIO > segment.audio",
            "cut.start > segment.start",
            "cut.frames > segment.frames",
            "cut.fps > segment.fps",
            "segment.audio > play.audio",
            "segment.frames > frames.source",
        ),
        run=True,
        widths={"cut": 420},
        heights={"cut": 640, "frames": 200},
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
