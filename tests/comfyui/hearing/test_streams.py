"""Where the video lies in the stream of tokens: the sound moves its frames and nothing beside them."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from tests.comfyui.driver import Comfy, Graph
from tests.comfyui.hearing.graphs import (
    FRAMES,
    FUN,
    LAST,
    LATENT_FRAMES,
    LTX,
    LTX_LAST,
    SIDE,
    VACE,
    WAN,
    applied,
    difference,
    floats,
    hearing,
    latents,
    link,
    node,
    sampler,
)

ONCE: dict[str, Any] = {"steps": 1, "cfg": 1.0}
HEARD = 3  # the latent frame


def only(time: int) -> dict[str, Any]:
    """A strength by frame that is 1 in the frames of one latent frame."""
    return floats([float(math.ceil(frame / time) == HEARD) for frame in range(FRAMES)])


def assert_local(heard: torch.Tensor, unheard: torch.Tensor) -> None:
    others = [frame for frame in range(heard.shape[2]) if frame != HEARD]
    assert torch.equal(heard[:, :, others], unheard[:, :, others])
    assert difference(heard[:, :, HEARD], unheard[:, :, HEARD]) > 0.01


def latent(width: int, frames: int = FRAMES) -> dict[str, Any]:
    return node("EmptyHunyuanLatentVideo", width=width, height=SIDE, length=frames, batch_size=1)


def test_sides_that_the_patch_does_not_divide(models: Comfy) -> None:
    graph: Graph = hearing(adapter=LAST) | {"list": only(4), "latent": latent(40)}
    graph["apply"] = applied(strength_per_frame=link("list"))
    unheard = sampler(link("model"), link("positive"), link("negative"), **ONCE)
    assert_local(*latents(models, graph | {"heard": sampler(**ONCE), "unheard": unheard}, "heard", "unheard"))


@pytest.mark.parametrize("side", [SIDE, 2 * SIDE])
def test_a_reference_picture_before_the_video(models: Comfy, side: int) -> None:
    graph: Graph = hearing(name=FUN, adapter=LAST) | {"list": only(4), "latent": latent(side)}
    graph |= {"picture": latent(side, frames=1)}
    graph |= {"refer": node("ReferenceLatent", conditioning=link("positive"), latent=link("picture"))}
    graph["apply"] = applied(strength_per_frame=link("list"))
    graph["apply"]["inputs"]["positive"] = link("refer")
    negative = link("negative")
    graph |= {"heard": sampler(**ONCE), "unheard": sampler(link("model"), link("refer"), negative, **ONCE)}
    graph |= {"blind": sampler(link("model"), link("positive"), negative, **ONCE)}
    heard, unheard, blind = latents(models, graph, "heard", "unheard", "blind")
    assert difference(blind, unheard) > 0.01
    assert_local(heard, unheard)


def test_vace(models: Comfy) -> None:
    texts = {"positive": link("apply", 1), "negative": link("apply", 2)}
    size = {"width": SIDE, "height": SIDE, "length": FRAMES, "batch_size": 1}
    graph: Graph = hearing(name=VACE, adapter=LAST) | {"list": only(4)}
    graph |= {"vae": node("VAELoader", vae_name=WAN), "image": node("ProbeImages", count=FRAMES)}
    graph["apply"] = applied(strength_per_frame=link("list"))
    control = {"vae": link("vae"), "control_video": link("image"), "strength": 1.0}
    graph |= {"vace": node("WanVaceToVideo", **texts, **size, **control)}
    made = (link("vace", 0), link("vace", 1))
    graph |= {
        "heard": sampler(link("apply"), *made, **ONCE),
        "unheard": sampler(link("model"), *made, **ONCE),
    }
    graph |= {"blind": sampler(link("model"), link("positive"), link("negative"), **ONCE)}
    heard, unheard, blind = latents(models, graph, "heard", "unheard", "blind")
    assert heard.shape[2] == LATENT_FRAMES
    assert difference(blind, unheard) > 0.01
    assert_local(heard, unheard)


def test_guides_after_the_video(models: Comfy) -> None:
    """LTX-Video's guides are frames at the end of the latent, which have no sound."""
    frames = 33
    size = {"width": 128, "height": 96, "length": frames, "batch_size": 1}
    graph: Graph = hearing(frames, LTX_LAST, LTX) | {"latent": node("EmptyLTXVLatentVideo", **size)}
    graph |= {"list": floats([float(math.ceil(frame / 8) == HEARD) for frame in range(frames)])}
    graph["apply"] = applied(strength_per_frame=link("list"))
    texts = {"positive": link("apply", 1), "negative": link("apply", 2)}
    graph |= {"guide": node("ProbeGuide", **texts, latent=link("latent"))}
    made = (link("guide", 0), link("guide", 1))
    graph |= {"heard": sampler(link("apply"), *made, latent_image=link("guide", 2), **ONCE)}
    graph |= {"unheard": sampler(link("model"), *made, latent_image=link("guide", 2), **ONCE)}
    heard, unheard = latents(models, graph, "heard", "unheard")
    assert heard.shape[2] == 6
    assert_local(heard, unheard)
