"""Context windows: every frame hears its own sound, whichever window it is in."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from tests.comfyui.driver import Comfy, Graph
from tests.comfyui.hearing.graphs import (
    LAST,
    applied,
    difference,
    floats,
    hearing,
    latents,
    link,
    node,
    plain,
    sampler,
)

FRAMES, LATENT_FRAMES = 37, 10
NEWER = ("freenoise", "retain_first_frame", "split_conds_to_windows")  # widgets that 0.3.75 does not have
ONCE: dict[str, Any] = {"steps": 1, "cfg": 1.0}


def windows(model: str, schedule: str = "standard_static", closed_loop: bool = False) -> dict[str, Any]:
    """Of 5 latent frames, 2 of them shared."""
    return node(
        "WanContextWindowsManual",
        model=link(model),
        context_length=17,
        context_overlap=8,
        context_schedule=schedule,
        context_stride=1,
        closed_loop=closed_loop,
        fuse_method="pyramid",
        **dict.fromkeys(NEWER, False),
    )


def only(latent_frame: int) -> list[float]:
    """A strength by frame that is 1 in the frames of one latent frame."""
    return [float(math.ceil(frame / 4) == latent_frame) for frame in range(FRAMES)]


def test_without_windows_a_gate_is_local(models: Comfy) -> None:
    """After the last block nothing mixes the frames any more."""
    graph = hearing(FRAMES, LAST) | {"list": floats(only(4)), "unheard": plain(**ONCE)}
    graph["apply"] = applied(strength_per_frame=link("list"))
    heard, unheard = latents(models, {**graph, "heard": sampler(**ONCE)}, "heard", "unheard")
    assert difference(heard[:, :, 4], unheard[:, :, 4]) > 0.01
    others = [frame for frame in range(LATENT_FRAMES) if frame != 4]
    assert torch.equal(heard[:, :, others], unheard[:, :, others])


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize(("schedule", "loop"), [("standard_static", False), ("looped_uniform", True)])
def test_a_gate_is_local_through_windows(models: Comfy, place: str, schedule: str, loop: bool) -> None:
    graph: Graph = hearing(FRAMES, LAST) | {"windowed": windows("model", schedule, loop)}
    graph["unheard"] = sampler(link("windowed"), link("positive"), link("negative"), **ONCE)
    whole = sampler(link("before all"), *(link("all", n) for n in (1, 2)), **ONCE)
    graph |= {"all": applied(), "before all": windows("all", schedule, loop), "whole": whole}
    frames = (0, 4, 9)
    for frame in frames:
        gate, apply, made = f"list {frame}", f"apply {frame}", f"heard {frame}"
        graph[gate] = floats(only(frame))
        graph[apply] = applied("windowed" if place == "before" else "model", strength_per_frame=link(gate))
        model = apply
        if place == "after":
            model = f"windowed {frame}"
            graph[model] = windows(apply, schedule, loop)
        graph[made] = sampler(link(model), link(apply, 1), link(apply, 2), **ONCE)
    unheard, heard, *each = latents(
        models, graph, "unheard", "whole", *(f"heard {frame}" for frame in frames)
    )
    assert difference(heard, unheard) > 0.01
    for frame, found in zip(frames, each, strict=True):
        others = [other for other in range(LATENT_FRAMES) if other != frame]
        assert torch.equal(found[:, :, others], unheard[:, :, others])
        assert difference(found[:, :, frame], unheard[:, :, frame]) > 0.01
        # With all frames heard, this frame hears the same.
        torch.testing.assert_close(found[:, :, frame], heard[:, :, frame], atol=1e-4, rtol=1e-4)


def test_guidance_by_the_sound_through_windows(models: Comfy) -> None:
    """One step is linear in the scale."""
    graph = hearing(FRAMES) | {"windowed": windows("model")}
    for scale in (1.0, 2.0, 3.0):
        graph[f"apply {scale}"] = applied("windowed", sound_cfg=scale)
        graph[f"{scale}"] = sampler(*(link(f"apply {scale}", output) for output in range(3)), steps=1)
    one, two, three = latents(models, graph, "1.0", "2.0", "3.0")
    assert difference(one, two) > 0.01
    torch.testing.assert_close(three - two, two - one, atol=1e-3, rtol=1e-3)
