"""Text-to-video model folders: as published, and everything that can be wrong with them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from a2v_core.backbones import Part, load_t2v
from a2v_core.backbones.unet3d.load import load_unet3d
from a2v_core.errors import A2VError, CheckpointError
from a2v_core.sampling import decode_video
from tests.golden_recipe import recipe
from tests.tiny_t2v import SCHEDULER, TEXT_WIDTH, make_tiny_t2v, tiny_text_encoder, write_json

UNET_FILE = "diffusion_pytorch_model.safetensors"


@pytest.fixture
def folder(tiny_folder: Path, tmp_path: Path) -> Path:
    """A copy to be broken."""
    return shutil.copytree(tiny_folder, tmp_path / "model")


def stored_weight(key: str, like: torch.Tensor) -> torch.Tensor:
    return recipe(key.removeprefix("text_model."), like.shape)  # transformers 4 has this prefix, 5 has not


def test_facts_and_weights(tiny_folder: Path) -> None:
    backbone = load_unet3d(tiny_folder)
    assert backbone.spec.native_frames == 24
    assert backbone.spec.native_size == (64, 64)
    assert backbone.spec.token_width == TEXT_WIDTH
    assert backbone.spec.latent_channels == 4
    assert backbone.spec.space == 8
    assert backbone.device == torch.device("cpu")
    assert backbone.scheduler_config == {k: v for k, v in SCHEDULER.items() if not k.startswith("_")}
    for module in (backbone.unet, backbone.vae, backbone.text_encoder):
        assert not module.training
        assert all(p.dtype == torch.float32 and not p.requires_grad for p in module.parameters())
        assert all(p.device.type == "cpu" for p in (*module.parameters(), *module.buffers()))
        for key, value in module.state_dict().items():
            assert torch.equal(value, stored_weight(key, value)), key


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_settings_that_an_editor_of_windows_saved(folder: Path, encoding: str) -> None:
    for name in (
        "model_index.json",
        "unet/config.json",
        "vae/config.json",
        "scheduler/scheduler_config.json",
    ):
        text = (folder / name).read_text(encoding="utf-8")
        (folder / name).write_text(text, encoding=encoding)
    assert load_unet3d(folder).spec.token_width == TEXT_WIDTH


@torch.no_grad()
def test_equals_diffusers_and_transformers_own_loading(tiny_folder: Path) -> None:
    from diffusers import AutoencoderKL, UNet3DConditionModel
    from transformers import CLIPTextModel

    backbone = load_unet3d(tiny_folder)
    ids = torch.arange(10)[None]
    text = CLIPTextModel.from_pretrained(tiny_folder / "text_encoder", local_files_only=True)
    states = backbone.text_encoder(ids).last_hidden_state
    torch.testing.assert_close(states, text(ids).last_hidden_state)
    options = {"local_files_only": True, "low_cpu_mem_usage": False}
    unet = UNet3DConditionModel.from_pretrained(tiny_folder / "unet", **options)
    latents = torch.randn(1, 4, 2, 4, 4)
    torch.testing.assert_close(backbone.unet(latents, 5, states).sample, unet(latents, 5, states).sample)
    vae = AutoencoderKL.from_pretrained(tiny_folder / "vae", **options)
    picture = backbone.vae.decode(latents[:, :, 0]).sample
    torch.testing.assert_close(picture, vae.decode(latents[:, :, 0]).sample)


@pytest.mark.parametrize("weights", ["safetensors", "bin"])
@pytest.mark.parametrize("stored", [torch.float16, torch.float32])
@pytest.mark.parametrize(
    ("name", "dtype"), [("fp32", torch.float32), ("fp16", torch.float16), ("bf16", torch.bfloat16)]
)
def test_file_kinds_and_dtypes(
    tmp_path: Path, weights: str, stored: torch.dtype, name: str, dtype: torch.dtype
) -> None:
    backbone = load_unet3d(make_tiny_t2v(tmp_path / "m", weights=weights, dtype=stored), name)
    for module in (backbone.unet, backbone.vae, backbone.text_encoder):
        for key, value in module.state_dict().items():
            assert value.dtype == dtype
            assert torch.equal(value, stored_weight(key, value).to(stored).to(dtype)), key
    context = backbone.encode_prompt("a ball", None, 2)
    assert context.states.dtype == dtype
    frames = decode_video(backbone, torch.zeros(1, 4, 2, 2, 2))
    assert frames.shape == (2, 16, 16, 3)
    assert torch.equal(backbone.encode(frames).isfinite(), torch.ones(1, 4, 2, 2, 2, dtype=torch.bool))


def test_fp16_variant_file_is_found(folder: Path) -> None:
    (folder / "unet" / UNET_FILE).rename(folder / "unet" / "diffusion_pytorch_model.fp16.safetensors")
    assert load_unet3d(folder).unet.conv_in.weight.isfinite().all()


def test_weights_in_several_files(folder: Path) -> None:
    path = folder / "unet" / UNET_FILE
    tensors = load_file(path)
    path.unlink()
    halves: dict[str, dict[str, torch.Tensor]] = {"a.safetensors": {}, "b.safetensors": {}}
    for number, (key, value) in enumerate(tensors.items()):
        halves["ab"[number % 2] + ".safetensors"][key] = value
    for name, half in halves.items():
        save_file(half, folder / "unet" / name)
    places = {key: name for name, half in halves.items() for key in half}
    write_json(folder / "unet" / f"{UNET_FILE}.index.json", {"weight_map": places})
    loaded = load_unet3d(folder).unet.state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in tensors.items())
    (folder / "unet" / "b.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"unet.b\.safetensors: no such file"):
        load_unet3d(folder)


def test_old_names_of_vae_attention(folder: Path) -> None:
    """As in the published VAE files, from before diffusers 0.15."""
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    tensors = load_file(folder / "vae" / UNET_FILE)
    renamed = {}
    for key, value in tensors.items():
        for new, name in old.items():
            key = key.replace(f".attentions.0.{new}.", f".attentions.0.{name}.")
        renamed[key] = value
    assert "encoder.mid_block.attentions.0.proj_attn.bias" in renamed
    save_file(renamed, folder / "vae" / UNET_FILE)
    loaded = load_unet3d(folder).vae.state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in tensors.items())


def test_text_encoder_saved_by_a_newer_transformers(folder: Path) -> None:
    """Without the `text_model.` prefix and the position ids."""
    encoder = load_unet3d(folder).text_encoder
    shutil.rmtree(folder / "text_encoder")
    encoder.save_pretrained(folder / "text_encoder")
    loaded = load_unet3d(folder).text_encoder.state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in encoder.state_dict().items())


def test_tokenizer_saved_by_transformers(folder: Path) -> None:
    before = load_unet3d(folder).encode_prompt("the an, of", None, 1).states
    tokenizer = load_unet3d(folder).tokenizer
    shutil.rmtree(folder / "tokenizer")
    tokenizer.save_pretrained(folder / "tokenizer")
    assert torch.equal(load_unet3d(folder).encode_prompt("the an, of", None, 1).states, before)


def test_padding_of_the_tokenizer_folder_is_kept(folder: Path) -> None:
    assert load_unet3d(folder).tokenizer.pad_token_id == 0
    marks = folder / "tokenizer" / "special_tokens_map.json"
    write_json(marks, {**json.loads(marks.read_text()), "pad_token": {"content": "<|endoftext|>"}})
    tokenizer = load_unet3d(folder).tokenizer
    assert tokenizer.pad_token_id == tokenizer.eos_token_id


def edit_config(part: str, **changes: Any) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        name = "scheduler_config.json" if part == "scheduler" else "config.json"
        path = folder / part / name
        write_json(path, {**json.loads(path.read_text()), **changes})

    return edit


def swap_weights(folder: Path) -> None:
    shutil.copy(folder / "vae" / UNET_FILE, folder / "unet" / UNET_FILE)


def drop_tensor(folder: Path) -> None:
    tensors = load_file(folder / "unet" / UNET_FILE)
    del tensors["conv_in.weight"]
    save_file(tensors, folder / "unet" / UNET_FILE)


def truncate(folder: Path) -> None:
    path = folder / "vae" / UNET_FILE
    path.write_bytes(path.read_bytes()[:5000])


def other_text_width(folder: Path) -> None:
    encoder = tiny_text_encoder(94, 64)
    shutil.rmtree(folder / "text_encoder")
    encoder.save_pretrained(folder / "text_encoder")


def small_vocabulary(folder: Path) -> None:
    encoder = tiny_text_encoder(90)
    shutil.rmtree(folder / "text_encoder")
    encoder.save_pretrained(folder / "text_encoder")


def remove(name: str) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return edit


def write(name: str, content: str) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        (folder / name).write_text(content)

    return edit


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (remove("model_index.json"), r"diffusers layout, model_index\.json is missing"),
        (remove("vae"), r"lacks the folder vae; download the whole model"),
        (remove("scheduler"), r"lacks the folder scheduler"),
        (remove("unet/config.json"), r"unet.config\.json: no such file"),
        (remove(f"unet/{UNET_FILE}"), r"unet: holds no weights; expected diffusion_pytorch_model\.safeten"),
        (remove("text_encoder/model.safetensors"), r"text_encoder: holds no weights; expected model\.safet"),
        (remove("tokenizer/vocab.json"), r"vocab\.json: no such file"),
        (remove("tokenizer/merges.txt"), r"merges\.txt: no such file"),
        (remove("scheduler/scheduler_config.json"), r"scheduler_config\.json: no such file"),
        (write("unet/config.json", "{"), r"unet.config\.json: is not valid JSON"),
        (write("vae/config.json", "[]"), r"vae.config\.json: holds a list"),
        (write("tokenizer/vocab.json", "{"), r"tokenizer: the tokenizer cannot be read"),
        (truncate, r"vae.*truncated or corrupt"),
        (swap_weights, r"unet.*expected UNet weights, but this file looks like a VAE"),
        (drop_tensor, r"1 missing: conv_in\.weight"),
        (edit_config("unet", _class_name="UNet2DConditionModel"), r"unet: is a UNet2DConditionModel, expec"),
        (edit_config("vae", _class_name="AutoencoderTiny"), r"vae: is a AutoencoderTiny"),
        (edit_config("text_encoder", model_type="t5"), r"text_encoder: is a t5, expected a clip_text_model"),
        (edit_config("unet", block_out_channels=[8]), r"unet.config\.json: does not describe a model"),
        (edit_config("unet", cross_attention_dim=64), r"text width is 64 in unet but 32 in text_encoder"),
        (edit_config("scheduler", prediction_type="flow"), r"predicts 'flow'"),
        (edit_config("scheduler", _class_name="FlowMatchEulerDiscreteScheduler"), r"for a FlowMatch"),
        (other_text_width, r"text width is 32 in unet but 64 in text_encoder"),
        (small_vocabulary, r"tokenizer has 94 words, the text_encoder only 90"),
    ],
)
def test_what_is_wrong_is_named(folder: Path, damage: Callable[[Path], None], message: str) -> None:
    damage(folder)
    with pytest.raises(CheckpointError, match=message):
        load_unet3d(folder)


def test_not_a_folder(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such folder; put the text-to-video model there"):
        load_unet3d(tmp_path / "none")
    file = tmp_path / "zeroscope.safetensors"
    file.write_bytes(b"x")
    with pytest.raises(CheckpointError, match="is a file; a text-to-video model is a folder"):
        load_unet3d(file)


def test_a_misfit_in_8_bits(folder: Path) -> None:
    path = folder / "unet" / UNET_FILE
    tensors = load_file(path)
    key = "down_blocks.0.resnets.0.conv1.weight"
    save_file({**tensors, key: tensors[key].flatten()[:3].clone()}, path)
    with pytest.raises(CheckpointError, match=rf"wrong shape.*{key}"):
        load_unet3d(folder, "fp8")


def test_unknown_dtype(tiny_folder: Path) -> None:
    with pytest.raises(A2VError, match="Unknown dtype 'int4': choose one of fp32, fp16, bf16, fp8"):
        load_t2v(tiny_folder, "int4")


def test_index_cannot_lead_out_of_the_folder(folder: Path) -> None:
    path = folder / "unet" / UNET_FILE
    path.rename(folder / "stolen.safetensors")
    write_json(folder / "unet" / f"{UNET_FILE}.index.json", {"weight_map": {"x": "../stolen.safetensors"}})
    with pytest.raises(CheckpointError, match=r"unet.stolen\.safetensors: no such file"):
        load_unet3d(folder)
    write_json(folder / "unet" / f"{UNET_FILE}.index.json", {"weight_map": None})
    with pytest.raises(CheckpointError, match="has no weight_map"):
        load_unet3d(folder)


def test_parts_alone(tiny_folder: Path) -> None:
    whole = load_unet3d(tiny_folder)
    combinations: list[tuple[Part, ...]] = [("text", "denoiser"), ("vae",)]
    for parts in combinations:
        some = load_t2v(tiny_folder, parts=parts)
        assert tuple(some.parts()) == parts
        assert some.spec == whole.spec
        assert some.device == torch.device("cpu")
        for part, (network,) in some.parts().items():
            weights = network.state_dict()
            for key, value in whole.parts()[part][0].state_dict().items():
                assert torch.equal(value, weights[key])


def test_a_model_of_no_known_family(folder: Path) -> None:
    edit_config("unet", _class_name="UNetOther")(folder)
    with pytest.raises(CheckpointError, match="is a UNetOther, expected one of UNet3DConditionModel"):
        load_t2v(folder)
