"""Text-to-video models from a hub: folders of many files, of one repository or two, none of them half."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from a2v_core.backbones.load import load_t2v
from a2v_core.models import DownloadError, fetch, make_plan, own_model
from a2v_core.models.errors import NotThereError
from a2v_core.models.hub import choose_files
from tests.models.plans import planned, tree
from tests.models.server import COMMIT, Server
from tests.tiny_wan import make_tiny_wan

Files = dict[str, bytes]
ZEROSCOPE = "cerspense/zeroscope_v2_576w"


def test_a_text_to_video_model_by_name(hub: Server, tmp_path: Path, t2v_files: Files) -> None:
    hub.add_repo(ZEROSCOPE, t2v_files)
    plan = planned("zeroscope", tmp_path)
    assert plan.size == sum(file.size or 0 for file in plan.files)
    assert plan.licence == "CC-BY-NC-4.0: no commercial use"
    assert all(file.sha256 or file.git_sha1 for file in plan.files)
    seen: list[tuple[int, int | None]] = []
    target = fetch(plan, lambda done, total: seen.append((done, total)))
    assert target == tmp_path / "zeroscope_v2_576w"
    assert seen[-1] == (plan.size, plan.size)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert load_t2v(target).spec.token_width == 32
    left_out = {"zs2_576w/text2video_pytorch_model.pth", "unet/diffusion_pytorch_model.bin"}
    assert left_out <= set(t2v_files)
    assert tree(target) == set(t2v_files) - left_out - {"vae/diffusion_pytorch_model.fp16.safetensors"}
    asked = len(hub.requests)
    assert planned("zeroscope", tmp_path).done
    assert fetch(planned("zeroscope", tmp_path)) == target
    assert len(hub.requests) == asked


def test_half_a_model_is_never_under_its_name(hub: Server, tmp_path: Path, t2v_files: Files) -> None:
    served = hub.add_repo(ZEROSCOPE, t2v_files)
    big = served["unet/diffusion_pytorch_model.safetensors"]
    big.cut = [50_000]

    def stop(done: int, total: int | None) -> None:
        if not big.cut:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(planned("zeroscope", tmp_path), stop)
    assert not (tmp_path / "zeroscope_v2_576w").exists()
    assert not list(tmp_path.rglob("model_index.json"))
    again = planned("zeroscope", tmp_path)
    assert 0 < again.received < (again.size or 0)
    before = len(hub.requests)
    assert load_t2v(fetch(again)).spec.token_width == 32
    assert len(hub.requests) - before < 2 * len(again.files)  # what was whole is not asked for again


def test_a_folder_with_holes_is_mended(hub: Server, tmp_path: Path, t2v_files: Files) -> None:
    hub.add_repo(ZEROSCOPE, t2v_files)
    target = fetch(planned("zeroscope", tmp_path))
    (target / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    before = len(hub.asked(f"/{ZEROSCOPE}/resolve/{COMMIT}/unet/config.json"))
    assert load_t2v(fetch(planned("zeroscope", tmp_path))).spec.token_width == 32
    assert len(hub.asked(f"/{ZEROSCOPE}/resolve/{COMMIT}/unet/config.json")) == before


def test_a_model_of_another_kind_shows_before_its_weights_come(
    hub: Server, tmp_path: Path, t2v_files: Files
) -> None:
    hub.add_repo("me/pictures", t2v_files | {"unet/config.json": b'{"_class_name": "UNet2DConditionModel"}'})
    model = own_model("t2v", "me/pictures")
    with pytest.raises(DownloadError, match=r"is a UNet2DConditionModel, expected one of UNet3DCond"):
        fetch(make_plan(model, tmp_path))
    assert not [path for path, _ in hub.requests if path.startswith("/cdn/")]


def test_a_folder_of_animatediff(hub: Server, tmp_path: Path, motion_folder: Path) -> None:
    hub.add_repo("me/motion", files_of(motion_folder))
    target = fetch(make_plan(own_model("t2v", "me/motion"), tmp_path))
    assert load_t2v(target).fingerprint() == load_t2v(motion_folder).fingerprint()
    assert not (target / "motion_adapter").exists()  # its weights are in the UNet's


def files_of(folder: Path) -> Files:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_animatediff_by_name_is_two_repositories(hub: Server, tmp_path: Path, adapter_folder: Path) -> None:
    """Stable Diffusion 1.5, which has files of other layouts too, and a motion adapter in its folder."""
    whole = files_of(adapter_folder)
    motion = {name.removeprefix("motion_adapter/"): body for name, body in whole.items() if "motion_" in name}
    pictures = {name: body for name, body in whole.items() if not name.startswith("motion_")}
    hub.add_repo(
        "stable-diffusion-v1-5/stable-diffusion-v1-5",
        pictures | {"v1-5-pruned.safetensors": b"in one file", "safety_checker/a.bin": b"not used"},
    )
    hub.add_repo("guoyww/animatediff-motion-adapter-v1-5-2", motion | {"README.md": b"# Motion"})
    plan = planned("animatediff", tmp_path)
    assert plan.licence == "CreativeML OpenRAIL-M (Stable Diffusion 1.5); Apache-2.0 (AnimateDiff)"
    assert "with the motion adapter of guoyww/animatediff-motion-adapter-v1-5-2" in plan.origin
    target = fetch(plan)
    assert target == tmp_path / "animatediff-v1-5-2"
    assert tree(target) == set(whole)
    assert load_t2v(target).fingerprint() == load_t2v(adapter_folder).fingerprint()
    assert planned("animatediff", tmp_path).done
    (target / "motion_adapter" / "diffusion_pytorch_model.safetensors").unlink()
    assert not planned("animatediff", tmp_path).done


def test_a_repository_without_a_motion_adapter_is_told(
    hub: Server, tmp_path: Path, adapter_folder: Path
) -> None:
    hub.add_repo("stable-diffusion-v1-5/stable-diffusion-v1-5", files_of(adapter_folder))
    hub.add_repo("guoyww/animatediff-motion-adapter-v1-5-2", {"mm.ckpt": b"of another layout"})
    with pytest.raises(
        DownloadError, match=r"v1-5-2: is no motion adapter in the diffusers layout, it has no"
    ):
        planned("animatediff", tmp_path)


def test_wan_by_name_with_two_denoisers_in_pieces(hub: Server, tmp_path: Path) -> None:
    import diffusers
    import transformers

    source = make_tiny_wan(tmp_path / "source", second=True)
    expected = load_t2v(source)
    kinds = {
        "transformer": diffusers.WanTransformer3DModel,
        "transformer_2": diffusers.WanTransformer3DModel,
        "text_encoder": transformers.UMT5EncoderModel,
    }
    for part, kind in kinds.items():
        network = kind.from_pretrained(source / part)
        shutil.rmtree(source / part)
        network.save_pretrained(source / part, max_shard_size="20KB")
    whole = files_of(source)
    assert {part: sum(part == name.split("/")[0] for name in whole) > 3 for part in kinds} == dict.fromkeys(
        kinds, True
    )
    extra = {"assets/logo.png": b"picture", "google/umt5-xxl/spiece.model": b"of another layout"}
    hub.add_repo("Wan-AI/Wan2.2-T2V-A14B-Diffusers", whole | extra, licence="apache-2.0")
    plan = planned("wan2.2-14b", tmp_path / "models")
    assert plan.licence == "Apache-2.0"
    target = fetch(plan)
    assert tree(target) == set(whole)
    found = load_t2v(target)
    assert found.fingerprint() == expected.fingerprint()
    texts = [model.encode_prompt("a red ball", None, 9).states for model in (found, expected)]
    assert torch.equal(*texts)
    (target / "transformer_2" / "diffusion_pytorch_model.safetensors.index.json").unlink()
    for piece in (target / "transformer_2").glob("*.safetensors"):
        piece.unlink()
    assert not planned("wan2.2-14b", tmp_path / "models").done


def test_which_weights_are_taken() -> None:
    rest = ["model_index.json", "vae/diffusion_pytorch_model.bin", "text_encoder/pytorch_model.bin"]
    unet = "unet/diffusion_pytorch_model"
    both = [*rest, f"{unet}.bin", f"{unet}.safetensors", f"{unet}.fp16.safetensors", "unet/../x.json"]
    assert choose_files(both, "me/x") == ["model_index.json", f"{unet}.safetensors", *rest[1:]]
    assert f"{unet}.fp16.safetensors" in choose_files(both, "me/x", "fp16")
    pieces = [f"{unet}-0000{n}-of-00002.safetensors" for n in (1, 2)]
    parts = [*rest, f"{unet}.safetensors.index.json", *pieces, f"{unet}-00001-of-00002.fp16.safetensors"]
    assert choose_files(parts, "me/x")[1:4] == [f"{unet}.safetensors.index.json", *pieces]
    wan = [name.replace("unet/", "transformer/") for name in parts]
    assert choose_files(wan, "me/x")[1:4] == [name.replace("unet/", "transformer/") for name in parts[3:6]]
    with pytest.raises(NotThereError, match=r"me/x: has no weights in transformer_2; expected transformer_2"):
        choose_files([*wan, "transformer_2/config.json"], "me/x")
    with pytest.raises(NotThereError, match=r"me/x: has no weights in unet"):
        choose_files(rest, "me/x")
    with pytest.raises(NotThereError, match=r"no model in the diffusers layout"):
        choose_files(["model.ckpt"], "me/x")
