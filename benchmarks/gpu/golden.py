"""Golden values on a device: what the published code computed, within the tolerances of the CPU's tests."""

from __future__ import annotations

import json
import shutil
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from a2v_core.audio import BEATs, BEATsConfig, beats_fbank
from a2v_core.backbones import load_t2v, to_device
from a2v_core.prompts import ContextBatch, FrameContext, encode_ids
from a2v_core.sampling import SampleSettings, sample
from a2v_core.tokens import AudioMapper
from tests.golden_recipe import GOLDEN, fill_module, recipe
from tests.tiny_t2v import make_tiny_t2v

from .exact import check, full_float32, largest, relative, within
from .job import Job
from .record import Note

WORDS = ("temp", "local1", "local2", "local3", "local4", "class")
STEP_SECONDS = 0.16
ROWS = (0, 11, 23)  # of the text: the frames whose states are among the golden values


@torch.no_grad()
def beats(job: Job, note: Note) -> None:
    """The filter bank and all layers of BEATs of the published size."""
    golden, layout = _golden("beats"), _layout("beats_official_layout")
    with torch.device("meta"):
        model = BEATs(BEATsConfig.from_cfg(layout["cfg"]))
    model.load_state_dict(fill_module(layout["state_dict"]), assign=True)
    model.eval().to(job.device)
    sounds = {
        key: golden[f"waveform_{key}"].to(job.device)
        for key in ("2s", "1p0s") + (() if job.tiny else ("10p0s",))
    }
    with full_float32():
        bank = beats_fbank(sounds["2s"])
        layers = model(bank)
        last = {key: model(beats_fbank(sound))[-1] for key, sound in sounds.items()}
    rows = within({"filter bank": largest(bank, golden["fbank_2s"])}, 1e-3)
    found = {f"layer {n}": largest(layers[n][0], golden[f"layer{n}_2s_clip0"]) for n in (0, 5, 11)}
    found |= {f"last layer, {key}": largest(value, golden[f"final_{key}"]) for key, value in last.items()}
    rows |= within(found, 2e-4)
    note(**rows)
    note(with_tf32_relative=relative(model(bank)[-1], golden["final_2s"]))
    check(rows)


@torch.no_grad()
def mapper(job: Job, note: Note) -> None:
    """All words of the AudioMapper of the published size."""
    golden = _golden("mapper")
    with torch.device("meta"):
        model = AudioMapper()
    model.load_state_dict(fill_module(_layout("mapper_official_layout")), assign=True)
    model.eval().to(job.device)
    tokens = 96
    features = (recipe(f"input{tokens}", (2, tokens, 9216)) * 96).view(2, tokens // 8, 8, 9216)
    times = torch.arange(tokens // 8) * STEP_SECONDS
    with full_float32():
        words = model(features.to(job.device), times, 24, 12.0)
    found = {}
    for word in WORDS:
        expected = golden[f"{word}_{tokens}"]
        found[word] = largest(
            words[word], expected[:, None].expand(-1, 24, -1) if expected.ndim == 2 else expected
        )
    rows = within(found, 1e-5)
    note(**rows)
    check(rows)


@torch.no_grad()
def text(job: Job, note: Note) -> None:
    """The text encoder of the published size with audio tokens in the prompt."""
    from transformers import CLIPTextConfig, CLIPTextModel

    golden, layout = _golden("clip_splice"), _layout("clip_layout")
    with torch.device("meta"):
        encoder = CLIPTextModel(CLIPTextConfig(**layout["config"]))
    inner = getattr(encoder, "text_model", encoder)
    inner.embeddings.position_ids = torch.arange(77)[None]
    layout["state_dict"].pop("text_model.embeddings.position_ids")
    weights = fill_module(layout["state_dict"])
    inner.load_state_dict(
        {key.removeprefix("text_model."): value for key, value in weights.items()}, assign=True
    )
    encoder.eval().to(job.device)
    rows = list(ROWS)
    tokens = {word: recipe(word, (1, 24, 1024))[0, rows] * 32 for word in WORDS[:-1]}
    tokens["class"] = (recipe("class", (1, 1024)) * 32).expand(3, -1)
    stacked = torch.stack([tokens[word] for word in WORDS], dim=1)
    found = {}
    for case in ("temp_local_class", "class_only_with_text"):
        with full_float32():
            states = encode_ids(encoder, golden[f"{case}_ids"].expand(3, -1), stacked, first_word_id=49408)
        found[case] = largest(states, golden[case])
    checked = within(found, 1e-4)
    note(**checked)
    check(checked)


@torch.no_grad()
def unet(job: Job, note: Note) -> None:
    """The UNet with a text per frame, and sampled latents with guidance."""
    from diffusers import UNet3DConditionModel

    golden, layout = _golden("unet_sampler"), _layout("unet_layout")
    model = UNet3DConditionModel(**layout["unet_config"])
    model.load_state_dict(fill_module(layout["state_dict"]))
    # The other networks of the folder are not asked for anything.
    folder = make_tiny_t2v(job.folder / "golden", text_width=64, scheduler=layout["scheduler"])
    shutil.rmtree(folder / "unet")
    model.save_pretrained(folder / "unet")
    backbone = load_t2v(folder, parts=["denoiser"])
    to_device(backbone, job.device)
    noise = recipe("latents", (1, 4, 24, 16, 16)) * 32
    texts = recipe("per_frame_text", (24, 77, 64)) * (77 * 64) ** 0.5
    negative = recipe("negative_text", (1, 77, 64)) * (77 * 64) ** 0.5
    contexts = (
        FrameContext(texts, torch.arange(24)),
        FrameContext(negative, torch.zeros(24, dtype=torch.int64)),
    )
    state, t = ContextBatch(texts[None]), torch.tensor(501)
    with full_float32():
        predicted = backbone.denoise(noise, t, state)
    rows = within({"one evaluation": relative(predicted, golden["unet_out_t501"])}, 1e-4)
    note(**rows)
    for steps, scale in () if job.tiny else ((5, 25.0), (8, 9.0)):
        settings = SampleSettings(steps, scale, width=128, height=128, num_frames=24)
        expected = golden[f"latents_steps{steps}_cfg{scale:g}"]
        name = f"latents, {steps} steps, cfg {scale:g}"
        with full_float32():
            exact = relative(sample(backbone, *contexts, settings, latents=noise), expected)
        rows |= within({name: exact}, 1e-3)
        rows[name]["with_tf32"] = relative(sample(backbone, *contexts, settings, latents=noise), expected)
        note(**rows)
    check(rows)


def _golden(name: str) -> dict[str, Tensor]:
    return load_file(GOLDEN / f"{name}.safetensors")


def _layout(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text())
    return found
