"""Rules of ComfyUI's own tools for packs, held by the files that are shipped.

`comfy node validate` (comfy-cli 1.23): no exec, no eval, one statement a line. `comfy-test lint` (0.4.15):
sources that Windows can print, no device chosen by hand, no autocast, extensions under one name.

One rule of the latter does not apply: comfy.ops layers in the place of torch.nn, since the library runs
without ComfyUI and its models are loaded whole. Of its reports without a verdict, WARNINGS finds the weights
of the demo models in the pack, HAZARDS finds nothing.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from scripts.archive import archive_files

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [name for name in archive_files() if name.endswith(".py")]
SCRIPTS = [name for name in archive_files() if name.endswith(".js")]
BY_HAND = re.compile(
    r"\.cuda\s*\(|\.to\s*\(\s*[\"']cuda|\.to\s*\(\s*torch\.device\s*\(\s*[\"']cuda"
    r"|torch\.autocast\s*\(|torch\.(?:cuda\.)?amp\.autocast|torch\.cuda\.empty_cache\s*\("
)
# Modules that the public scanners of packs look for; what is listed here may, for the reason given.
RISKY = {"subprocess", "pickle", "runpy", "pkgutil", "pip", "ctypes", "marshal", "socketserver", "telnetlib"}
MAY = {
    ("a2v_core/headless/server/process.py", "subprocess"),  # `python -m a2v_core.headless` starts a ComfyUI
    ("a2v_core/metrics/sets/pool.py", "ctypes"),  # gives memory back between many clips
}


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_registrys_own_check_finds_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ruff", "check", "--quiet", "--isolated", "--no-cache"]
    command += ["--select", "S102,S307,E702", *SOURCES]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("name", SOURCES)
def test_python(name: str) -> None:
    text = text_of(name)
    text.encode("cp1252")
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    assert BY_HAND.findall(code) == []
    imported = {alias for node in ast.walk(ast.parse(text)) for alias in _modules(node)}
    assert {(name, module) for module in imported & RISKY} <= MAY
    assert not re.search(r"sys\.path\.(?:append|insert)", code)
    assert not re.search(r"[\"'](?:/home/|/Users/|/mnt/|[A-Za-z]:\\\\)", code)


def _modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name.partition(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom) and not node.level:
        return [(node.module or "").partition(".")[0]]
    return []


@pytest.mark.parametrize("name", SCRIPTS)
def test_extensions_have_names_of_their_own(name: str) -> None:
    """Two packs with an extension of one name, and the page loads only one of them."""
    config = tomllib.loads(text_of("comfy-test.toml"))
    (space,) = config["test"]["javascript"]["namespaces"]
    blocks = text_of(name).split("registerExtension(")[1:]
    names = [re.search(r"name:\s*[\"']([^\"']+)", block) for block in blocks]
    assert all(found and found[1].startswith(f"{space}.") for found in names)


def test_nothing_runs_by_itself() -> None:
    """No installation or start script: ComfyUI and its Manager would run them unasked."""
    assert {"install.py", "prestartup_script.py", "setup.py"} & set(archive_files()) == set()
