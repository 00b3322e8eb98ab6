"""The whole GPU benchmark on tiny models on the CPU: every part runs to its end, and numbers make sense."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from a2v_core.schedules import SCHEDULERS
from benchmarks.gpu.parts import PARTS
from benchmarks.gpu.runner import ROOT


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("gpu")
    command = [
        sys.executable,
        "-m",
        "benchmarks.gpu",
        "--tiny",
        "--device",
        "cpu",
        "--json",
        "--out",
        str(out),
    ]
    # One thread: such small models are no faster with more.
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + "".join((out / "report.md").read_text().splitlines(True)[:40])
    printed: dict[str, Any] = json.loads(done.stdout)
    assert printed == json.loads((out / "report.json").read_text())
    for part in PARTS:
        assert f"### {part.about}" in (out / "report.md").read_text()
    return printed


@pytest.fixture(scope="module")
def steps(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The steps of all parts, by `part: step`."""
    return {
        f"{part['name']}: {name}": step for part in report["parts"] for name, step in part["steps"].items()
    }


def test_every_part_is_ok(report: dict[str, Any]) -> None:
    assert [part["name"] for part in report["parts"]] == [part.name for part in PARTS]
    for part in report["parts"]:
        assert part["ok"], part
        assert not part["cut"]
        assert part["seconds"] > 0
        assert all(step["ok"] and step["seconds"] >= 0 for step in part["steps"].values())
    goals = [goal["goal"] for part in report["parts"] for goal in part["goals"]]
    assert len({*goals}) == len(goals)
    assert {"cancel within a step", "an adapter costs at most 1.10x", "below 8 GB offloaded"} <= {*goals}


def test_numbers_are_those_of_a_cpu(steps: dict[str, dict[str, Any]]) -> None:
    assert steps["parity: noise"]["first_noise_equal"]
    assert steps["parity: noise"]["twice_equal"]
    for name in ("BEATs", "AudioMapper", "UNet and sampler", "text encoder"):
        rows = [row for row in steps[f"parity: golden: {name}"].values() if isinstance(row, dict)]
        assert rows
        assert all(0 <= row["difference"] <= row["tolerance"] for row in rows)
    precision = steps["parity: precisions"]
    assert precision["fp32_against_cpu_db"] == 200
    assert precision["fp16_db"] > precision["bf16_db"] > precision["fp8_db"] > 15
    assert SCHEDULERS.keys() <= steps["parity: solvers"].keys()
    ran = [value for value in steps["parity: ways of the library"].values() if value == "ran"]
    assert len(ran) >= 20
    assert steps["parity: to the device and back"]["equal"]


def test_a_comfyui_ran_every_clip(steps: dict[str, dict[str, Any]]) -> None:
    own = steps["nodes: as it starts by itself"]
    assert [own[name]["frames"] for name in ("bundled", "wan", "full")] == [3, 5, 3]
    assert own["prompts"] == 6
    assert own["host_growth"] < 64 * 2**20
    assert 0 < own["cancel_seconds"] < 10
    assert all(
        "left_out" in steps[f"nodes: {flag}"] for flag in ("--reserve-vram", "--lowvram", "--gpu-only")
    )


def test_the_large_model_is_measured_in_every_way(steps: dict[str, dict[str, Any]]) -> None:
    own = {name.split(": ")[1]: step for name, step in steps.items() if name.startswith("full_size")}
    exact = own["exact"]
    for name in ("exact", "diffusers' pipeline", "offloaded, fp8", "fp8", "channels last", "compiled"):
        step = own[name]
        stages = step["text"] + step["sampling"] + step["VAE decode"]
        assert step["clip"] == pytest.approx(stages, rel=0.05)
        assert step["fastest"] <= step["clip"] <= step["slowest"]
        assert step["allocated"] > 0
    assert exact["tflop_per_second"] == pytest.approx(exact["step_tflop"] * 2 / exact["sampling"])
    rate = own["matrix products"]["bf16_tflop_per_second"]
    assert exact["share_of_matrix_rate"] == pytest.approx(exact["tflop_per_second"] / rate)
    peer = own["diffusers' pipeline"]
    assert peer["times_as_fast_as_peer"] == pytest.approx(peer["clip"] / exact["clip"])
    shares = [row["share"] for row in own["what a step is made of"].values() if isinstance(row, dict)]
    assert shares == sorted(shares, reverse=True)
    assert 0 < sum(shares) <= 1.0001


def test_the_other_parts(steps: dict[str, dict[str, Any]]) -> None:
    video = steps["long_video: published size, 256 x 256"]
    assert [video[f"{frames} frames"]["seconds_a_frame"] > 0 for frames in (2, 6, 8)] == [True] * 3
    assert steps["long_video: bundled models, to an mp4"]["file_bytes"] > 500
    cost = steps["adapter: Wan of 1.3B size"]
    assert cost["slowdown"] > 0.1
    assert cost["seconds"] >= 0
    for name in ("UNet3D of 1.41 G parameters", "Wan of 1.3 G parameters"):
        with_it, without = (
            steps[f"training: {name}"][kind] for kind in ("checkpointing", "no checkpointing")
        )
        assert with_it["loss"] == pytest.approx(without["loss"], rel=1e-4)  # the same step in another way
        assert with_it["steps_per_second"] == pytest.approx(1 / with_it["seconds_each"])
    trained = steps["demo: from nothing"]
    assert {"vae", "t2v", "beats", "mapper"} <= trained.keys()
    assert trained["scores"]["clips"] == 1
