"""What the commands of the trainer share: CONFIG, --set, and errors as one line instead of a trace."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Sequence

from a2v_core.errors import A2VError
from a2v_core.texts import escape_outputs

from .config import Config, load_config


def run(
    name: str, description: str | None, job: Callable[[Config], str], arguments: Sequence[str] | None
) -> int:
    """Parse the command line, run `job`, print what it says. The exit status: 1 for bad input."""
    escape_outputs()
    parser = argparse.ArgumentParser(
        prog=f"python -m training.{name}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("config", metavar="CONFIG", help="YAML file, see docs/training.md")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="override a value, such as --set run.steps=2000; may be repeated",
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.INFO, force=True)
    for library in ("httpx", "accelerate", "diffusers", "transformers"):
        logging.getLogger(library).setLevel(logging.WARNING)
    try:
        print(job(load_config(options.config, options.set)))
    except A2VError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the same command goes on from there", file=sys.stderr)
        return 130
    return 0
