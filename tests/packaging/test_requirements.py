"""requirements.txt beside ComfyUI's own requirements: small, loose, and nothing that is installed changes."""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from a2v_core.headless.server import find_comfyui

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "requirements.txt"


def wishes(file: Path) -> list[Requirement]:
    lines = [line.split("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines()]
    return [Requirement(line) for line in lines if line]


def would_install(*arguments: str) -> list[dict[str, Any]]:
    """What pip would install here, nothing is changed."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--no-input", "--report", "-"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    installs: list[dict[str, Any]] = json.loads(done.stdout)["install"]
    return installs


def test_nothing_that_is_installed_changes() -> None:
    """This environment has ComfyUI's requirements, ours and the developers'."""
    assert would_install("--requirement", str(REQUIREMENTS)) == []


def test_comfyuis_own_requirements_are_kept() -> None:
    """The two lists have an answer together, and it is what is installed."""
    both = [REQUIREMENTS, find_comfyui() / "requirements.txt"]
    arguments = [part for file in both for part in ("--requirement", str(file))]
    assert would_install(*arguments) == []


def test_no_upper_bounds_and_no_pins() -> None:
    """Other packs have wishes of their own."""
    for wish in wishes(REQUIREMENTS):
        assert {specifier.operator for specifier in wish.specifier} <= {">="}, wish
        assert wish.marker is None
        assert not wish.extras
        assert wish.url is None


def test_each_is_used_by_what_is_shipped() -> None:
    modules = importlib.metadata.packages_distributions()
    homes = {canonicalize_name(name): key for key, names in modules.items() for name in names}
    sources = [path for folder in ("a2v_core", "nodes") for path in (ROOT / folder).rglob("*.py")]
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    for wish in wishes(REQUIREMENTS):
        module = homes[canonicalize_name(wish.name)]
        assert re.search(rf'^\s*(import|from) {module}\b|require\("{module}"', code, re.MULTILINE), wish.name


def test_transformers_stands_before_diffusers() -> None:
    """Alone, the newest diffusers brings a huggingface_hub that an older transformers, which ComfyUI imports
    when it starts, refuses to work with. With transformers on the list a diffusers is chosen that fits."""
    names = [wish.name for wish in wishes(REQUIREMENTS)]
    assert names.index("transformers") < names.index("diffusers")
    (transformers,) = [wish for wish in wishes(REQUIREMENTS) if wish.name == "transformers"]
    assert str(transformers) == "transformers"
