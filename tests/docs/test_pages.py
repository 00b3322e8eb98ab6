"""README, CONTRIBUTING and CHANGELOG say what is true of the tree."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from a2v_core.media import probe_video
from a2v_core.tokens import MapperConfig
from benchmarks.mid_model import write_models
from benchmarks.stages import write_sound
from tests.benchmarks.tiny import TINY

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
FOLDERS = ("a2v_core", "nodes", "training", "benchmarks", "scripts", "tests", "web", "example_workflows")


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_links_and_pictures_are_there(page: str) -> None:
    targets = re.findall(r"\]\(([^)\s]+)\)", read(page))
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (ROOT / target).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_commands_exist(page: str) -> None:
    text = read(page)
    modules = set(re.findall(r"python -m ([\w.]+)", text)) - {"pip", "pytest"}
    assert [name for name in modules if importlib.util.find_spec(name) is None] == []
    targets = set(re.findall(r"(?:^ +|`)make (?:[A-Z]+=\S+ )*(\w+)", text, re.MULTILINE))
    assert targets or page == "CHANGELOG.md"
    makefile = read("Makefile")
    assert [target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


@pytest.mark.parametrize("page", PAGES)
def test_files_that_are_named_exist(page: str) -> None:
    named = re.findall(rf"`((?:{'|'.join(FOLDERS)})/[\w./-]*)`", read(page))
    mine = {"nodes/my_node.py"}  # the reader's own
    assert [name for name in named if name not in mine and not (ROOT / name).exists()] == []


def test_map_of_the_tree() -> None:
    """Every folder and file of the map exists, and every folder of the library is on it."""
    block = read("CONTRIBUTING.md").split("```")[1]
    places = [line.split()[0] for line in block.strip().splitlines()]
    assert [place for place in places if not (ROOT / place).exists()] == []
    library = {f"a2v_core/{init.parent.name}/" for init in (ROOT / "a2v_core").glob("*/__init__.py")}
    assert library <= set(places)


def test_table_of_nodes() -> None:
    contract = json.loads(read("tests/comfyui/object_info.json"))
    rows = re.findall(r"^\| ([\w ()-]+) \| `(A2V\w+)` \|", read("README.md"), re.MULTILINE)
    assert {node_id: name for name, node_id in rows} == {
        node_id: node["display_name"] for node_id, node in contract.items()
    }
    assert all((ROOT / "web" / "docs" / f"{node_id}.md").is_file() for _, node_id in rows)


def test_words_of_the_prompt() -> None:
    section = read("README.md").split("## Words in the prompt")[1].split("##")[0]
    table = "\n".join(line for line in section.splitlines() if line.startswith("|"))
    assert re.findall(r"<(\w+)>", table) == list(MapperConfig().words)


def test_python_example_runs(tmp_path: Path) -> None:
    """As printed, but for the models: tiny ones, from files instead of the bundled ones."""
    code = re.findall(r"```python\n(.*?)```", read("README.md"), re.DOTALL)[0]
    files = write_models(tmp_path / "models", TINY)
    for name in ("beats", "mapper", "t2v"):
        assert f'demo_path("{name}")' in code
        code = code.replace(f'demo_path("{name}")', repr(str(getattr(files, name))))
    write_sound(tmp_path / "any.wav", 0.5)
    (tmp_path / "example.py").write_text(code)
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); import example"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    video = probe_video(tmp_path / "video.mp4")
    assert (video.width, video.height, video.fps, video.has_audio) == (16, 16, 12.0, True)
