"""Several models and several conditionings: the two stages of Wan 2.2 and guidance by two scales."""

from __future__ import annotations

from typing import Any

import torch

from tests.comfyui.driver import Comfy, Graph
from tests.comfyui.hearing.graphs import (
    LOW,
    applied,
    difference,
    floats,
    hearing,
    latents,
    link,
    node,
    sampler,
)
from tests.comfyui.hearing.test_sampling import SEED, STEPS, Own, custom
from tests.tiny_core_wan import wan_transformer

BOUNDARY = 2  # the step from which on the second model samples


def test_dual_guidance(models: Comfy) -> None:
    """cfg_conds is the scale of the sound then, and cfg_cond2_negative that of the text."""
    own = Own(models)
    guider = node(
        "DualCFGGuider",
        model=link("apply"),
        cond1=link("apply", 1),
        cond2=link("positive"),
        negative=link("apply", 2),
        cfg_conds=3.0,
        cfg_cond2_negative=5.0,
        style="regular",
    )
    (found,) = latents(models, {**hearing(), **custom(guider, own.sigmas())}, "custom")
    torch.testing.assert_close(found, own.latents(5.0, 3.0), atol=2e-3, rtol=1e-3)


def two_stages() -> Graph:
    """Another model with the same adapter, whose conditionings go on from the first."""
    low = node("UNETLoader", unet_name=LOW, weight_dtype="default")
    return hearing() | {"low": low, "second": applied(model="low", texts="apply")}


def test_two_stages_equal_our_own_sampler(models: Comfy) -> None:
    own = Own(models)
    own.backbone.denoisers = (wan_transformer(), wan_transformer(seed=1))
    sigmas = own.sigmas()
    own.backbone.boundary = 1000 * (sigmas[BOUNDARY - 1] + sigmas[BOUNDARY]) / 2

    def guider(model: str) -> dict[str, Any]:
        texts = {"positive": link("second", 1), "negative": link("second", 2)}
        return node("CFGGuider", model=link(model), **texts, cfg=4.0)

    graph = {**two_stages(), **custom(guider("apply"), sigmas[: BOUNDARY + 1])}
    graph |= {"guider 2": guider("second"), "sigmas 2": floats(sigmas[BOUNDARY:])}
    graph |= {"silence": node("DisableNoise")}
    following = graph["custom"]["inputs"] | {
        "noise": link("silence"),
        "guider": link("guider 2"),
        "sigmas": link("sigmas 2", 1),
        "latent_image": link("custom"),
    }
    (found,) = latents(models, graph | {"end": node("SamplerCustomAdvanced", **following)}, "end")
    torch.testing.assert_close(found, own.latents(4.0), atol=3e-3, rtol=1e-3)


def stage(model: str, texts: str, latent: str, first: bool) -> dict[str, Any]:
    """KSamplerAdvanced, before or after the boundary."""
    return node(
        "KSamplerAdvanced",
        model=link(model),
        positive=link(texts, 1),
        negative=link(texts, 2),
        latent_image=link(latent),
        add_noise="enable" if first else "disable",
        noise_seed=SEED,
        steps=STEPS,
        cfg=4.0,
        sampler_name="euler",
        scheduler="simple",
        start_at_step=0 if first else BOUNDARY,
        end_at_step=BOUNDARY if first else 1000,
        return_with_leftover_noise="enable" if first else "disable",
    )


def test_ksampler_advanced_twice(models: Comfy) -> None:
    """Of one model in two halves it is the whole; with another model, both are heard."""
    graph = two_stages() | {"again": applied(texts="apply"), "whole": sampler(steps=STEPS)}
    graph |= {"high": stage("apply", "apply", "latent", True)}
    graph |= {"halves": stage("again", "again", "high", False)}
    graph |= {"stages": stage("second", "second", "high", False)}
    deaf = stage("low", "second", "high", False)
    whole, halves, stages, unheard = latents(
        models, {**graph, "deaf": deaf}, "whole", "halves", "stages", "deaf"
    )
    torch.testing.assert_close(halves, whole, atol=1e-4, rtol=1e-4)
    assert difference(stages, whole) > 0.1
    assert difference(stages, unheard) > 0.05


def test_conditionings_of_another_model_are_refused(models: Comfy) -> None:
    wrong = two_stages() | {"high": stage("second", "apply", "latent", True)}
    run = models.run(wrong | {"save": node("SaveLatent", samples=link("high"), filename_prefix="no")})
    assert "the conditionings at the sampler do not come from that node" in run.message
