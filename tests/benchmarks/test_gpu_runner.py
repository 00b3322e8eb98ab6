"""The runner of the GPU benchmark: parts that fail, hang, are killed or lack a package end nobody but
themselves, and what they had found is kept."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from benchmarks.gpu.parts import PARTS, Part
from benchmarks.gpu.report import as_markdown
from benchmarks.gpu.runner import REPORT, ROOT, Plan, run

HANGS_FOR = 8.0  # seconds


def part(name: str) -> Part:
    return Part(name, f"tests.benchmarks.gpu_parts.{name}", 1.0, name.capitalize())


def is_gone(pid: int) -> bool:
    """Whether a process has ended; nobody may have asked for its status yet."""
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gpu")


@pytest.fixture(scope="module")
def report(out: Path) -> dict[str, Any]:
    """Of one run of all of them, and of one with little time for the one that hangs."""
    (out / "models").mkdir()
    told: list[str] = []
    parts = [part(name) for name in ("failing", "killed", "unimportable", "good")]
    whole = run(parts, Plan(out, out / "models", 300.0, "cpu", tiny=True), told.append)
    hung = run([part("hanging")], Plan(out, out / "models", HANGS_FOR, "cpu", tiny=True), told.append)
    assert len(told) == 10
    return whole | {"parts": [*whole["parts"], *hung["parts"]]}


def row(report: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [one for one in report["parts"] if one["name"] == name]
    return dict(found)


def test_a_part_that_is_good(report: dict[str, Any], out: Path) -> None:
    good = row(report, "good")
    assert good["ok"]
    assert not good["cut"]
    assert good["steps"]["one"]["answer"] == 42
    assert good["goals"] == [
        {"goal": "forty", "found": 42, "met": True},
        {"goal": "fifty", "found": 42, "met": False},
    ]
    assert json.loads((out / "good.json").read_text())["steps"] == good["steps"]
    assert report["machine"]["device"] == "cpu"
    assert report["machine"]["packages"]["diffusers"]


def test_steps_that_fail_do_not_end_the_others(report: dict[str, Any]) -> None:
    failing = row(report, "failing")
    assert not failing["ok"]
    steps = failing["steps"]
    assert steps["wrong"]["found"] == 1
    assert "one is not two" in steps["wrong"]["reason"]
    assert steps["missing"]["reason"] == "the package no_such_package is missing"
    assert steps["good"] == {"ok": True, "seconds": steps["good"]["seconds"], "found": 2}
    assert failing["reason"].startswith("wrong: Wrong: one is not two")
    assert not report["ok"]


def test_a_part_that_is_killed_keeps_its_numbers(report: dict[str, Any]) -> None:
    killed = row(report, "killed")
    assert killed["cut"]
    assert killed["reason"] == "its process was ended by SIGKILL; die: did not end"
    assert killed["steps"]["die"]["before"] == 7
    assert killed["output"][-1] == "the last words"


def test_a_part_that_hangs_is_ended_with_what_it_started(report: dict[str, Any]) -> None:
    hanging = row(report, "hanging")
    assert hanging["cut"]
    assert hanging["reason"].startswith(f"ended after its {HANGS_FOR:.0f} s")
    assert HANGS_FOR <= hanging["seconds"] < HANGS_FOR + 10
    assert hanging["steps"]["hang"]["first"] == 1
    assert "never" not in hanging["steps"]
    assert is_gone(hanging["steps"]["hang"]["helper"])


def test_a_package_that_a_whole_part_needs_is_named(report: dict[str, Any]) -> None:
    assert row(report, "unimportable")["reason"] == "imports: the package no_such_package is missing"


def test_parts_go_on_without_a_library_that_only_their_files_need() -> None:
    modules = [one.module for one in PARTS if one.name != "nodes"]  # ComfyUI itself needs PyAV
    script = f"import sys, {', '.join(modules)}; print({{'av', 'cv2', 'librosa'}} & sys.modules.keys())"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_not_there_is_named(tmp_path: Path) -> None:
    report = run([part("good")], Plan(tmp_path, tmp_path, 100.0, "cuda", tiny=True), print)
    good = row(report, "good")
    assert not good["ok"]
    assert good["reason"] == "its process ended with status 1"
    assert "NVIDIA" in good["output"][-1]


def test_the_table_has_all_of_it(report: dict[str, Any]) -> None:
    text = as_markdown(report)
    assert "| good | yes |" in text
    assert "| killed | NO |" in text
    assert "| fifty | 42 | no |" in text
    assert "**wrong** (0.0 s): **failed**, Wrong: one is not two" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in rows)


def test_ctrl_c_leaves_what_is_done(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    script = (
        "import json, sys\n"
        "from pathlib import Path\n"
        "from benchmarks.gpu.parts import Part\n"
        "from benchmarks.gpu.runner import Plan, run\n"
        "folder = Path(sys.argv[1])\n"
        "parts = [Part(n, f'tests.benchmarks.gpu_parts.{n}', 1, n) for n in ('good', 'hanging', 'good2')]\n"
        "run(parts, Plan(folder, folder / 'models', 600.0, 'cpu', True), print)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], cwd=ROOT)
    try:
        helper = _wait_for_helper(tmp_path / "hanging.json")
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(60) == 0
    finally:
        process.kill()
    report = json.loads((tmp_path / REPORT).read_text())
    assert report["stopped"]
    assert [one["name"] for one in report["parts"]] == ["good"]
    assert is_gone(helper)


def _wait_for_helper(file: Path) -> int:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if file.is_file() and (found := json.loads(file.read_text())["steps"].get("hang", {}).get("helper")):
            return int(found)
        time.sleep(0.1)
    raise TimeoutError(file)


def test_parts_have_names_and_files_of_their_own() -> None:
    names = [one.name for one in PARTS]
    assert len({*names}) == len(names) == 7
    for one in PARTS:
        assert (ROOT / f"{one.module.replace('.', '/')}.py").is_file()
        assert one.share > 0
