"""What a graph of a help page is, and the nodes that many of them begin with."""

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

DRAWN_LINKS = (
    "negative.CONDITIONING > sampler.negative",
    "sampler.LATENT > decode.samples",
    "decode.IMAGE > show.images",
)

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


def drawn(column: int) -> dict[str, Node]:
    """KSampler in a column, beside it what shows its video; see `DRAWN_LINKS`."""
    return {
        "sampler": ("KSampler", column, {"steps": 20, "cfg": 3.0}),
        "decode": ("VAEDecode", column + 1, {}),
        "show": ("SaveAnimatedWEBP", column + 1, {"fps": 12.0}),
    }
