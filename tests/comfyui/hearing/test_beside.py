"""The adapter beside whatever else people put on a MODEL or a CONDITIONING."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.comfyui.driver import Comfy, Graph
from tests.comfyui.hearing.graphs import (
    BIAS,
    FRAMES,
    I2V,
    LTX,
    OTHER,
    SIDE,
    TI2V,
    WAN,
    applied,
    difference,
    floats,
    hearing,
    latent,
    latents,
    link,
    node,
    plain,
    sampler,
)

HEARD = 0.05  # how much a sound moves these latents at least


def close(one: torch.Tensor, other: torch.Tensor, tolerance: float = 1e-4) -> None:
    torch.testing.assert_close(one, other, atol=tolerance, rtol=1e-3)


def test_a_batch(models: Comfy) -> None:
    graph = {**hearing(), "one": sampler(), "latents": latent(batch=2)}
    both = {"latent_image": link("latents")}
    graph |= {"two": sampler(**both), "unheard": plain(**both)}
    one, two, unheard = latents(models, graph, "one", "two", "unheard")
    assert len(two) == 2
    close(two[:1], one)
    assert difference(two[1], unheard[1]) > HEARD


def test_a_lora_before_and_after(models: Comfy) -> None:
    def lora(model: str) -> dict[str, Any]:
        return node("LoraLoaderModelOnly", model=link(model), lora_name=WAN, strength_model=1.0)

    graph = hearing() | {"before": lora("model"), "after": lora("apply"), "apply 2": applied(model="before")}
    second = [link("apply 2", output) for output in range(3)]
    graph |= {"first": sampler(*second), "last": sampler(link("after")), "without": sampler()}
    graph |= {"unheard": sampler(link("before"), link("positive"), link("negative"))}
    first, last, without, unheard = latents(models, graph, "first", "last", "without", "unheard")
    assert torch.equal(first, last)
    assert difference(first, without) > HEARD
    assert difference(first, unheard) > HEARD


@pytest.mark.parametrize(
    ("stored", "computes", "tolerance"),
    [
        ("float8_e4m3fn", "float32", 1e-6),
        ("bfloat16", "float32", 1e-6),
        ("float16", "float32", 1e-6),
        ("bfloat16", "bfloat16", 0.1),
        ("float16", "float16", 0.02),
    ],
)
def test_precisions(models: Comfy, stored: str, computes: str, tolerance: float) -> None:
    """Weights as they are stored, the adapter's in the precision that the model computes in."""
    graph = hearing(sound_cfg=2.0)
    exact = node("ProbeVideoModel", name=WAN, stored=stored, computes="float32")
    graph |= {"model": node("ProbeVideoModel", name=WAN, stored=stored, computes=computes), "exact": exact}
    graph |= {"heard": sampler(), "unheard": plain(), "apply 2": applied(model="exact", sound_cfg=2.0)}
    graph |= {"expected": sampler(*(link("apply 2", output) for output in range(3)))}
    heard, unheard, expected = latents(models, graph, "heard", "unheard", "expected")
    effect = difference(heard, unheard)
    assert effect > HEARD
    assert difference(heard, expected) < tolerance * effect


def test_the_loaders_own_fp8(models: Comfy) -> None:
    graph = hearing()
    graph["model"]["inputs"]["weight_dtype"] = "fp8_e4m3fn"
    heard, unheard = latents(models, {**graph, "heard": sampler(), "unheard": plain()}, "heard", "unheard")
    assert difference(heard, unheard) > HEARD


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("sound_cfg", [1.0, 3.0])
def test_easycache(models: Comfy, place: str, sound_cfg: float) -> None:
    """It reuses nothing below its threshold, and something above; with and without sound it keeps apart."""
    steps: dict[str, Any] = {"steps": 8}
    graph = {**hearing(sound_cfg=sound_cfg), "exact": sampler(**steps)}
    for name, threshold in (("never", 0.0), ("often", 3.0)):
        cached = node(
            "EasyCache",
            model=link("model" if place == "before" else "apply"),
            reuse_threshold=threshold,
            start_percent=0.1,
            end_percent=0.95,
            verbose=False,
        )
        graph[f"cached {name}"] = cached
        if place == "before":
            graph[f"apply {name}"] = applied(model=f"cached {name}", sound_cfg=sound_cfg)
            graph[name] = sampler(*(link(f"apply {name}", output) for output in range(3)), **steps)
        else:
            graph[name] = sampler(link(f"cached {name}"), **steps)
    exact, never, often = latents(models, graph, "exact", "never", "often")
    close(never, exact)
    assert difference(often, exact) > HEARD


