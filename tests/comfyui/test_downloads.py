"""The loaders' switch `download_if_missing`, on a real ComfyUI and a hub of our own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from a2v_core.headless.server import find_comfyui, running_server
from a2v_core.models import fetchable
from tests.comfyui import tiny_models
from tests.comfyui.conftest import toy
from tests.comfyui.driver import Comfy, Graph, changed, load_graph, node_of
from tests.models.server import Server, serving
from tests.tiny_t2v import make_tiny_t2v

NAME, REPO = "zeroscope_v2_576w", "cerspense/zeroscope_v2_576w"
UNET = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture(scope="module")
def hub() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture(scope="module")
def fresh(hub: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Comfy]:
    """A server that has BEATs and a mapper, but no text-to-video model."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ENDPOINT", hub.url)
        patch.setenv("HF_HOME", str(tmp_path_factory.mktemp("hf")))
        for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
            patch.delenv(name, raising=False)
        with running_server(find_comfyui(), own_models=True, cpu=True) as server:
            tiny_models.install_sounds(server.input)
            tiny_models.install_models(server.models)
            (server.models / "a2v_t2v" / "tiny").rename(server.folder / "elsewhere")
            yield Comfy(server)


def graph(download: bool, name: str = NAME) -> Graph:
    loader = {"model_name": name, "download_if_missing": download}
    return changed(toy(load_graph("audio_to_video")), A2VLoadT2VModel=loader)


def files_of_a_model(folder: Path) -> dict[str, bytes]:
    made = make_tiny_t2v(folder)
    return {
        path.relative_to(made).as_posix(): path.read_bytes() for path in made.rglob("*") if path.is_file()
    }


def test_what_a_new_node_shows_is_there(fresh: Comfy) -> None:
    info = fresh.get("/object_info/A2VLoadT2VModel")["A2VLoadT2VModel"]["input"]
    options = info["required"]["model_name"][1]
    published = [model.target for model in fetchable("t2v")]
    assert options["options"] == [*published, "demo (bundled)"]
    assert NAME in published
    assert options["default"] == "demo (bundled)"
    assert info["optional"]["download_if_missing"][1]["default"] is False


def test_nothing_is_downloaded_unasked(fresh: Comfy, hub: Server) -> None:
    found = fresh.refused(graph(download=False))
    assert f"'{NAME}' is not in models/a2v_t2v yet" in found
    assert "several GB, licence CC-BY-NC-4.0: no commercial use" in found
    assert "Switch download_if_missing on in Load T2V Model" in found
    assert "python -m a2v_core.models fetch zeroscope" in found
    assert "not in models/audio_encoders yet" in fresh.refused(
        changed(graph(False), A2VLoadBEATs={"beats_name": "BEATs_iter3_plus_AS2M.safetensors"})
    )
    assert "Put it there" in fresh.refused(graph(download=True, name="nobody knows it"))
    assert hub.requests == []


def test_a_hub_without_the_model(fresh: Comfy, hub: Server) -> None:
    run = fresh.run(graph(download=True))
    assert run.error is not None
    assert run.error["node_type"] == "A2VLoadT2VModel"
    assert "the server has no such file (HTTP 404)" in run.message


def test_it_is_downloaded_cancelled_resumed_and_used(fresh: Comfy, hub: Server, tmp_path: Path) -> None:
    files = files_of_a_model(tmp_path / "model")
    served = hub.add_repo(REPO, files)
    served[UNET].slow = True
    asked = graph(download=True)
    smaller = sum(len(body) for body in files.values() if len(body) < len(files[UNET]))
    run, _ = fresh.cancel_at(asked, node_of(asked, "A2VLoadT2VModel"), smaller // 1024 + 50)
    assert run.interrupted is not None
    folder = fresh.server.models / "a2v_t2v"
    part = folder / f"{NAME}.part" / f"{UNET}.part"
    assert part.stat().st_size > 0
    assert not (folder / NAME).exists()
    assert (
        NAME
        in fresh.get("/object_info/A2VLoadT2VModel")["A2VLoadT2VModel"]["input"]["required"]["model_name"][1][
            "options"
        ]
    )
    served[UNET].slow = False
    hub.requests.clear()
    fresh.good(asked)
    assert any("Range" in headers for _, headers in hub.requests)
    assert (folder / NAME / "model_index.json").is_file()
    assert not part.parents[1].exists()
    log = fresh.server.log_text()
    assert "downloading, as download_if_missing is on" in log
    assert "licence   CC-BY-NC-4.0: no commercial use" in log
    hub.requests.clear()
    fresh.good(graph(download=True))
    fresh.good(graph(download=False))
    assert hub.requests == []
