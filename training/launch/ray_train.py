"""Fit on a Ray cluster, by Ray Train.

    python -m training.launch.ray_train CONFIG [--set a.b=c] [--workers N] [--address ADDRESS] [--retries N]

A worker has one GPU, or one processor with run.device cpu. When one dies, or its machine, Ray starts all of
them anew, and the training goes on after its last checkpoint. output_dir and cache.dir have to be on a disk
that all machines share, and the pack in the same folder on each. Needs training/requirements-ray.txt.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from a2v_core.workers import LOCAL, Cluster, on_ray

from ..cli import exit_status, log_to_stderr
from ..config import Config, load_config, make_config
from ..errors import ConfigError, TrainingError

STATE = "ray"  # folder in output_dir where Ray Train keeps what it needs
ROOT = Path(__file__).resolve().parents[2]


def fit_on_ray(config: Config, workers: int, cluster: Cluster, retries: int = 3) -> Path:
    """Train with `workers` processes.

    retries  how often the workers are started anew after one has died
    Returns the file of what was trained. A2VError without ray, or when there is none at the address;
    ConfigError without Ray Train; TrainingError, with the reason, when the training fails.
    """
    with on_ray(cluster) as ray:
        try:
            from ray.train import FailureConfig, RunConfig, ScalingConfig
            from ray.train.torch import TorchTrainer
        except ImportError as error:
            raise ConfigError(f"{error}; pip install -r training/requirements-ray.txt") from error
        trainer = TorchTrainer(
            _work,
            train_loop_config=config.model_dump(mode="json"),
            scaling_config=ScalingConfig(num_workers=workers, use_gpu=config.run.device != "cpu"),
            run_config=RunConfig(
                storage_path=str(config.output_dir.resolve()),
                name=STATE,
                failure_config=FailureConfig(max_failures=retries),
                worker_runtime_env={"env_vars": {"PYTHONPATH": str(ROOT)}},
            ),
        )
        try:
            return Path(trainer.fit().return_value)
        except ray.exceptions.RayError as error:
            raise TrainingError(str(error)) from error


def _work(values: dict[str, Any]) -> str:
    """What each worker does; Ray Train has connected them."""
    from ..loop import fit

    return str(fit(make_config(values), progress=False).trained)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status: 1 for bad input."""
    parser = argparse.ArgumentParser(
        prog="python -m training.launch.ray_train",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("config", metavar="CONFIG")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--workers", type=int, default=2, metavar="N")
    parser.add_argument("--address", help="of a running Ray; default: one is started on this machine")
    parser.add_argument("--retries", type=int, default=3, metavar="N")
    options = parser.parse_args(arguments)
    log_to_stderr("%(levelname)s %(message)s")

    def run() -> int:
        config = load_config(options.config, options.set)
        cluster = Cluster(options.address or LOCAL, cpus=options.workers)
        print(fit_on_ray(config, options.workers, cluster, options.retries))
        return 0

    return exit_status(run)


if __name__ == "__main__":
    sys.exit(main())
