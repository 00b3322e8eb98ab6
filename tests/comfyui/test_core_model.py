"""T2V models as core's own MODEL, CLIP and VAE, on a real ComfyUI: what core's nodes make of them."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor

from a2v_core.backbones import load_t2v, read_json
from a2v_core.backbones.clip_unet import CLIPUNet
from a2v_core.demo import demo_path
from a2v_core.prompts import ContextBatch
from a2v_core.schedules import NoiseSchedule
from tests.comfyui.core_graphs import (
    DEMO,
    FRAMES,
    MOTION,
    NEGATIVE,
    PROMPT,
    SEED,
    STEPS,
    TINY,
    ksampler,
    latents_of,
    loaded,
    node,
    t2v_sampler,
)
from tests.comfyui.driver import Comfy, Graph, node_of
from tests.tiny_motion import make_tiny_motion
from tests.tiny_t2v import make_tiny_t2v
from tests.tiny_wan import make_tiny_wan

# diffusers hands torch tensors to NumPy in ways that NumPy 2 will drop
pytestmark = pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")
ROUNDING = 1e-4  # of latents whose spread is 1 to 40
EPSILON = "epsilon"


@pytest.fixture(scope="module")
def demo() -> CLIPUNet:
    backbone = load_t2v(demo_path("t2v"))
    assert isinstance(backbone, CLIPUNet)
    return backbone


@pytest.fixture(scope="module")
def models(probes: Comfy) -> Iterator[Comfy]:
    """The server with tiny models of other families beside the bundled one, which go again."""
    folder = probes.server.models / "a2v_t2v"
    make_tiny_t2v(folder / EPSILON)
    make_tiny_motion(folder / MOTION)
    make_tiny_wan(folder / "wan")
    yield probes
    shutil.rmtree(folder)


def schedule_of(models: Comfy, model: str) -> NoiseSchedule:
    folder = demo_path("t2v") if model == DEMO else models.server.models / "a2v_t2v" / model
    return NoiseSchedule(read_json(folder / "scheduler" / "scheduler_config.json"), "euler", STEPS)


@pytest.mark.parametrize(("model", "cfg"), [(DEMO, 7.0), (DEMO, 1.0), (EPSILON, 7.0), (MOTION, 7.0)])
def test_core_samples_what_our_sampler_samples(models: Comfy, model: str, cfg: float) -> None:
    """Euler with the same noise and sigmas: models of velocity and of noise, and the betas of each."""
    schedule = schedule_of(models, model)
    sigmas = schedule.sigmas[schedule.timesteps.long()]
    whole = sigmas[0] == schedule.sigmas[-1]  # then core starts with noise alone, of variance 1 + sigma^2
    factor = float(schedule.start(torch.ones(1)) / ((1 + sigmas[0] ** 2).sqrt() if whole else sigmas[0]))
    guider = {"positive": ["positive", 0], "negative": ["negative", 0], "cfg": cfg}
    sampler = {
        "noise": ["noise", 0],
        "guider": ["guider", 0],
        "sampler": ["euler", 0],
        "sigmas": ["sigmas", 0],
        "latent_image": ["empty", 0],
    }
    base = {
        **loaded(model),
        "noise": node("ProbeNoise", seed=SEED, factor=factor),
        "guider": node("CFGGuider", model=["core", 0], **guider),
        "euler": node("KSamplerSelect", sampler_name="euler"),
        "sigmas": node("ProbeSigmas", values=json.dumps([*sigmas.tolist(), 0.0])),
    }
    found = latents_of(models, {**base, "sampler": node("SamplerCustomAdvanced", **sampler)})
    ours = latents_of(models, {**base, "ours": t2v_sampler(cfg=cfg)}, "ours", 1)
    assert ours.std() > 0.5
    assert (found - ours).abs().max() < ROUNDING * ours.std()


@pytest.mark.parametrize("cfg", [7.0, 1.0])
def test_ddim_of_ksampler_is_a_plain_loop_over_the_unet(probes: Comfy, demo: CLIPUNet, cfg: float) -> None:
    found = latents_of(probes, {**loaded(), **ksampler(sampler_name="ddim", cfg=cfg)})
    sigmas = demo.schedule().sigmas
    steps = [sigmas[-1 - int(n * len(sigmas) / STEPS)] for n in range(STEPS)] + [torch.tensor(0.0)]
    texts = ContextBatch.of([demo.encode_prompt(text, None, FRAMES) for text in (PROMPT, NEGATIVE)])
    noise = torch.randn(FRAMES, 4, 8, 8, generator=torch.Generator().manual_seed(SEED))
    x = noise * (1 + steps[0] ** 2).sqrt()
    for sigma, after in itertools.pairwise(steps):
        signal = (1 + sigma**2).rsqrt()
        timestep = (sigmas - sigma).abs().argmin()
        model_input = (x * signal).transpose(0, 1)[None]
        with torch.no_grad():
            wanted, other = demo.denoise(model_input, timestep, texts).transpose(1, 2)
        velocity = other + cfg * (wanted - other)
        clean = signal * (x * signal) - sigma * signal * velocity
        x = clean + after * (x - clean) / sigma
    torch.testing.assert_close(found, x / demo.spec.latent_scale, atol=1e-3, rtol=1e-4)


def test_split_conditionings_are_the_batched_ones(probes: Comfy) -> None:
    """Also three of them, of which two are combined."""
    base = {
        **loaded(),
        "third": node("CLIPTextEncode", clip=["core", 1], text="a blue bell"),
        "both": node("ConditioningCombine", conditioning_1=["positive", 0], conditioning_2=["third", 0]),
        "split": node("ProbeSplit", model=["core", 0]),
    }
    made: dict[str, list[Tensor]] = {}
    for positive in ("positive", "both"):
        made[positive] = [
            latents_of(probes, {**base, **ksampler(positive=[positive, 0], model=[model, 0])})
            for model in ("core", "split")
        ]
        torch.testing.assert_close(*made[positive], atol=1e-4, rtol=1e-5)
    assert (made["both"][0] - made["positive"][0]).abs().max() > 0.1


def test_the_row_of_a_frame_steers_that_frame(probes: Comfy) -> None:
    frame = 2
    row = {"conditioning": ["positive", 0], "other": ["negative", 0], "frame": frame, "frames": FRAMES}
    base = {**loaded(), "row": node("ProbeRow", **row)}
    plain, changed = (
        latents_of(probes, {**base, **ksampler(positive=[positive, 0], steps=1, cfg=1.0)})
        for positive in ("positive", "row")
    )
    change = (changed - plain).abs().mean(dim=(1, 2, 3))
    others = torch.cat([change[:frame], change[frame + 1 :]])
    assert change[frame] > 3 * others.max()


def test_text_encode_takes_the_clip(probes: Comfy, graph: Graph) -> None:
    """Audio words in the CLIP give the rows that they give in the T2V model's own text encoder."""
    pooling = node_of(graph, "A2VTemporalContextPooling")
    audio = {key: value for key, value in graph.items() if value["class_type"].startswith("A2V")}
    for kind in ("A2VT2VSampler", "A2VAVAlignScore", "A2VLoadT2VModel"):
        audio.pop(node_of(graph, kind))
    words = {"text": "a <temp> of <class>", "audio_tokens": [pooling, 0]}
    base = {
        **audio,
        **loaded(TINY),
        "clip": node("A2VTextEncode", clip=["core", 1], **words),
        "own": node("A2VTextEncode", clip=["t2v", 0], **words),
    }
    by_clip, by_model, silent = (
        latents_of(probes, {**base, **ksampler(positive=[positive, 0])})
        for positive in ("clip", "own", "positive")
    )
    torch.testing.assert_close(by_clip, by_model, atol=ROUNDING, rtol=ROUNDING)
    assert (by_clip - silent).abs().max() > 1e-2


