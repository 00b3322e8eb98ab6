"""Shared by the training commands: CONFIG, --set, logging, and errors as one line instead of a traceback."""

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
    """A command's closing message, and whether it skipped files that it could not use."""

    text: str
    some_bad: bool = False


def run(
    name: str, description: str | None, job: Callable[[Config], Done], arguments: Sequence[str] | None
) -> int:
    """Parse the command line, run `job`, print its message. Returns the exit status: 1 for bad input, 3 when
    done except for files that could not be used, 130 when interrupted.
    """
    return run_parsed(parser_of(name, description), lambda config, options: job(config), arguments)


def run_parsed(
    parser: argparse.ArgumentParser,
    job: Callable[[Config, argparse.Namespace], Done],
    arguments: Sequence[str] | None,
) -> int:
    """`run` for a command with options of its own: those of `parser_of`, and what was added to them."""
    escape_outputs()
    options = parser.parse_args(arguments)
    log_to_stderr("%(levelname)s %(message)s")

    def run_job() -> int:
        done = job(load_config(options.config, options.set), options)
        print(done.text)
        # A launcher of several processes kills all of them when one exits with an error status.
        alone = int(os.environ.get("WORLD_SIZE", "1")) == 1
        return SOME_BAD if done.some_bad and alone else 0

    return exit_status(run_job)


def parser_of(name: str, description: str | None) -> argparse.ArgumentParser:
    """A parser of CONFIG and --set."""
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
    return parser


def log_to_stderr(message_format: str) -> None:
    """Log from level INFO on, but only warnings of the libraries."""
    logging.basicConfig(format=message_format, level=logging.INFO, force=True)
    for library in ("httpx", "accelerate", "diffusers", "transformers"):
        logging.getLogger(library).setLevel(logging.WARNING)


def exit_status(command: Callable[[], int]) -> int:
    """The exit status of a command: its own, 1 for bad input, 130 when interrupted, with a line on stderr."""
    try:
        return command()
    except A2VError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the same command goes on from there", file=sys.stderr)
        return 130