def test_skip_layer_guidance(models: Comfy) -> None:
    """The layer that it skips is skipped with the audio after it; before and after are the same."""

    def skip(model: str, layer: str) -> dict[str, Any]:
        percents = {"start_percent": 0.0, "end_percent": 1.0, "rescaling_scale": 0.0}
        layers = {"double_layers": layer, "single_layers": ""}
        return node("SkipLayerGuidanceDiT", model=link(model), scale=2.0, **layers, **percents)

    graph = hearing() | {"skip": skip("apply", "2"), "before": skip("model", "2")}
    graph |= {"apply 2": applied(model="before"), "heard": sampler()}
    graph |= {"after": sampler(link("skip")), "first": sampler(*(link("apply 2", n) for n in range(3)))}
    graph |= {"unheard": sampler(link("before"), link("positive"), link("negative"))}
    heard, after, first, unheard = latents(models, graph, "heard", "after", "first", "unheard")
    assert torch.equal(after, first)
    assert difference(after, heard) > HEARD
    assert difference(after, unheard) > HEARD


def test_combined_conditionings(models: Comfy) -> None:
    """One step without guidance is linear: the mean of both."""
    once: dict[str, Any] = {"steps": 1, "cfg": 1.0}
    graph = hearing() | {"heard": sampler(**once), "unheard": plain(**once)}
    parts = {"conditioning_1": link("apply", 1), "conditioning_2": link("positive")}
    graph |= {"both": node("ConditioningCombine", **parts), "mixed": sampler(positive=link("both"), **once)}
    heard, unheard, mixed = latents(models, graph, "heard", "unheard", "mixed")
    close(mixed, (heard + unheard) / 2)
    assert difference(mixed, heard) > HEARD / 2


def test_ranges_of_timesteps(models: Comfy) -> None:
    """A sound for the first steps alone, by core's node or by this node's own widget."""

    def ranged(conditioning: list[Any], start: float, end: float) -> dict[str, Any]:
        return node("ConditioningSetTimestepRange", conditioning=conditioning, start=start, end=end)

    steps: dict[str, Any] = {"steps": 4}
    graph = hearing() | {
        "early": ranged(link("apply", 1), 0.0, 0.6),
        "late": ranged(link("positive"), 0.6, 1.0),
    }
    parts = {"conditioning_1": link("early"), "conditioning_2": link("late")}
    graph |= {"both": node("ConditioningCombine", **parts), "core": sampler(positive=link("both"), **steps)}
    graph |= {"half": applied(end_percent=0.6), "rest": applied(start_percent=0.6)}
    graph |= {"own": sampler(*(link("half", output) for output in range(3)), **steps)}
    graph |= {"other": sampler(*(link("rest", output) for output in range(3)), **steps)}
    graph |= {"whole": sampler(**steps), "unheard": plain(**steps)}
    core, own, other, whole, unheard = latents(models, graph, "core", "own", "other", "whole", "unheard")
    close(core, own)
    for one, another in ((own, whole), (own, unheard), (other, whole), (other, unheard), (own, other)):
        assert difference(one, another) > HEARD


def test_strength_by_frame_is_a_factor(models: Comfy) -> None:
    graph = hearing(strength=2.0) | {
        "list": floats([0.25] * FRAMES),
        "number": node("PrimitiveFloat", value=0.25),
    }
    half = applied(strength=0.5)
    listed, single = (applied(strength=2.0, strength_per_frame=link(name)) for name in ("list", "number"))
    for name, made in (("half", half), ("listed", listed), ("single", single)):
        graph |= {name: made, f"{name} sampled": sampler(*(link(name, output) for output in range(3)))}
    found = latents(models, graph, "half sampled", "listed sampled", "single sampled")
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])


