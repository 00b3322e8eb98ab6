"""What the registry reads of pyproject.toml, by the rules of its own parser (comfy-cli 1.23)."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from a2v_core.comfyui import PINNED
from scripts import address, emblem
from scripts.environment import OLDEST_PYTHON, dotted

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ROOT / "pyproject.toml"
SYSTEMS = ("Microsoft", "POSIX", "MacOS", "OS Independent")
ACCELERATORS = {
    "GPU :: NVIDIA CUDA",
    "GPU :: AMD ROCm",
    "GPU :: Intel Arc",
    "NPU :: Huawei Ascend",
    "GPU :: Apple Metal",
}
VERSION = re.compile(r"(?:(==|>=|<=|!=|~=|>|<|<>|=)\s*)?\d+\.\d+\.\d+(?:-[a-zA-Z0-9]+)?")


def read(text: str) -> dict[str, Any]:
    return tomllib.loads(text)


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return read(PROJECT.read_text(encoding="utf-8"))


def test_name_version_and_licence(project: dict[str, Any]) -> None:
    name = project["project"]["name"]
    assert re.fullmatch(r"[a-z](?:[a-z0-9]|[-_.](?=[a-z0-9])){0,98}", name)
    assert "comfy" not in name
    assert re.fullmatch(r"\d+\.\d+\.\d+", project["project"]["version"])
    assert (ROOT / project["project"]["license"]["file"]).is_file()
    assert len(project["project"]["description"]) > 60


def test_what_the_table_says(project: dict[str, Any]) -> None:
    table = project["tool"]["comfy"]
    assert table["PublisherId"]
    assert table["DisplayName"]
    parts = [part.strip() for part in table["requires-comfyui"].split(",")]
    assert all(VERSION.fullmatch(part) for part in parts)
    assert f">={PINNED.name}" in parts, "the oldest version that the tests run on"


def test_classifiers_are_those_that_the_registry_knows(project: dict[str, Any]) -> None:
    """One that it does not know drops its whole group."""
    classifiers = project["project"]["classifiers"]
    groups: dict[str, list[str]] = {"Operating System": [], "Environment": [], "Programming Language": []}
    for text in classifiers:
        group, _, value = text.partition(" :: ")
        groups[group].append(value)
    systems, machines = groups["Operating System"], groups["Environment"]
    assert systems
    assert all(text.startswith(SYSTEMS) for text in systems)
    assert machines
    assert set(machines) <= ACCELERATORS


def test_the_oldest_python(project: dict[str, Any]) -> None:
    """One for all: the registry, ruff, mypy, the set-ups, and what the tests were run on."""
    oldest = dotted(OLDEST_PYTHON)
    assert project["project"]["requires-python"] == f">={oldest}"
    assert project["tool"]["ruff"]["target-version"] == f"py{oldest.replace('.', '')}"
    assert project["tool"]["mypy"]["python_version"] == oldest
    kind = "Programming Language :: Python :: "
    tested = [text.removeprefix(kind) for text in project["project"]["classifiers"] if text.startswith(kind)]
    assert tested == [f"3.{minor}" for minor in range(OLDEST_PYTHON[1], OLDEST_PYTHON[1] + len(tested))]


def test_dependencies_are_those_of_the_requirements(project: dict[str, Any]) -> None:
    """The registry reads the list in pyproject.toml, ComfyUI Manager installs the file."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]
    assert project["project"]["dependencies"] == wanted
    assert "dynamic" not in project["project"]


def test_icon_and_banner() -> None:
    with Image.open(ROOT / address.PICTURES["Icon"]) as icon:
        assert icon.format == "PNG"
        assert icon.width == icon.height <= 400
    with Image.open(ROOT / address.PICTURES["Banner"]) as banner:
        assert banner.format == "PNG"
        assert banner.width * 9 == banner.height * 21
    assert sum((ROOT / path).stat().st_size for path in address.PICTURES.values()) < 200_000


def test_the_pictures_can_be_drawn_again(tmp_path: Path) -> None:
    assert emblem.main(["--folder", str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"icon.png", "banner.png"}
    with Image.open(tmp_path / "icon.png") as icon:
        assert icon.getpixel((200, 20)) == (20, 22, 43, 255)
        assert icon.getpixel((0, 0)) == (0, 0, 0, 0), "round corners"


def test_addresses_are_filled_in_once_they_are_known() -> None:
    """Twice with another repository: the second takes the first one's place."""
    plain = PROJECT.read_text(encoding="utf-8")
    first = address.with_address(plain, "https://github.com/someone/first.git")
    text = address.with_address(first, "https://github.com/someone/audio-to-video/", branch="v1")
    assert "someone/first" not in text
    found = read(text)
    home = "https://github.com/someone/audio-to-video"
    assert found["project"]["urls"]["Repository"] == home
    assert found["project"]["urls"]["Issues"] == found["project"]["urls"]["Bug Tracker"] == f"{home}/issues"
    raw = "https://raw.githubusercontent.com/someone/audio-to-video/v1/"
    for name, path in address.PICTURES.items():
        assert found["tool"]["comfy"][name] == raw + path
        assert (ROOT / path).is_file()
    before = read(plain)
    found["project"].pop("urls")
    before["project"].pop("urls", None)
    assert found["project"] == before["project"]
    assert {**before["tool"]["comfy"], **found["tool"]["comfy"]} == found["tool"]["comfy"]


@pytest.mark.parametrize("wrong", ["github.com/a/b", "https://example.com/a/b", "https://github.com/a"])
def test_other_addresses_are_refused(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = PROJECT.read_bytes()
    assert address.main([wrong]) == 1
    assert "expected the address of a repository" in capsys.readouterr().err
    assert PROJECT.read_bytes() == before
