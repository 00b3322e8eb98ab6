"""A server, and model files at toy size as they are published."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.audio.tiny import TINY_CFG, tiny_beats
from tests.models.server import Server, serving
from tests.tiny_t2v import make_tiny_t2v
from tests.tokens.tiny import tiny_mapper


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def hub(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The server as the user's hub, without a token of whoever runs the tests."""
    monkeypatch.setenv("HF_ENDPOINT", server.url + "/")
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    return server


@pytest.fixture(scope="session")
def beats_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file as the BEATs authors published them."""
    path = tmp_path_factory.mktemp("beats") / "BEATs.pt"
    state = tiny_beats().state_dict()
    torch.save({"cfg": TINY_CFG, "model": state, "label_dict": {0: "/m/09x0r"}}, path)
    return path


@pytest.fixture(scope="session")
def mapper_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A learned_embeds.pth as the published training code writes it."""
    path = tmp_path_factory.mktemp("mapper") / "learned_embeds.pth"
    torch.save({f"module.{key}": value for key, value in tiny_mapper().state_dict().items()}, path)
    return path


@pytest.fixture(scope="session")
def t2v_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A text-to-video model as a repository holds it: with weights twice, and things that nobody needs."""
    folder = tmp_path_factory.mktemp("t2v") / "tiny"
    make_tiny_t2v(folder)
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    extra = {"README.md": b"# A model", "zs2_576w/text2video_pytorch_model.pth": b"other layout"}
    doubles = {
        "unet/diffusion_pytorch_model.bin": b"the same in another format",
        "vae/diffusion_pytorch_model.fp16.safetensors": b"in half precision",
    }
    return files | extra | doubles
