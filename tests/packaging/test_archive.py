"""The archive that the registry hands to users: all that they need, nothing else, and not large."""

from __future__ import annotations

import ast
import io
import json
import subprocess
import zipfile
from pathlib import Path

import pytest

from scripts import archive

ROOT = Path(__file__).resolve().parents[2]
MOST_BYTES = 30 * 10**6  # zipped; the demo models are nearly all of it
NEEDED = (
    "LICENSE",
    "README.md",
    "CHANGELOG.md",
    "__init__.py",
    "pyproject.toml",
    "requirements.txt",
    "a2v_core/demo/beats.safetensors",
    "a2v_core/demo/mapper.safetensors",
    "a2v_core/demo/t2v/model_index.json",
    "a2v_core/demo/t2v/unet/diffusion_pytorch_model.safetensors",
    "a2v_core/demo/sounds/drum.wav",
    "a2v_core/demo/wan/a2v_audio_adapters/a2v_demo_wan_adapter.safetensors",
    "a2v_core/demo/wan/diffusion_models/a2v_demo_wan.safetensors",
    "a2v_core/demo/wan/vae/a2v_demo_wan_vae.safetensors",
    "a2v_core/headless/__main__.py",
    "a2v_core/metrics/__main__.py",
    "a2v_core/signals/__main__.py",
    "a2v_core/signals/events/audioset_labels.csv",
    "a2v_core/signals/events/audioset_labels.NOTICE.md",
    "example_workflows/audio_to_video.json",
    "example_workflows/audio_to_video.jpg",
    "example_workflows/wan_audio_to_video.json",
    "nodes/__init__.py",
)
LEFT_OUT = {"benchmarks", "docs", "scripts", "tests", "training"}


@pytest.fixture(scope="module")
def files() -> list[str]:
    return archive.archive_files()


def test_list_and_size(files: list[str]) -> None:
    sizes = [(ROOT / name).stat().st_size for name in files]
    for name, size in zip(files, sizes, strict=True):
        print(f"{size:10,}  {name}")
    packed = archive.archive_bytes()
    print(f"{sum(sizes):10,}  bytes in {len(files)} files; {len(packed):,} as a zip")
    assert len(packed) < MOST_BYTES
    with zipfile.ZipFile(io.BytesIO(packed)) as opened:
        assert opened.testzip() is None
        assert sorted(opened.namelist()) == files


def test_all_that_users_need(files: list[str]) -> None:
    assert set(NEEDED) - set(files) == set()
    assert {path.name for path in (ROOT / "web" / "docs").glob("*.md")} <= {Path(name).name for name in files}


def test_nothing_else(files: list[str]) -> None:
    assert {name.partition("/")[0] for name in files} & LEFT_OUT == set()
    assert [name for name in files if Path(name).parts[0].startswith(".")] == []
    assert {"Makefile", "constraints.txt", "requirements-dev.txt"} & set(files) == set()
    unwanted = {".pt", ".pth", ".ckpt", ".bin", ".pkl", ".npz", ".pyc", ".mp4", ".zip", ".sh", ".exe"}
    assert {Path(name).suffix for name in files} & unwanted == set()


def test_no_file_imports_what_was_left_out(files: list[str]) -> None:
    """Also not what is not shipped: relative imports lead to files of the archive."""
    shipped = set(files)
    for name in [name for name in files if name.endswith(".py")]:
        package = Path(name).parent
        for node in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert {alias.name.partition(".")[0] for alias in node.names} & LEFT_OUT == set(), name
            elif isinstance(node, ast.ImportFrom) and not node.level:
                assert (node.module or "").partition(".")[0] not in LEFT_OUT, name
            elif isinstance(node, ast.ImportFrom):
                base = package.joinpath(*[".."] * (node.level - 1), *(node.module or "").split("."))
                place = Path(*_normal(base))
                found = {place.with_suffix(".py").as_posix(), (place / "__init__.py").as_posix()}
                assert found & shipped, f"{name}: {ast.unparse(node)}"


def _normal(path: Path) -> list[str]:
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return parts


def test_the_command_prints_the_list(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert archive.main(["--json", "--out", str(tmp_path / "node.zip")]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["bytes"] == sum(facts["files"].values())
    assert facts["zip_bytes"] == (tmp_path / "node.zip").stat().st_size
    assert "pyproject.toml" in facts["files"]


def test_patterns_are_gits(tmp_path: Path) -> None:
    """A folder at the root is left out with all in it, one of the same name further down is not."""
    for name in ("keep.py", "tests/a.py", "core/tests/b.py", ".hidden", "core/.kept", "untracked.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / ".comfyignore").write_text("# comment\n\n/.*\n/tests/\n")
    for command in (["init", "-q"], ["add", "-A"], ["rm", "-q", "--cached", "untracked.py"]):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True, timeout=60)
    assert archive.archive_files(tmp_path) == ["core/.kept", "core/tests/b.py", "keep.py"]
