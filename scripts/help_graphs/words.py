"""Graphs from a sound to words, to a video, and to its score."""

from __future__ import annotations

from .graph import (
    DEMO,
    ENCODED,
    ENCODED_LINKS,
    LOAD_MAPPER,
    MAPPED,
    MAPPED_LINKS,
    MAPPER,
    POOLED,
    POOLED_LINKS,
    POOLING,
    SOUND,
    VIDEO,
    Graph,
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
    "A2VBestTake": Graph(
        {
            **POOLED,
            "model": ("A2VLoadT2VModel", 2, {"model_name": DEMO}),
            "first": ("A2VT2VSampler", 3, {"seed": 3, "steps": 5}),
            "second": ("A2VT2VSampler", 4, {"seed": 1, "steps": 5}),
            "batch": ("ImageBatch", 5, {}),
            "best": ("A2VBestTake", 5, {"fps": 12.0, "frames_per_take": 24}),
        },
        (
            *POOLED_LINKS,
            "model.model > first.model",
            "model.model > second.model",
            "pooling.audio_tokens > first.audio_tokens",
            "pooling.audio_tokens > second.audio_tokens",
            "first.images > batch.image1",
            "second.images > batch.image2",
            "batch.IMAGE > best.takes",
            "sound.AUDIO > best.audio",
        ),
        run=True,
        widths={"best": 560},
        heights={"best": 640},
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