def test_vae_nodes_see_the_models_own_vae(probes: Comfy, demo: CLIPUNet) -> None:
    graph = {
        **loaded(),
        **ksampler(),
        "decode": node("VAEDecode", samples=["sampler", 0], vae=["core", 2]),
        "images": node("SaveImage", images=["decode", 0], filename_prefix="decoded"),
        "encode": node("VAEEncode", pixels=["decode", 0], vae=["core", 2]),
    }
    latents = latents_of(probes, graph)
    frames = torch.cat(list(demo.decode(latents.transpose(0, 1)[None] * demo.spec.latent_scale)))
    saved = probes.good(graph).outputs["images"]["images"]
    shown = torch.stack([_picture(probes, picture) for picture in saved])
    assert shown.shape == (FRAMES, 64, 64, 3)
    assert (shown - frames).abs().max() < 1.5 / 255
    again = latents_of(probes, graph, "encode") * demo.spec.latent_scale
    torch.testing.assert_close(again, demo.encode(frames)[0].transpose(0, 1), atol=1e-3, rtol=1e-3)


@pytest.fixture
def lora(probes: Comfy) -> str:
    """An update of two layers of the demo's UNet, in kohya's names."""
    weights = load_file(demo_path("t2v") / "unet" / "diffusion_pytorch_model.safetensors")
    made = {}
    for layer in ("conv_out", "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k"):
        weight, name = weights[f"{layer}.weight"].float(), f"lora_unet_{layer.replace('.', '_')}"
        down = torch.randn(2, *weight.shape[1:], generator=torch.Generator().manual_seed(0)) * weight.std()
        made[f"{name}.lora_down.weight"] = down
        made[f"{name}.lora_up.weight"] = torch.ones(len(weight), 2, *[1] * (weight.ndim - 2))
    folder = probes.server.models / "loras"
    folder.mkdir(exist_ok=True)
    save_file(made, folder / "kohya.safetensors")
    return "kohya.safetensors"


