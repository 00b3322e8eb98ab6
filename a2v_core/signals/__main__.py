"""python -m a2v_core.signals events | schedule | prompts | cuts FILE [--json]

What is heard when, a value for every frame, prompts with times, and cut lists, from a sound file or a video.
Exit code 0: done. 1: it could not be; the reason is on stderr.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..errors import A2VError
from ..processors import share_processors
from ..texts import escape_outputs

_EXAMPLES = {
    "events": "hits with strength and name: from a short window of each, heard alone",
    "schedule": "a value for every frame: keyframe text 0:(0.0), 12:(0.8), or all values with --json",
    "prompts": "prompts with times, from the names of what is heard",
    "cuts": "shots that begin on beats or onsets, of lengths that a model can make",
}


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code; error messages go to stderr."""
    share_processors()
    escape_outputs()
    options = _parser().parse_args(arguments)
    from . import commands

    run = {
        "events": commands.run_events,
        "schedule": commands.run_schedule,
        "prompts": commands.run_prompts,
        "cuts": commands.run_cuts,
    }[options.command]
    try:
        run(options)
    except (A2VError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m a2v_core.signals", description="Let a sound steer a video."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    made = {name: commands.add_parser(name, help=text, description=text) for name, text in _EXAMPLES.items()}
    for command in made.values():
        command.add_argument("file", type=Path, metavar="FILE", help="sound file or video")
        command.add_argument("--json", action="store_true", help="print JSON instead of text")
    for name in ("schedule", "prompts", "cuts"):
        made[name].add_argument("--fps", type=float, default=24.0, help="frames per second (23.976 is exact)")
        made[name].add_argument("--frames", type=int, default=0, help="of the video; 0: as long as the sound")
    for name in ("events", "schedule", "prompts"):
        _add_model(made[name])
    for name in ("events", "prompts"):
        _add_names(made[name])
    made["events"].add_argument("--segments", action="store_true", help="sustained sounds as well")
    _add_shape(made["schedule"])
    _add_prompts(made["prompts"])
    _add_cuts(made["cuts"])
    return parser


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--beats",
        metavar="FILE",
        help="fine-tuned BEATs checkpoint; 'none': times without names; default: the demo's",
    )
    parser.add_argument(
        "--labels", type=Path, metavar="CSV", help="names of its classes: class_labels_indices.csv"
    )


def _add_names(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--window", type=float, default=0.48, help="seconds that are heard of every hit")
    parser.add_argument("--least", type=float, default=0.2, help="probability below which a hit has no name")


def _add_shape(parser: argparse.ArgumentParser) -> None:
    measured = parser.add_mutually_exclusive_group()
    measured.add_argument(
        "--signal",
        default="onset",
        help="onset, loudness, rms, flux, a band (bass), or a range in Hz (80-200)",
    )
    measured.add_argument("--hits-of", metavar="CLASS", help="the onsets of one class of sound alone")
    measured.add_argument("--presence-of", metavar="CLASS", help="how probable one class of sound is")
    seconds = {
        "attack": "rise before a peak",
        "release": "fall after it",
        "hold": "stay up",
        "smoothing": "Gaussian",
    }
    for name, text in seconds.items():
        parser.add_argument(f"--{name}", type=float, default=0.0, help=f"seconds: {text}")
    numbers = {
        "floor": (0.0, "what becomes 0"),
        "ceiling": (1.0, "what becomes 1"),
        "threshold": (0.0, "below becomes 0"),
        "gamma": (1.0, "power; above 1 favours peaks"),
        "low": (0.0, "result for 0"),
        "high": (1.0, "result for 1"),
    }
    for name, (default, text) in numbers.items():
        parser.add_argument(f"--{name}", type=float, default=default, help=f"{text} (default {default:g})")
    parser.add_argument("--invert", action="store_true", help="1 - value, before low and high")


def _add_prompts(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--map", type=Path, metavar="FILE", help="lines LABEL: PHRASE, or JSON")
    parser.add_argument(
        "--template", default="{label}", help="the prompt; {label} is the phrase of what is heard"
    )
    parser.add_argument(
        "--quiet", default="", help="the prompt where nothing is heard; default: what was heard last"
    )
    parser.add_argument(
        "--sounds",
        default="hits",
        choices=["hits", "sustained sounds", "all together"],
        help="that there are prompts of (default: hits)",
    )
    parser.add_argument(
        "--shortest", type=float, default=0.5, help="of hits: seconds that a prompt stays at least"
    )
    parser.add_argument(
        "--longest", type=float, default=2.0, help="of hits: seconds after one until it is quiet"
    )
    parser.add_argument(
        "--format",
        default="timestamps",
        choices=["prompt relay", "timestamps", "fizz", "deforum", "srt", "json"],
        help="of the text (default: timestamps)",
    )


def _add_cuts(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--on", choices=["beats", "onsets"], default="beats", help="what cuts fall on")
    parser.add_argument("--every", type=int, default=1, help="only every N-th beat")
    parser.add_argument("--shortest", type=float, default=1.0, help="shot in seconds")
    parser.add_argument("--longest", type=float, default=5.0, help="shot in seconds")
    parser.add_argument(
        "--lengths", default="any", help="frames a model makes: any, LTX, Wan, MiniMax-H3, or 8n+1"
    )
    parser.add_argument("--gate", type=float, default=-60.0, help="LUFS below which nothing is cut on")


if __name__ == "__main__":
    sys.exit(main())
