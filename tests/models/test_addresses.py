"""Addresses as people paste them: pages of the hub and of code hosts, and what they stand for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from a2v_core.errors import A2VError
from a2v_core.models import fetch, make_plan, own_model
from a2v_core.models.addresses import file_link
from a2v_core.models.errors import DownloadError
from a2v_core.models.own import own_source
from a2v_core.models.sources import HubFile, HubFolder, WebFile
from tests.models.server import COMMIT, Server

FILE = HubFile("me/x", "sub/BEATs.pt")


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("https://huggingface.co/me/x/blob/main/sub/BEATs.pt", FILE),
        ("https://huggingface.co/me/x/resolve/main/sub/BEATs.pt?download=true", FILE),
        ("https://huggingface.co/me/x/raw/main/sub/BEATs.pt", FILE),
        ("http://www.huggingface.co/me/x/blob/main/sub/BEATs.pt#L1", FILE),
        ("HTTPS://HuggingFace.co/me/x/blob/main/sub/BEATs.pt", FILE),
        ("https://hf.co/me/x/blob/main/sub/BEATs.pt", FILE),
        ("huggingface.co/me/x/blob/main/sub/BEATs.pt", FILE),
        ("https://huggingface.co/models/me/x/blob/main/sub/BEATs.pt", FILE),
        ("me/x/sub/BEATs.pt", FILE),
        ("https://huggingface.co/me/x/blob/v1.0/a%20b.pt", HubFile("me/x", "a b.pt", "v1.0")),
        ("https://huggingface.co/me/x/blob/refs%2Fpr%2F3/y.pt", HubFile("me/x", "y.pt", "refs/pr/3")),
        ("https://huggingface.co/me/x/resolve/refs/pr/3/y.pt", HubFile("me/x", "y.pt", "refs/pr/3")),
        (
            "https://huggingface.co/datasets/me/x/blob/main/y.pt",
            HubFile("me/x", "y.pt", repo_type="dataset"),
        ),
        ("https://huggingface.co/spaces/me/x/blob/main/y.pt", HubFile("me/x", "y.pt", repo_type="space")),
        ("https://example.org/me/x/blob/main/y.pt", WebFile("https://example.org/me/x/blob/main/y.pt")),
        ("https://huggingface.co.evil.org/me/x/blob/main/y.pt", None),
    ],
)
def test_files_of_the_hub(where: str, found: HubFile | WebFile | None) -> None:
    assert own_source("beats", where) == (found or WebFile(where))


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("https://huggingface.co/me/x", HubFolder("me/x")),
        ("https://huggingface.co/me/x/", HubFolder("me/x")),
        ("https://huggingface.co/me/x?library=diffusers", HubFolder("me/x")),
        ("https://huggingface.co/me/x/tree/main", HubFolder("me/x")),
        ("https://huggingface.co/me/x/tree/v2", HubFolder("me/x", "v2")),
        ("https://huggingface.co/me/x/blob/v2/model_index.json", HubFolder("me/x", "v2")),
        ("https://hf.co/datasets/me/x", HubFolder("me/x", repo_type="dataset")),
        ("huggingface.co/me/x", HubFolder("me/x")),
        ("me/x", HubFolder("me/x")),
    ],
)
def test_whole_repositories(where: str, found: HubFolder) -> None:
    assert own_source("t2v", where) == found


@pytest.mark.parametrize(
    ("kind", "where", "says"),
    [
        ("t2v", "https://huggingface.co/me/x/blob/main/unet/config.json", "is one file; .* such as me/x"),
        ("t2v", "https://huggingface.co/me/x/tree/main/sub", "is a folder inside of me/x"),
        ("beats", "https://huggingface.co/me/x", "is a whole repository; a beats model is a file"),
        ("beats", "https://huggingface.co/me/x/tree/main", "such as me/x/model.pt"),
    ],
)
def test_addresses_of_something_else(kind: str, where: str, says: str) -> None:
    with pytest.raises(A2VError, match=says):
        own_source(kind, where)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("page", "file"),
    [
        ("https://github.com/me/x/blob/main/a/b.pth", "https://github.com/me/x/raw/main/a/b.pth"),
        ("https://gitlab.com/me/x/-/blob/v1/b.pth", "https://gitlab.com/me/x/-/raw/v1/b.pth"),
        ("https://hf-mirror.com/me/x/blob/main/b.pth", "https://hf-mirror.com/me/x/resolve/main/b.pth"),
        ("https://www.dropbox.com/s/1/b.pth?rlkey=x&dl=0", "https://www.dropbox.com/s/1/b.pth?rlkey=x&dl=1"),
        ("https://example.org/blob/b.pth?dl=0", "https://example.org/blob/b.pth?dl=0"),
    ],
)
def test_pages_that_show_a_file(page: str, file: str) -> None:
    assert file_link(page) == file
    assert file_link(file) == file


@pytest.mark.parametrize("view", ["blob", "resolve", "raw"])
def test_a_pasted_address_of_a_gated_file_gets_the_token(
    hub: Server, tmp_path: Path, beats_file: Path, monkeypatch: pytest.MonkeyPatch, view: str
) -> None:
    """The page itself is not what is asked for: the hub says checksum and licence, and takes the token."""
    hub.add_repo("me/gated", {"sub/BEATs.pt": beats_file.read_bytes()}, token="hf_secret")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    for host in (hub.url, "https://huggingface.co"):  # the second goes through the user's mirror too
        plan = make_plan(
            own_model("beats", f"{host}/me/gated/{view}/main/sub/BEATs.pt"), tmp_path / host[-4:]
        )
        assert (plan.licence, bool(plan.files[0].sha256)) == ("cc-by-4.0", True)
        assert fetch(plan).name == "BEATs.safetensors"
    assert f"/me/gated/{view}/main/sub/BEATs.pt" not in {path for path, _ in hub.requests}


def test_the_token_goes_nowhere_else(hub: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    hub.add("/me/x/resolve/main/y.pt", b"", token="other")
    with pytest.raises(DownloadError, match=r"If it wants a login, get the file in a browser"):
        fetch(make_plan(own_model("beats", f"{hub.url}/me/x/resolve/main/y.pt"), tmp_path))
    assert "Authorization" not in hub.asked("/me/x/resolve/main/y.pt")[0]


def test_the_revision_of_an_address_counts(
    hub: Server, tmp_path: Path, beats_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add_repo("me/x", {"BEATs.pt": beats_file.read_bytes()})
    about = "/api/models/me/x/revision/"
    hub.files[f"{about}refs%2Fpr%2F3"] = hub.files.pop(f"{about}main")
    model = own_model("beats", "https://huggingface.co/me/x/blob/refs%2Fpr%2F3/BEATs.pt")
    plan = make_plan(model, tmp_path)
    assert plan.origin == "Hugging Face me/x at refs/pr/3: BEATs.pt"
    assert f"/resolve/{COMMIT}/" in plan.files[0].url


def test_the_servers_own_words_are_passed_on(hub: Server, tmp_path: Path) -> None:
    words = "Access to model me/x is restricted"
    hub.add("/api/models/me/x/revision/main", b"", token="t", words=words)
    with pytest.raises(DownloadError, match=re.escape(f"(HTTP 401: {words}). No token was sent")):
        make_plan(own_model("beats", "me/x/y.pt"), tmp_path)


def test_a_file_of_that_very_path_comes_first(hub: Server, tmp_path: Path, beats_file: Path) -> None:
    body = beats_file.read_bytes()
    hub.add_repo("me/x", {"old/BEATs.pt": b"other", "BEATs.pt": body, "a/y.pt": body, "b/y.pt": body})
    plan = make_plan(own_model("beats", "me/x/BEATs.pt"), tmp_path)
    assert plan.size == len(body)
    with pytest.raises(DownloadError, match=r"several files y\.pt: a/y\.pt, b/y\.pt; name one"):
        make_plan(own_model("beats", "me/x/y.pt"), tmp_path)
