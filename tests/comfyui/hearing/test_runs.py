"""What a run does beside its result: what it encodes, keeps in memory, and how it is cancelled."""

from __future__ import annotations

import psutil
from safetensors.torch import load_file

from tests.comfyui.driver import Comfy
from tests.comfyui.hearing.graphs import (
    ADAPTER,
    WAN,
    applied,
    hearing,
    link,
    node,
    sampler,
    save,
)

PROMPTS, WARM_UP = 20, 4
MOST_GROWTH = 16 * 2**20  # a leaked tiny Wan in every fourth prompt is more


def test_another_seed_encodes_nothing_again(models: Comfy) -> None:
    graph = hearing() | {"heard": sampler(seed=100), "save heard": save("heard")}
    models.good(graph)
    graph["heard"]["inputs"]["seed"] = 101
    assert models.good(graph).ran == {"heard", "save heard"}
    graph["apply"]["inputs"]["strength"] = 0.5
    assert models.good(graph).ran == {"apply", "heard", "save heard"}


def test_weights_count_once(models: Comfy) -> None:
    """Applied to two models and twice to one, with a LoRA after it: the adapter is loaded, one time."""
    graph = hearing(sound_cfg=2.0) | {"second": applied(texts="apply", model="apply")}
    lora = node("LoraLoaderModelOnly", model=link("second"), lora_name=WAN, strength_model=1.0)
    graph |= {"lora": lora, "other": node("UNETLoader", unet_name=WAN, weight_dtype="default")}
    graph |= {"third": applied(model="other")}
    graph |= {"one": sampler(link("lora"), link("second", 1), link("second", 2))}
    three = [link("third", output) for output in range(3)]
    graph |= {"two": sampler(*three, latent_image=link("one"))}
    graph |= {"unload": node("ProbeUnload", value=link("model"), nonce=3)}
    graph["apply"]["inputs"]["model"] = link("unload")
    graph |= {"loaded": node("ProbeLoaded", after=link("two"))}
    (lines,) = models.good(graph).outputs["loaded"]["text"]
    adapters = [line for line in lines.splitlines() if line.startswith("AudioAdapter ")]
    (line,) = adapters
    file = models.server.models / "a2v_audio_adapters" / ADAPTER
    layers = sum(
        tensor.numel() * tensor.element_size()
        for name, tensor in load_file(file).items()
        if name.startswith("attention.")
    )
    assert line == f"AudioAdapter {layers}"
    assert "memory leak" not in models.server.log_text()


def test_twenty_prompts(models: Comfy) -> None:
    """A seed each, and a new strength, with which the node runs again."""
    server = psutil.Process(models.server.process.pid)
    graph = hearing(sound_cfg=2.0) | {"heard": sampler(steps=1), "save heard": save("heard")}

    def run(first: int, count: int) -> int:
        for number in range(first, first + count):
            graph["heard"]["inputs"]["seed"] = number
            graph["apply"]["inputs"]["strength"] = 1 + number / 1000
            models.good(graph)
        return int(server.memory_info().rss)

    before = run(1000, WARM_UP)
    after = run(2000, PROMPTS)
    print(f"resident memory: {before / 2**20:.0f} MiB, {PROMPTS} prompts later {after / 2**20:.0f} MiB")
    assert after - before < MOST_GROWTH


def test_cancel_takes_effect_within_a_step(models: Comfy) -> None:
    """Pressed while the first block runs, it ends the only step before the second begins."""
    graph = hearing() | {"watched": node("ProbeCancel", model=link("model"), blocks=3, nonce=77)}
    graph["apply"] = applied(model="watched")
    run = models.run(graph | {"heard": sampler(steps=1), "save heard": save("heard")})
    assert run.interrupted == "KSampler"
    log = models.server.log_text()
    assert "probe 77: block 0 begins" in log
    assert "probe 77: block 1 begins" not in log
    again = hearing() | {"heard": sampler(), "save heard": save("heard")}
    assert models.good(again).error is None
