"""Rebuilds the bundled demo models: `python -m training.demo_world [--work DIR] [--only STAGE]`.

The stages run in order (vae, beats, t2v, mapper, motion, decoder, few_step, install, then those of the
bundled Wan); each resumes where it stopped. `--only animatediff` trains a model that does not ship, for
comparisons.
"""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

STAGES = (
    *("vae", "beats", "t2v", "mapper", "motion", "decoder", "few_step", "install"),
    # The bundled Wan, which takes the text encoder and BEATs that are installed.
    *("wan.vae", "wan.t2v", "wan.adapter", "wan.install"),
)
FOR_COMPARISON = ("animatediff",)  # takes what is installed, and is not installed itself


def main() -> None:
    """Command line of the demo training."""
    parser = argparse.ArgumentParser(prog="python -m training.demo_world", description=__doc__)
    parser.add_argument(
        "--work", type=Path, default=Path("build/demo_world"), help="folder for the state of the training"
    )
    parser.add_argument("--only", choices=(*STAGES, *FOR_COMPARISON), help="run this stage alone")
    parser.add_argument(
        "--minutes", type=float, default=0.0, help="end each stage's schedule by the clock (0: by steps)"
    )
    parser.add_argument("--steps", type=int, default=0, help="steps of the stage (0: its own number)")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    for stage in [arguments.only] if arguments.only else STAGES:
        train = importlib.import_module(f".{stage}", __package__).train
        if stage.endswith("install"):
            train(arguments.work)
            continue
        options = {"steps": arguments.steps} if arguments.steps else {}
        train(arguments.work, minutes=arguments.minutes, **options)


if __name__ == "__main__":
    main()
