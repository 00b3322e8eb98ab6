"""`python -m a2v_core.models fetch` and `list` as a user calls them."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from a2v_core.models.__main__ import main
from a2v_core.models.catalogue import CATALOGUE, KINDS, fetchable, model_at
from a2v_core.tokens import load_mapper
from tests.models.server import Server

ROOT = Path(__file__).resolve().parents[2]
ZEROSCOPE = "cerspense/zeroscope_v2_576w"


@pytest.fixture
def comfyui(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that looks like a ComfyUI, named by COMFYUI_PATH."""
    folder = tmp_path / "ComfyUI"
    folder.mkdir()
    (folder / "main.py").touch()
    monkeypatch.setenv("COMFYUI_PATH", str(folder))
    return folder


def test_it_shows_everything_before_it_downloads(
    hub: Server, comfyui: Path, t2v_files: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    hub.add_repo(ZEROSCOPE, t2v_files)
    assert main(["fetch", "zeroscope", "--dry-run"]) == 0
    shown = capsys.readouterr().err
    target = comfyui / "models" / "a2v_t2v" / "zeroscope_v2_576w"
    for row in (
        "zeroscope: Zeroscope v2 576w",
        f"from      Hugging Face {ZEROSCOPE}",
        "licence   CC-BY-NC-4.0: no commercial use",
        "checksum  SHA-256 of 3 and git ids of ",
        f"to        {target} (for Load T2V Model)",
        "free      ",
    ):
        assert row in shown
    assert not (comfyui / "models").exists()
    assert not [path for path, _ in hub.requests if "/resolve/" in path]


def test_fetch_and_list(
    hub: Server, comfyui: Path, t2v_files: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    hub.add_repo(ZEROSCOPE, t2v_files)
    target = comfyui / "models" / "a2v_t2v" / "zeroscope_v2_576w"
    assert main(["fetch", "zeroscope", "--json"]) == 0  # small: it does not ask
    report = json.loads(capsys.readouterr().out)
    assert (report["ok"], report["done"], report["target"]) == (True, True, str(target))
    assert report["bytes"] == sum(file["bytes"] for file in report["files"])
    assert (target / "model_index.json").is_file()
    assert main(["fetch", "zeroscope"]) == 0
    assert capsys.readouterr().out == f"{target}: ready for Load T2V Model\n"
    assert main(["list", "--json"]) == 0
    entries = {entry["name"]: entry for entry in map(json.loads, capsys.readouterr().out.splitlines())}
    assert set(entries) == {model.name for model in CATALOGUE}
    assert [name for name, entry in entries.items() if entry["there"]] == ["zeroscope"]
    assert entries["beats"]["bytes"] == 363145291
    assert entries["beats-cpt1"]["by_hand"]
    assert main(["list"]) == 0
    text = capsys.readouterr().out
    assert "Zeroscope v2 576w: the base model of the published mappers   [there]" in text
    assert "363 MB, MIT, https://github.com/microsoft/unilm" in text


def test_big_downloads_ask(
    hub: Server, comfyui: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The size is the one that the hub states; nothing of the file is asked for."""
    hub.add_repo("me/x", {"big.pth": b"x"})
    api = hub.files["/api/models/me/x/revision/main"]
    api.body = api.body.replace(b'"size": 1', b'"size": 60000000')
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    command = ["fetch", "--kind", "mapper", "me/x/big.pth"]
    assert main(command) == 1
    assert "me/x/big.pth is a download of 60 MB: say so with --yes" in capsys.readouterr().err
    assert not [path for path, _ in hub.requests if "/resolve/" in path]
    assert main([*command, "--yes"]) == 1
    assert "has 1 bytes, expected 60,000,000" in capsys.readouterr().err


def test_a_model_of_ones_own(
    hub: Server, tmp_path: Path, mapper_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body = mapper_file.read_bytes()
    hub.add("/files/mine.pth", body)
    url = f"{hub.url}/files/mine.pth"
    dest = tmp_path / "extra" / "mappers"
    good = hashlib.sha256(body).hexdigest()
    command = ["fetch", "--kind", "mapper", url, "--dest", str(dest), "--yes"]
    assert main([*command, "--sha256", "0" * 64]) == 1
    assert f"has the SHA-256 {good}, expected {'0' * 64}" in capsys.readouterr().err
    assert not (dest / "mine.safetensors").exists()
    assert main([*command, "--sha256", good.upper(), "--name", "drums"]) == 0
    assert load_mapper(dest / "drums.safetensors").config.layout == "reference"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["fetch", "beast"], "none of the known models"),
        (["fetch", "beats", "zeroscope", "--from", "x.pt"], "for one model at a time"),
        (["fetch", "beats", "--sha256", "12"], "expected 64 hexadecimal digits"),
        (["fetch", "beats", "--name", "x"], "are for models of yours, with --kind"),
        (["fetch", "--kind", "t2v", "me/x", "--sha256", "0" * 64], "A checksum is for one file"),
        (["fetch", "beats", "--from", "nowhere.pt"], "or a file on this disk"),
        (["fetch", "beats", "--comfyui", "/nowhere"], "where should the model go?"),
    ],
)
def test_wrong_use(
    arguments: list[str], says: str, comfyui: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--json"]) == 1
    printed = capsys.readouterr()
    assert says in printed.err
    assert says in json.loads(printed.out)["error"]


def run(hub: Server, folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """The command in a process of its own, with a home of its own."""
    command = [sys.executable, "-m", "a2v_core.models", *arguments]
    own = {"HF_HOME": str(folder / "hf"), "HF_ENDPOINT": hub.url, "OMP_NUM_THREADS": "1", **environment}
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | own,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_what_hugging_faces_cache_holds_is_not_downloaded(
    hub: Server, tmp_path: Path, t2v_files: dict[str, bytes]
) -> None:
    """Also offline: other programs may have brought the model already."""
    snapshot = tmp_path / "hf" / "hub" / f"models--{ZEROSCOPE.replace('/', '--')}" / "snapshots" / "abc"
    for name, body in t2v_files.items():
        (snapshot / name).parent.mkdir(parents=True, exist_ok=True)
        (snapshot / name).write_bytes(body)
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs" / "main").write_text("abc")
    dest = tmp_path / "dest"
    process = run(hub, tmp_path, "fetch", "zeroscope", "--dest", str(dest), HF_HUB_OFFLINE="1")
    assert process.wait(120) == 0, process.communicate()
    process.communicate()
    assert (dest / "zeroscope_v2_576w" / "unet" / "diffusion_pytorch_model.safetensors").is_file()
    assert hub.requests == []


def test_ctrl_c_keeps_what_has_come(hub: Server, tmp_path: Path, t2v_files: dict[str, bytes]) -> None:
    served = hub.add_repo(ZEROSCOPE, t2v_files)
    served["unet/diffusion_pytorch_model.safetensors"].slow = True
    process = run(hub, tmp_path, "fetch", "zeroscope", "--dest", str(tmp_path / "dest"))
    part = tmp_path / "dest" / "zeroscope_v2_576w.part" / "unet" / "diffusion_pytorch_model.safetensors.part"
    while not (part.exists() and part.stat().st_size):
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "the same command goes on from there" in errors
    assert part.stat().st_size > 0
    served["unet/diffusion_pytorch_model.safetensors"].slow = False
    again = run(hub, tmp_path, "fetch", "zeroscope", "--dest", str(tmp_path / "dest"))
    assert again.wait(120) == 0, again.communicate()
    again.communicate()
    assert any("Range" in headers for _, headers in hub.requests)
    assert [path.name for path in (tmp_path / "dest").iterdir()] == ["zeroscope_v2_576w"]


def test_the_catalogue_holds_together() -> None:
    assert len({model.name for model in CATALOGUE}) == len(CATALOGUE)
    assert len({model.target for model in CATALOGUE}) == len(CATALOGUE)
    assert all(model.licence != "unknown" and model.page.startswith("https://") for model in CATALOGUE)
    assert all(len(model.sha256) in (0, 64) for model in CATALOGUE)
    for kind in KINDS:
        assert fetchable(kind)
        assert all(model_at(kind, model.target) == model for model in fetchable(kind))
    assert model_at("beats", "BEATs_iter3_plus_AS2M_finetuned_on_AS2M_cpt1.safetensors") is None


def test_nothing_is_asked_of_the_network_or_loaded_at_import() -> None:
    code = (
        "import sys, socket\n"
        "def refuse(*a, **k): raise AssertionError('network at import')\n"
        "socket.socket.connect = refuse\n"
        "import a2v_core.models, a2v_core.models.commands\n"
        "heavy = {'requests', 'huggingface_hub', 'diffusers', 'transformers'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
