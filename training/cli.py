"""What the commands of the trainer share: CONFIG, --set, and errors as one line instead of a trace."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

from a2v_core.errors import A2VError
from a2v_core.texts import escape_outputs

from .config import Config, load_config

SOME_BAD = 3


class Done(NamedTuple):
    """What a command did, in words, and whether it left files out that it could not use."""

    text: str
    some_bad: bool = False


def run(
    name: str, description: str | None, job: Callable[[Config], Done], arguments: Sequence[str] | None
) -> int:
    """Parse the command line, run `job`, print what it says. The exit status: 1 for bad input, 3 when all is
    done but for files that could not be used.
    """
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
        done = job(load_config(options.config, options.set))
    except A2VError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the same command goes on from there", file=sys.stderr)
        return 130
    print(done.text)
    # A launcher of several processes ends all of them when one ends with a status.
    alone = int(os.environ.get("WORLD_SIZE", "1")) == 1
    return SOME_BAD if done.some_bad and alone else 0
