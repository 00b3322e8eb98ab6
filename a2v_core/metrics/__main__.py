"""python -m a2v_core.metrics score PATH... | lag PATH... | compare A B | selftest PATH... | quality PATH...

Exit code 0: everything was scored. 1: nothing could be. 3: some files could not be read; they are listed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..errors import A2VError
from ..processors import share_processors
from ..stores import place_of
from ..texts import escape_outputs
from ..workers import add_options
from .alignment import VARIANTS
from .sets import start_fork_server


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code; error messages go to stderr."""
    share_processors()
    escape_outputs()
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except (A2VError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; run the same command again to go on (with --out)", file=sys.stderr)
        return 130


def _run(options: argparse.Namespace) -> int:
    """Run the chosen command. Its imports take seconds; the fork server of its workers starts meanwhile."""
    if options.command == "quality":
        from .quality import run_quality

        return run_quality(options)
    paths = [options.a] if options.command == "compare" else options.paths
    here = getattr(options, "engine", "local") == "local"
    if here and options.jobs != 1 and (len(paths) > 1 or not isinstance(paths[0], Path) or paths[0].is_dir()):
        start_fork_server()
    from .commands import run_compare, run_lag, run_score, run_selftest

    run = {"score": run_score, "lag": run_lag, "compare": run_compare, "selftest": run_selftest}
    return run[options.command](options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m a2v_core.metrics", description="Score videos with sound."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    score = commands.add_parser(
        "score", help="AV-Align of videos: as published, trusted, and what chance gives"
    )
    _add_videos(score)
    _add_scoring(score)
    add_options(score)
    lag = commands.add_parser(
        "lag", help="how late the picture is: over time, its drift, and before and after every cut"
    )
    _add_videos(lag)
    _add_scoring(lag)
    compare = commands.add_parser("compare", help="two folders with the same file names: paired differences")
    compare.add_argument("a", type=Path, metavar="A", help="folder")
    compare.add_argument("b", type=Path, metavar="B", help="folder; differences are B - A")
    _add_scoring(compare)
    selftest = commands.add_parser(
        "selftest", help="which wrong sounds do the scores tell from the right one, on your own clips?"
    )
    selftest.add_argument(
        "paths",
        type=place_of,
        nargs="+",
        metavar="PATH",
        help="videos, folders, addresses such as s3://clips/x",
    )
    selftest.add_argument("--fast", action="store_true", help="flow of scaled-down frames")
    _add_running(selftest, "folder for the JSON and the HTML report")
    _add_quality(
        commands.add_parser("quality", help="FVD, Inception Score and CLIPSIM with weights of your own")
    )
    return parser


def _add_videos(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths",
        type=place_of,
        nargs="+",
        metavar="PATH",
        help="videos, folders, addresses such as s3://clips/x",
    )
    parser.add_argument(
        "--audio",
        type=Path,
        help="sound of a single video; default: its own, else the sound file of the same name",
    )
    parser.add_argument(
        "--seams",
        type=float,
        nargs="*",
        metavar="SECONDS",
        help="where a single video was joined; default: the cuts that are found in the picture",
    )


def _add_scoring(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--variant", choices=list(VARIANTS), default="reference", help="of the published score"
    )
    parser.add_argument("--tolerance-ms", type=float, help="default: one frame as published, 170 ms trusted")
    parser.add_argument(
        "--normalise", action="store_true", help="published score: flow in pixels of 384 x 384"
    )
    parser.add_argument("--fast", action="store_true", help="flow of scaled-down frames; implies --normalise")
    parser.add_argument("--window", type=float, help="seconds of a stretch of the lag over time; default: 4")
    _add_running(parser, "folder for the CSV, the JSON, the HTML report, and to resume from")


def _add_running(parser: argparse.ArgumentParser, out: str) -> None:
    parser.add_argument("--out", type=Path, help=out)
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.add_argument("--jobs", type=int, default=0, help="processes; default: one per core")
    parser.add_argument("--no-progress", action="store_true", help="no progress bar")


def _add_quality(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", type=Path, nargs="+", metavar="PATH", help="videos or folders of them")
    parser.add_argument(
        "--weights", type=Path, required=True, help="folder of i3d_torchscript.pt and the others"
    )
    parser.add_argument("--real", type=Path, help="folder of real videos, for FVD")
    parser.add_argument("--text", help="what every video shows, for CLIPSIM")
    parser.add_argument("--labels", type=Path, help="CSV of file name, text: one per video, for CLIPSIM")
    parser.add_argument("--max-frames", type=int, default=0, help="only the first frames of each video")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


if __name__ == "__main__":
    sys.exit(main())