def test_a_gate_of_zero_is_the_model_as_it_was(models: Comfy) -> None:
    """The negative output and strength 0 give what the unpatched model gives, bit by bit."""
    graph = hearing() | {"silent": sampler(positive=link("apply", 2)), "zero": applied(strength=0.0)}
    graph |= {"nothing": sampler(*(link("zero", output) for output in range(3))), "unheard": plain()}
    negative = sampler(link("model"), link("negative"), link("negative"))
    silent, nothing, unheard, twice = latents(
        models, {**graph, "twice": negative}, "silent", "nothing", "unheard", "twice"
    )
    assert torch.equal(silent, twice)
    assert torch.equal(nothing, unheard)


def test_two_adapters_add_up(models: Comfy) -> None:
    """Also the same one twice: half and half of a bias is the whole bias."""
    graph = hearing(adapter=BIAS) | {"other": node("A2VLoadAudioAdapter", adapter_name=OTHER)}
    graph |= {"half": applied(strength=0.5)}
    graph |= {"halves": applied(model="half", texts="half", strength=0.5)}
    graph |= {"more": applied(model="apply", texts="apply", adapter="other")}
    graph |= {"alone": applied(adapter="other")}
    names = ("apply", "halves", "more", "alone")
    graph |= {f"{name} sampled": sampler(*(link(name, output) for output in range(3))) for name in names}
    one, halves, both, other = latents(models, graph, *(f"{name} sampled" for name in names))
    close(halves, one)
    assert difference(both, one) > HEARD
    assert difference(both, other) > HEARD


def test_image_to_video(models: Comfy) -> None:
    """The start image goes in beside the latent; before the adapter or after it."""

    def started(positive: list[Any], negative: list[Any]) -> dict[str, Any]:
        size = {"width": SIDE, "height": SIDE, "length": FRAMES, "batch_size": 1}
        texts = {"positive": positive, "negative": negative}
        return node("WanImageToVideo", **texts, vae=link("vae"), **size, start_image=link("image"))

    graph = hearing(name=I2V) | {
        "vae": node("VAELoader", vae_name=WAN),
        "image": node("ProbeImages", count=1),
    }
    graph |= {"start": started(link("positive"), link("negative"))}
    graph["apply"]["inputs"] |= {"positive": link("start", 0), "negative": link("start", 1)}
    graph |= {"heard": sampler(), "unheard": sampler(link("model"), link("start", 0), link("start", 1))}
    graph |= {"apply 2": applied(), "start 2": started(link("apply 2", 1), link("apply 2", 2))}
    graph |= {
        "after": sampler(link("apply 2"), link("start 2", 0), link("start 2", 1)),
        "blind": sampler(link("apply 2"), link("apply 2", 1), link("apply 2", 2)),
    }
    heard, unheard, after, blind = latents(models, graph, "heard", "unheard", "after", "blind")
    assert torch.equal(heard, after)
    assert difference(heard, unheard) > HEARD
    assert difference(heard, blind) > HEARD


@pytest.mark.parametrize(("name", "channels"), [(TI2V, 48), (LTX, 128)])
def test_other_families(models: Comfy, name: str, channels: int) -> None:
    """TI2V 5B has other latents, LTX-Video other blocks and eight frames in a latent frame."""
    graph: Graph = hearing(name=name, sound_cfg=2.0)
    if name == LTX:
        graph["adapter"]["inputs"]["adapter_name"] = LTX
        size = {"width": 128, "height": 96, "length": FRAMES, "batch_size": 1}
        graph["latent"] = node("EmptyLTXVLatentVideo", **size)
    graph |= {"heard": sampler(), "unheard": plain(), "apply 2": applied()}
    graph |= {"silent": sampler(link("apply 2"), *[link("apply 2", 2)] * 2)}
    graph |= {"twice": sampler(link("model"), link("negative"), link("negative"))}
    heard, unheard, silent, twice = latents(models, graph, "heard", "unheard", "silent", "twice")
    assert heard.shape[1] == channels
    assert difference(heard, unheard) > HEARD
    assert torch.equal(silent, twice)
