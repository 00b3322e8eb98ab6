"""Every program of ours lets waiting threads sleep, and says so before torch, whose OpenMP reads it once."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from a2v_core.headless.server import process as server
from a2v_core.processors import VARIABLES, share_processors

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("training", "benchmarks", "scripts")  # all that is run of them goes through the package
COMMANDS = ("a2v_core.headless", "a2v_core.metrics", "a2v_core.signals")

# Imports a package or runs a command as `python -m` does, up to where torch comes in, or to its end.
WATCH = """
import atexit, importlib, os, runpy, sys

def say():
    print("policy", os.environ.get("OMP_WAIT_POLICY"), flush=True)

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            say()
            os._exit(0)

sys.meta_path.insert(0, Watch())
atexit.register(say)
name = sys.argv[1]
if len(sys.argv) > 2:
    runpy.run_module(name, run_name="__main__", alter_sys=True)
else:
    importlib.import_module(name)
"""


def environment(**more: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in VARIABLES} | more


def policy_of(*arguments: str, **more: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", WATCH, *arguments],
        cwd=ROOT,
        env=environment(**more),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    found: list[str] = re.findall(r"^policy (\w+)$", done.stdout, re.MULTILINE)
    assert len(found) == 1, done.stderr
    return found[0]


@pytest.mark.parametrize("package", PACKAGES)
def test_programs_set_it_before_torch(package: str) -> None:
    assert policy_of(package) == "passive"
    assert policy_of(package, OMP_WAIT_POLICY="active") == "active", "the user's own"


@pytest.mark.parametrize("command", COMMANDS)
def test_so_do_commands_of_the_library(command: str) -> None:
    assert policy_of(command, "--help") == "passive"
    assert policy_of(command, "--help", OMP_WAIT_POLICY="active") == "active", "the user's own"


def test_the_list_of_commands_is_complete() -> None:
    """But for a2v_core.models, which reads and writes files, and a guard that never sees torch."""
    files = [path.relative_to(ROOT).with_suffix("") for path in (ROOT / "a2v_core").rglob("*.py")]
    sources = {".".join(file.parts): (ROOT / f"{file}.py").read_text(encoding="utf-8") for file in files}
    found = {name.removesuffix(".__main__") for name, text in sources.items() if "\nif __name__ ==" in text}
    assert found == {*COMMANDS, "a2v_core.models", "a2v_core.headless.server.guard"}


def test_openmp_takes_it() -> None:
    """GNU's OpenMP itself prints, when torch loads it, how often a thread looks before it sleeps."""
    code = "import training, torch; torch.ones(2).sum()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment(OMP_DISPLAY_ENV="verbose"),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert re.search(r"GOMP_SPINCOUNT = '1000'$", done.stderr, re.MULTILINE), done.stderr


def test_these_tests_run_with_it() -> None:
    assert "OMP_WAIT_POLICY" in os.environ


def test_so_does_a_server_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that a program of someone else's starts."""
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    assert server._environment(server.PINNED)["OMP_WAIT_POLICY"] == "passive"
    assert "OMP_WAIT_POLICY" not in os.environ
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    assert server._environment(server.PINNED)["OMP_WAIT_POLICY"] == "active"


def test_importing_the_pack_changes_nothing() -> None:
    """A ComfyUI of the user's is left as it is: only commands set it."""
    rooms = ("audio", "headless", "metrics.alignment.scoring", "models", "preview", "tokens", "sampling")
    code = "import os, " + ", ".join(f"a2v_core.{room}" for room in rooms)
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; print(os.environ.get('OMP_WAIT_POLICY'))"],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stdout == "None\n"


@pytest.mark.parametrize(
    ("given", "left"),
    [
        (
            {"OMP_NUM_THREADS": "3"},
            {"OMP_NUM_THREADS": "3", "OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "1000"},
        ),
        ({"GOMP_SPINCOUNT": "7"}, {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "7"}),
        ({"OMP_WAIT_POLICY": "passive"}, {"OMP_WAIT_POLICY": "passive"}),
    ],
)
def test_what_is_set_is_left_alone(given: dict[str, str], left: dict[str, str]) -> None:
    share_processors(given)
    assert given == left
