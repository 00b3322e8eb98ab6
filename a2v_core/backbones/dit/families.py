"""Families of video DiTs that an audio adapter can be made for, as rows of data.

Legend: f latent frames, h w latent size, S video tokens of a latent frame.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ...errors import A2VError
from ..contract import BackboneSpec


@dataclass(frozen=True)
class Family:
    """A family of video DiTs, as its published code and ComfyUI have it.

    title   what a member of it is called in messages
    spec    facts of its latents and clips; `spec.family` names it in adapter files
    patch   latent pixels along the side of a video token, which has one latent frame
    blocks  name of the model's list of blocks
    """

    title: str
    spec: BackboneSpec
    patch: int
    blocks: str

    def tokens_of_frame(self, height: int, width: int) -> int:
        """S, for a latent of that size; sides that the patch does not divide are padded."""
        return -(-height // self.patch) * -(-width // self.patch)


WAN = Family(
    "Wan 2.1 or 2.2",
    BackboneSpec(
        family="Wan",
        latent_channels=16,
        space=8,
        size_multiple=16,
        native_frames=81,
        native_size=(832, 480),
        token_width=None,
        latent_format="Wan21",
        time=4,
        first_alone=True,
    ),
    patch=2,
    blocks="blocks",
)


def _like_wan(title: str, patch: int = WAN.patch, blocks: str = WAN.blocks, **facts: Any) -> Family:
    """Another row by what it differs in."""
    return Family(title, replace(WAN.spec, **facts), patch, blocks)


FAMILIES = (
    WAN,
    _like_wan(
        "Wan 2.2 TI2V 5B",
        latent_channels=48,
        space=16,
        size_multiple=32,
        native_frames=121,
        native_size=(1280, 704),
        latent_format="Wan22",
    ),
    _like_wan(
        "LTX-Video",
        patch=1,
        blocks="transformer_blocks",
        family="LTX-Video",
        latent_channels=128,
        space=32,
        size_multiple=32,
        native_frames=97,
        native_size=(768, 512),
        latent_format="LTXV",
        time=8,
    ),
)


def family_of(name: str, latent_channels: int) -> Family:
    """The row of a family's member by the channels of its latents. A2VError if there is none."""
    for family in FAMILIES:
        if (family.spec.family, family.spec.latent_channels) == (name, latent_channels):
            return family
    known = ", ".join(f"{row.title} ({row.spec.latent_channels})" for row in FAMILIES)
    raise A2VError(f"there is no {name} with latents of {latent_channels} channels here; there are {known}")
