"""Single files from a hub, Drive, an address or the disk: chosen, checked, converted, in their place."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from a2v_core.audio import load_beats
from a2v_core.errors import A2VError, CheckpointError
from a2v_core.models import DownloadError, fetch, make_plan, model_named, own_model
from a2v_core.models.drive import direct_link, drive_file
from a2v_core.models.errors import NotThereError
from a2v_core.models.hub import hub_file, hub_folder
from a2v_core.models.sources import DriveFile, HubFile
from a2v_core.tokens import load_mapper
from tests.models.plans import planned, tree
from tests.models.server import Server
from tests.tokens.tiny import tiny_mapper

Files = dict[str, bytes]
ZEROSCOPE = "cerspense/zeroscope_v2_576w"


def test_beats_becomes_safetensors_with_its_config(hub: Server, tmp_path: Path, beats_file: Path) -> None:
    hub.add_repo("me/beats", {"sub/BEATs.pt": beats_file.read_bytes()}, kind="datasets")
    source = HubFile("me/beats", "sub/BEATs.pt", repo_type="dataset")
    model = replace(own_model("beats", "me/beats/sub/BEATs.pt"), sources=(source,))
    plan = make_plan(model, tmp_path)
    assert plan.licence == "cc-by-4.0"  # of the repository's card
    assert fetch(plan) == tmp_path / "BEATs.safetensors"
    assert tree(tmp_path) == {"BEATs.safetensors"}
    assert load_beats(tmp_path / "BEATs.safetensors").config.encoder_layers == 3


def test_the_original_can_stay_and_is_used_again(hub: Server, tmp_path: Path, beats_file: Path) -> None:
    hub.add_repo("me/beats", {"BEATs.pt": beats_file.read_bytes()})
    model = own_model("beats", "me/beats/BEATs.pt")
    fetch(make_plan(model, tmp_path), keep_original=True)
    assert tree(tmp_path) == {"BEATs.pt", "BEATs.safetensors"}
    (tmp_path / "BEATs.safetensors").unlink()
    hub.requests.clear()
    fetch(make_plan(model, tmp_path))
    assert tree(tmp_path) == {"BEATs.pt", "BEATs.safetensors"}  # what we did not bring we do not take away
    assert not [path for path, _ in hub.requests if path.startswith("/cdn/")]
    (tmp_path / "BEATs.safetensors").unlink()
    (tmp_path / "BEATs.pt").write_bytes(b"something of the user's")
    with pytest.raises(DownloadError, match=r"BEATs\.pt: is another file than the one to download"):
        fetch(make_plan(model, tmp_path))
    assert (tmp_path / "BEATs.pt").read_bytes() == b"something of the user's"


def test_safetensors_stay_as_they_are(hub: Server, tmp_path: Path, beats_file: Path) -> None:
    from a2v_core.models import convert

    convert(beats_file, tmp_path / "made.safetensors")
    body = (tmp_path / "made.safetensors").read_bytes()
    hub.add("/files/mine.safetensors", body)
    model = own_model("beats", f"{hub.url}/files/mine.safetensors?download=true")
    target = fetch(make_plan(model, tmp_path / "new"))
    assert target.read_bytes() == body
    assert tree(tmp_path / "new") == {"mine.safetensors"}
    hub.add("/download", body)  # an address that does not say what it is
    named = own_model("beats", f"{hub.url}/download?id=7", name="unnamed")
    assert fetch(make_plan(named, tmp_path / "new")).read_bytes() == body


def test_what_is_no_such_model_is_not_put_there(hub: Server, tmp_path: Path, mapper_file: Path) -> None:
    hub.add_repo("me/other", {"mapper.pth": mapper_file.read_bytes()})
    with pytest.raises(CheckpointError, match=r"looks like an AudioMapper, which belongs in models/a2v_mapp"):
        fetch(make_plan(own_model("beats", "me/other/mapper.pth"), tmp_path))
    assert tree(tmp_path) == {"mapper.pth"}
    assert fetch(make_plan(own_model("mapper", "me/other/mapper.pth"), tmp_path)).name == "mapper.safetensors"


def test_a_mapper_of_the_disk(tmp_path: Path, mapper_file: Path) -> None:
    """The way for what only a browser can download."""
    plan = make_plan(model_named("mapper-vggsound"), tmp_path, given=str(mapper_file))
    target = fetch(plan)
    assert target == tmp_path / "tempotokens_vggsound.safetensors"
    expected = tiny_mapper().state_dict()
    found = load_mapper(target).state_dict()
    assert all(torch.equal(found[key], value) for key, value in expected.items())
    assert mapper_file.exists()


def test_a_mirror_with_another_file_is_passed_over(hub: Server, tmp_path: Path, beats_file: Path) -> None:
    body = beats_file.read_bytes()
    good = replace(model_named("beats"), size=len(body), sha256=hashlib.sha256(body).hexdigest())
    first, second, third = (source for source in good.sources if isinstance(source, HubFile))
    hub.add_repo(first.repo, {first.path: body + b"tampered"})
    with pytest.raises(DownloadError, match=r"its SHA-256 is \w+, the published file's is .*HTTP 404"):
        make_plan(good, tmp_path)
    hub.add_repo(third.repo, {f"models/{third.path}": body}, kind="spaces")
    assert f"/spaces/{third.repo}/" in make_plan(good, tmp_path).files[0].url
    hub.add_repo(second.repo, {second.path: body})
    plan = make_plan(good, tmp_path)
    assert second.repo in plan.files[0].url
    assert fetch(plan) == tmp_path / "BEATs_iter3_plus_AS2M_finetuned_on_AS2M_cpt2.safetensors"


def test_a_hub_that_lies_about_a_file(hub: Server, tmp_path: Path, beats_file: Path) -> None:
    hub.add_repo("me/beats", {"BEATs.pt": beats_file.read_bytes()}, stated={"BEATs.pt": "0" * 64})
    with pytest.raises(DownloadError, match=r"BEATs\.pt: what was downloaded has the SHA-256"):
        fetch(make_plan(own_model("beats", "me/beats/BEATs.pt"), tmp_path))
    assert tree(tmp_path) == {"BEATs.pt.rejected"}


def test_gated_models_take_a_token(
    hub: Server, tmp_path: Path, beats_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add_repo("me/gated", {"BEATs.pt": beats_file.read_bytes()}, token="hf_secret")
    model = own_model("beats", "me/gated/BEATs.pt")
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(DownloadError, match=r"access \(HTTP 401\)\. The token that was sent .* accept"):
        make_plan(model, tmp_path)
    monkeypatch.setenv("HF_TOKEN", "")
    with pytest.raises(DownloadError, match=r"refuses access.*No token was sent: .* set HF_TOKEN"):
        make_plan(model, tmp_path)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    plan = make_plan(model, tmp_path)
    assert "hf_secret" not in str(plan.report())
    assert fetch(plan).is_file()


@pytest.mark.parametrize("name", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_offline_means_no_request(
    hub: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "1")
    for model in ("beats", "zeroscope", "mapper-vggsound"):
        with pytest.raises(DownloadError, match=f"{name} is set, so nothing is downloaded"):
            planned(model, tmp_path)
    assert hub.requests == []
    assert tree(tmp_path) == set()


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"sha": "x"}', b"\xff"])
def test_what_is_no_hub(hub: Server, body: bytes) -> None:
    hub.add("/api/models/me/x/revision/main", body)
    with pytest.raises(DownloadError, match="check HF_ENDPOINT"):
        hub_file(HubFile("me/x", "BEATs.pt"))
    with pytest.raises(DownloadError, match="not that of a hub"):
        hub_folder(own_model("t2v", "me/x").sources[0])  # type: ignore[arg-type]


def test_a_disk_that_is_too_small(hub: Server, tmp_path: Path, beats_file: Path) -> None:
    hub.add_repo("me/beats", {"BEATs.pt": beats_file.read_bytes()})
    plan = make_plan(own_model("beats", "me/beats/BEATs.pt"), tmp_path)
    assert plan.needed == 2 * beats_file.stat().st_size  # the original and the converted file
    assert plan.free > plan.needed
    with pytest.raises(DownloadError, match=r"bytes are needed, 10 are free; make room"):
        fetch(replace(plan, free=10))
    assert tree(tmp_path) == set()


def entry(kind: str, identity: str, title: str) -> str:
    return (
        f'<div class="flip-entry" id="entry-{identity}" role="link"><div class="flip-entry-info">'
        f'<a href="https://drive.google.com{kind}{identity}/view" target="_blank"><div class="x"></div>'
        f'<div class="flip-entry-title">{title}</div></a></div></div>'
    )


def test_a_file_in_a_drive_folder(server: Server, tmp_path: Path, mapper_file: Path) -> None:
    top = entry("/drive/folders/", "AAA", "landscape") + entry("/drive/folders/", "BBB-1", "vgg&amp;sound")
    below = entry("/file/d/", "CCC_2", "learned_embeds.pth") + entry("/file/d/", "DDD", "notes.txt")
    pages = {"TOP": top, "BBB-1": below}
    source = DriveFile("TOP", "vgg&sound/learned_embeds.pth")
    server.add("/embeddedfolderview", pages["TOP"].encode(), content_type="text/html")
    with pytest.raises(NotThereError, match=r"does not show gone/x.pth in .*--from"):
        drive_file(replace(source, path="gone/x.pth"), server.url, server.url)
    server.by_query = {f"/embeddedfolderview?id={key}": page.encode() for key, page in pages.items()}
    found = drive_file(source, server.url, server.url)
    assert found.url == f"{server.url}/download?id=CCC_2&export=download&confirm=t"
    assert found.path == "learned_embeds.pth"


def test_links_of_drives_sharing_dialog() -> None:
    direct = "https://drive.usercontent.google.com/download?id=A-b_1&export=download&confirm=t"
    for link in ("file/d/A-b_1/view?usp=sharing", "open?id=A-b_1", "uc?export=download&id=A-b_1"):
        assert direct_link(f"https://drive.google.com/{link}") == direct
    assert direct_link("https://example.org/file/d/A/x.pth") == "https://example.org/file/d/A/x.pth"


@pytest.mark.parametrize(
    ("kind", "where", "says"),
    [
        ("beats", "owner/name", "expected an http"),
        ("beats", "owner/name/../../x.pt", "expected an http"),
        ("t2v", "owner/name/file.pt", "expected owner/name"),
        ("t2v", "https://example.org/model.zip", "is a folder; name its Hugging Face repository"),
        ("mapper", "", "expected an http"),
        ("mapper", "https://example.org/", "name it with --name"),
    ],
)
def test_places_that_are_none(kind: str, where: str, says: str) -> None:
    with pytest.raises(A2VError, match=says):
        own_model(kind, where)  # type: ignore[arg-type]


def test_a_name_must_stay_in_its_folder() -> None:
    for name in ("../x", "a/b", "..", "a\\b"):
        with pytest.raises(A2VError, match="is no name for a model file"):
            own_model("beats", "https://example.org/x.pt", name=name)


def test_what_only_a_browser_can_get(hub: Server, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"in a browser from https.*fetch beats-cpt1 --from FILE"):
        planned("beats-cpt1", tmp_path)
    with pytest.raises(A2VError, match="none of the known models: beats, "):
        model_named("beast")
    assert os.listdir(tmp_path) == []
