"""What the registry, the Manager and ComfyUI read of the pack, and the pins of the stand-alone set-up."""

from __future__ import annotations

import asyncio
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from a2v_core.headless.server import find_comfyui
from scripts import comfyui, setup
from scripts.environment import SetupError, package_name

ROOT = Path(__file__).resolve().parents[1]
TRIO = {"torch", "torchvision", "torchaudio"}


def packages(file: Path) -> dict[str, str]:
    """Package name -> the whole line, comments left out."""
    lines = [line.split("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines()]
    return {package_name(line): line for line in lines if line}


def test_every_pin_is_exact_and_from_a_registry() -> None:
    pins = packages(ROOT / "constraints.txt")
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9.!+-]+", line) for line in pins.values())
    assert not re.search(r"://|--index|--find|@", (ROOT / "constraints.txt").read_text(encoding="utf-8"))
    assert (pins["torch"], pins["torchaudio"]) == ("torch==2.11.0", "torchaudio==2.11.0")
    assert pins["torchvision"] == "torchvision==0.26.0"


def test_all_that_is_asked_for_is_pinned() -> None:
    pins = packages(ROOT / "constraints.txt")
    wanted = packages(ROOT / "requirements.txt") | packages(ROOT / "requirements-dev.txt")
    scale = packages(ROOT / "requirements-scale.txt")
    assert set(wanted) | set(scale) <= set(pins)
    assert not set(wanted) & set(scale)
    assert pins["ray"] == "ray==2.60.0"


def test_the_manager_is_never_asked_to_touch_torch() -> None:
    assert not TRIO & set(packages(ROOT / "requirements.txt"))
    assert set(packages(ROOT / "requirements-dev.txt")) >= TRIO


def test_the_pins_are_what_is_installed() -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "freeze"]
    frozen = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    installed = {package_name(line): line.partition("==")[2] for line in frozen.splitlines() if "==" in line}
    pins = {name: line.partition("==")[2] for name, line in packages(ROOT / "constraints.txt").items()}
    assert {name: version for name, version in installed.items() if pins.get(name, version) != version} == {}
    assert set(installed) >= TRIO


def test_comfyui_reads_the_project_file() -> None:
    """The very parser of ComfyUI, in a process of its own: its module names would shadow ours."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from comfy_config.config_parser import extract_node_configuration\n"
        "found = extract_node_configuration(sys.argv[2])\n"
        "print(found.project.name, found.tool_comfy.display_name, found.tool_comfy.publisher_id, sep='|')\n"
        "print(*found.project.supported_os, *found.project.supported_accelerators, sep='|')\n"
    )
    command = [sys.executable, "-c", code, str(find_comfyui()), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    names, machines = done.stdout.splitlines()[:2]
    assert names == "audio-to-video|Audio to Video (TempoTokens)|a2v"
    assert machines.startswith("OS Independent|")
    assert "GPU :: NVIDIA CUDA" in machines


def test_the_pack_can_be_imported_without_comfyui() -> None:
    spec = importlib.util.spec_from_file_location("a2v_pack", ROOT / "__init__.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / module.WEB_DIRECTORY).is_dir()
    assert asyncio.iscoroutinefunction(module.comfy_entrypoint)


def test_a_wrong_comfyui_path_stops_the_set_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMFYUI_PATH", str(tmp_path))
    with pytest.raises(SetupError, match=r"step 'ComfyUI': COMFYUI_PATH is .* no main\.py"):
        comfyui.given_comfyui()
    (tmp_path / "main.py").touch()
    (tmp_path / "requirements.txt").write_text("comfyui-frontend-package==9.9\ntorch\naiohttp==1.0\n")
    assert comfyui.given_comfyui() == tmp_path


def test_a_comfyui_of_the_users_keeps_its_own_pins(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("comfyui-frontend-package==9.9\ntorch\naiohttp==1.0\n")
    left = {package_name(line) for line in setup.constraints_for(tmp_path).splitlines()}
    assert "torch" in left
    assert "numpy" in left
    assert not {name for name in left if name.startswith("comfyui")} | ({"aiohttp"} & left)
    ours = setup.constraints_for(comfyui.PINNED)
    assert "comfyui-workflow-templates-core==" in ours