def test_loras_of_core(probes: Comfy, lora: str) -> None:
    """Core's loader does what Load T2V Model does, whose own LoRA comes along; then it comes off again."""
    added = node("LoraLoaderModelOnly", model=["core", 0], lora_name=lora, strength_model=0.7)
    graph = {**loaded(), "lora": added}
    before, by_core = (latents_of(probes, {**graph, **ksampler(model=[m, 0])}) for m in ("core", "lora"))
    along = latents_of(probes, {**loaded(lora_name=lora, lora_strength=0.7), **ksampler()})
    after = latents_of(probes, {**graph, **ksampler(seed=SEED + 1)})
    again = latents_of(probes, {**graph, **ksampler()})
    torch.testing.assert_close(by_core, along, atol=ROUNDING, rtol=ROUNDING)
    assert (by_core - before).abs().max() > 1e-2
    assert (after - before).abs().max() > 1e-2
    torch.testing.assert_close(again, before, atol=ROUNDING, rtol=ROUNDING)


def test_loras_of_the_text_encoder(probes: Comfy) -> None:
    """By the names that core knows; the T2V model's own text stays what it was."""
    name = "lora_te_text_model_encoder_layers_0_mlp_fc1"
    halves = {f"{name}.lora_up.weight": torch.ones(256, 2), f"{name}.lora_down.weight": torch.ones(2, 128)}
    folder = probes.server.models / "loras"
    folder.mkdir(exist_ok=True)
    save_file(halves, folder / "text.safetensors")
    strengths = {"strength_model": 0.0, "strength_clip": 0.5}
    ends = {"model": ["core", 0], "clip": ["core", 1], "lora_name": "text.safetensors"}
    graph = {
        **loaded(),
        "lora": node("LoraLoader", **ends, **strengths),
        "changed": node("CLIPTextEncode", clip=["lora", 1], text=PROMPT),
        "own": node("A2VTextEncode", clip=["t2v", 0], text=PROMPT),
    }
    changed, own, plain = (
        latents_of(probes, {**graph, **ksampler(positive=[text, 0])})
        for text in ("changed", "own", "positive")
    )
    assert (changed - plain).abs().max() > 1e-2
    torch.testing.assert_close(own, plain, atol=ROUNDING, rtol=ROUNDING)


def _picture(comfy: Comfy, saved: dict[str, Any]) -> Tensor:
    path = comfy.server.output / saved["subfolder"] / saved["filename"]
    return torch.from_numpy(np.array(Image.open(path).convert("RGB"))).float() / 255


def test_weights_are_counted_once_and_loaded_whole(probes: Comfy) -> None:
    graph = {
        **loaded(),
        **ksampler(),
        "ours": t2v_sampler(),
        "decode": node("VAEDecode", samples=["sampler", 0], vae=["core", 2]),
        "both": node("ImageBatch", image1=["ours", 0], image2=["decode", 0]),
        "memory": node(
            "ProbeMemory", model=["core", 0], clip=["core", 1], vae=["core", 2], after=["both", 0]
        ),
    }
    (text,) = probes.good(graph).outputs["memory"]["text"]
    assert json.loads(text) == {"held": [1, 1, 1], "loaded": [0, 1.0]}


def test_previews_and_cancel(probes: Comfy) -> None:
    slow = {**loaded(), **ksampler(steps=900, seed=8), "save": node("SaveLatent", samples=["sampler", 0])}
    slow["save"]["inputs"]["filename_prefix"] = "cancelled"
    run, seconds = probes.cancel_at(slow, "sampler", 3)
    assert run.interrupted == "KSampler"
    assert seconds < 4.0
    slow["sampler"]["inputs"]["steps"] = STEPS
    assert len(probes.previews(slow)) >= STEPS


@pytest.mark.parametrize(
    ("positive", "latent", "model", "message"),
    [
        ("control", "empty", DEMO, "takes no ControlNet: disconnect it"),
        ("positive", "video", DEMO, "got 5 dimensions: use Empty Latent Image, its batch_size the number"),
        ("positive", "empty", "wan", "T2V Model as MODEL: Wan is no UNet with a CLIP"),
    ],
)
def test_what_cannot_be_is_said(models: Comfy, positive: str, latent: str, model: str, message: str) -> None:
    graph = {
        **loaded(model),
        "control": node("ProbeControl", conditioning=["positive", 0]),
        "video": node("EmptyHunyuanLatentVideo", width=64, height=64, length=5, batch_size=1),
        **ksampler(positive=[positive, 0], latent_image=[latent, 0]),
        "save": node("SaveLatent", samples=["sampler", 0], filename_prefix="none"),
    }
    assert message in models.run(graph).message
