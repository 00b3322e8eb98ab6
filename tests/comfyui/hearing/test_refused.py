"""What does not fit together is said by name, with both numbers and the way out."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.comfyui import tiny_models
from tests.comfyui.driver import Comfy, Graph
from tests.comfyui.hearing.graphs import (
    ADAPTER,
    LTX,
    STRANGER,
    WIDE,
    WORDS,
    floats,
    hearing,
    latent,
    link,
    node,
    sampler,
    save,
)
from tests.tiny_core_wan import write_adapter

Change = Callable[[Graph], object]


def changed(change: Change) -> Graph:
    graph = hearing() | {"heard": sampler(steps=1), "save heard": save("heard")}
    change(graph)
    return graph


def set_input(name: str, **inputs: object) -> Change:
    return lambda graph: graph[name]["inputs"].update(inputs)


def foreign(name: str) -> Change:
    """Tokens of an AudioMapper from a file of its own."""

    def change(graph: Graph) -> None:
        graph["mapper"] = node("A2VLoadAudioMapper", mapper_name=name, download_if_missing=False)
        for user in ("frames", "tokens"):
            graph[user]["inputs"]["mapper"] = link("mapper")

    return change


def stable_diffusion(graph: Graph) -> None:
    graph["model"] = {"class_type": "ProbeSD", "inputs": {"kind": "sd1", "width": 32}}


def listed(values: list[float]) -> Change:
    def change(graph: Graph) -> None:
        graph["list"] = floats(values)
        graph["apply"]["inputs"]["strength_per_frame"] = link("list")

    return change


def unwired(graph: Graph) -> None:
    graph["heard"]["inputs"] |= {"positive": link("positive"), "negative": link("negative")}


def longer(graph: Graph) -> None:
    graph["latent"] = latent(33)


LAYERS = "its number of blocks is 3, that of the connected model 4. Load tiny Wan"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            set_input("frames", num_frames=16),
            "the audio tokens are for 16 frames; .*: set num_frames of AudioMapper to 17",
        ),
        (
            longer,
            r"for 17 frames \(5 latent frames\), the latent has 33 frames \(9 latent frames\): set "
            "num_frames of AudioMapper to 33, or make the latent 17 frames long",
        ),
        (set_input("model", unet_name=WIDE), LAYERS),
        (
            set_input("model", unet_name=LTX),
            r"trained for tiny Wan \(Wan\): its family is Wan, that of the connected model LTX-Video",
        ),
        (
            set_input("adapter", adapter_name=WORDS),
            "the audio adapter has the route words, .*: choose an adapter of route frame_attention or bias",
        ),
        (
            stable_diffusion,
            "the connected model is a UNetModel, which takes no audio adapter",
        ),
        (
            foreign("wide.safetensors"),
            "the audio tokens are 40 wide, the audio adapter takes 32: connect the",
        ),
        (foreign(STRANGER), "tokens were made by another AudioMapper than the adapter's: connect"),
        (listed([1.0, 0.5]), "strength_per_frame has 2 numbers, but there are 17 frames"),
        (listed([float("nan")] * 17), "strength_per_frame has numbers that are not finite"),
        (unwired, "this model hears, but the conditionings at the sampler do not come from that node"),
    ],
)
def test_what_does_not_fit_is_said(models: Comfy, change: Change, message: str) -> None:
    run = models.run(changed(change))
    assert re.match(rf"Apply Audio Adapter: .*{message}", run.message), run.message


def test_the_same_mapper_from_another_file_fits(models: Comfy) -> None:
    graph = changed(foreign(tiny_models.MAPPER))
    assert models.good(graph).error is None


def test_an_adapter_that_is_gone(models: Comfy) -> None:
    refused = models.refused(
        hearing(adapter="gone.safetensors") | {"save": node("ProbeLook", value=link("apply"))}
    )
    assert "'gone.safetensors' is not in models/a2v_audio_adapters" in refused


def test_a_file_of_another_kind(models: Comfy) -> None:
    folder = models.server.models / "a2v_audio_adapters"
    (folder / "wrong.safetensors").write_bytes((folder.parent / "loras" / "wan.safetensors").read_bytes())
    run = models.run(changed(set_input("adapter", adapter_name="wrong.safetensors")))
    assert "wrong.safetensors: is not an audio adapter" in run.message


def test_another_file_under_the_same_name_is_loaded(models: Comfy) -> None:
    path = models.server.models / "a2v_audio_adapters" / "new.safetensors"
    path.write_bytes((path.parent / ADAPTER).read_bytes())
    graph = changed(set_input("adapter", adapter_name="new.safetensors"))
    models.good(graph)
    write_adapter(path, tiny_models.mapper("time_aligned"), blocks=(1,))
    assert "adapter" in models.good(graph).ran
