"""The examples of training/launch, on one machine that stands for two."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from training.cache.build import precompute
from training.config import make_config
from training.loop import fit
from training.parts import read_lines

ROOT = Path(__file__).resolve().parents[2]
MACHINES = ROOT / "training" / "launch" / "machines.sh"

# SLURM's own commands are not here: what they would answer for a job on two nodes.
SLURM = {
    "scontrol": 'test "$*" = "show hostnames $SLURM_JOB_NODELIST" && printf "127.0.0.1\\nnode-2\\n"',
    "srun": """
test "$1" = --kill-on-bad-exit=1 && shift
SLURM_NODEID=1 "$@" & other=$!
SLURM_NODEID=0 "$@"; first=$?
wait $other && exit $first
""",
}


def test_a_slurm_job_on_two_nodes(values: dict[str, Any], tmp_path: Path, warm_python: str) -> None:
    values["run"] |= {"steps": 2, "clips_per_step": 4}
    config = written(values, tmp_path / "config.yaml")
    done = subprocess.run(
        ["bash", ROOT / "training" / "launch" / "slurm.sbatch", config, "--set", "run.steps=3"],
        cwd=ROOT,
        env=environment(warm_python, slurm(tmp_path)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    two = make_config(values)
    assert sorted(path.name for path in two.cache_dir.glob("shard-*"))
    assert "3 steps done" in done.stdout

    values["cache"] |= {"dir": str(two.cache_dir)}
    values["output_dir"] += "-one"
    values["run"] |= {"steps": 3}
    one = make_config(values)
    fit(one, progress=False)
    losses = [[line["loss"] for line in read_lines(c.output_dir / "metrics.jsonl")] for c in (one, two)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    assert len(losses[0]) == 3


def test_machines_that_do_not_share_their_disk_are_told_so(
    values: dict[str, Any], tmp_path: Path, warm_python: str
) -> None:
    """The second one has no checkpoint: it would train from step 0 what the first trains from step 2."""
    values["run"] |= {"steps": 2, "clips_per_step": 4}
    first = make_config(values)
    precompute(first, progress=False)
    fit(first, progress=False)
    values["cache"] |= {"dir": str(first.cache_dir)}
    values["run"] |= {"steps": 4}
    configs = [written(values, tmp_path / "first.yaml")]
    values["output_dir"] += "-elsewhere"
    configs.append(written(values, tmp_path / "second.yaml"))
    port = free_port()
    machines = [
        subprocess.Popen(
            ["bash", MACHINES, "training.fit", config],
            cwd=ROOT,
            env=environment(
                warm_python, {"MAIN_ADDRESS": "127.0.0.1", "MACHINE_RANK": str(rank), "MAIN_PORT": port}
            ),
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank, config in enumerate(configs)
    ]
    for machine in machines:
        said = machine.communicate()[1]
        assert machine.returncode == 1
        assert "process 1 on " in said
        assert "-elsewhere, step 0, and process 0 on " in said
        assert "step 2, are not the same training" in said
        assert "output_dir must be one folder for all, on a disk that they share" in said
    assert not (Path(values["output_dir"]) / "metrics.jsonl").exists()
    assert len(read_lines(first.output_dir / "metrics.jsonl")) == 2


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    for missing in ("MAIN_ADDRESS", "MACHINE_RANK"):
        given = {"MAIN_ADDRESS": "127.0.0.1", "MACHINE_RANK": "0"}
        del given[missing]
        done = subprocess.run(
            ["bash", MACHINES, "training.fit"],
            env=environment(sys.executable, given),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert f"{missing}: is not set" in done.stderr


def slurm(tmp_path: Path) -> dict[str, str]:
    """The environment of a job, its commands found first."""
    folder = tmp_path / "slurm"
    folder.mkdir()
    for name, script in SLURM.items():
        command = folder / name
        command.write_text(f"#!/usr/bin/env bash\n{script}\n")
        command.chmod(command.stat().st_mode | stat.S_IXUSR)
    return {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "SLURM_JOB_NODELIST": "node-[1-2]",
        "SLURM_NNODES": "2",
        "SLURM_JOB_ID": free_port(),
    }


def environment(python: str, more: dict[str, str]) -> dict[str, str]:
    """`python` is that of the scripts, and of the processes that torch's launcher starts."""
    common = {"PYTHON": python, "PYTHON_EXEC": python, "PROCESSES": "1"}
    return os.environ | common | {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"} | more


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


def written(values: dict[str, Any], path: Path) -> Path:
    path.write_text(str(values))
    return path
