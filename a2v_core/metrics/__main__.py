"""python -m a2v_core.metrics score PATH... | compare A B | quality PATH...

Exit code 0: everything was scored. 1: nothing could be. 3: some files could not be read; they are listed.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from ..errors import A2VError
from .clip import Settings, find_videos
from .compare import compare_sets, comparison_lines
from .learned.command import add_quality_command, run_quality
from .matching import VARIANTS
from .report import compare_page, score_page
from .runner import Outcome, score_videos
from .tables import as_json, clip_lines, set_lines, write_files

SOME_BAD = 3


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code; messages about what went wrong go to stderr."""
    options = _parser().parse_args(arguments)
    commands = {"score": _score, "compare": _compare, "quality": run_quality}
    try:
        return commands[options.command](options)
    except (A2VError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; run the same command again to go on (with --out)", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m a2v_core.metrics", description="Score videos with sound."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    score = commands.add_parser(
        "score", help="AV-Align of videos: as published, trusted, and what chance gives"
    )
    score.add_argument("paths", type=Path, nargs="+", metavar="PATH", help="video files or folders of them")
    score.add_argument(
        "--audio",
        type=Path,
        help="sound of a single video; default: its own, else the sound file of the same name",
    )
    _add_scoring(score)
    compare = commands.add_parser("compare", help="two folders with the same file names: paired differences")
    compare.add_argument("a", type=Path, metavar="A", help="folder")
    compare.add_argument("b", type=Path, metavar="B", help="folder; differences are B - A")
    _add_scoring(compare)
    add_quality_command(commands)
    return parser


def _add_scoring(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--variant", choices=list(VARIANTS), default="reference", help="of the published score"
    )
    parser.add_argument("--tolerance-ms", type=float, help="default: one frame as published, 125 ms trusted")
    parser.add_argument(
        "--normalise", action="store_true", help="published score: flow in pixels of 384 x 384"
    )
    parser.add_argument("--fast", action="store_true", help="flow of scaled-down frames; implies --normalise")
    parser.add_argument(
        "--out", type=Path, help="folder for the CSV, the JSON, the HTML report, and to resume from"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.add_argument("--jobs", type=int, default=0, help="processes; default: one per core")
    parser.add_argument("--no-progress", action="store_true", help="no progress bar")


def _settings(options: argparse.Namespace) -> Settings:
    return Settings(options.variant, options.tolerance_ms, options.normalise, options.fast).checked()


def _score(options: argparse.Namespace) -> int:
    settings = _settings(options)
    single = len(options.paths) == 1 and not options.paths[0].is_dir()
    if options.audio is not None and not single:
        raise A2VError(
            "--audio goes with one video. Put the sounds of several beside them, under the same names."
        )
    outcome = _run(options.paths, settings, options, options.out)
    if options.out is not None:
        write_files(options.out, outcome, settings, score_page(outcome, settings))
    if single and outcome.bad:
        raise A2VError(outcome.bad[0][1])
    if options.json:
        print(json.dumps(outcome.records[0] if single else as_json(outcome, settings), indent=2))
    else:
        print(clip_lines(outcome.records[0]) if single else set_lines(outcome, settings))
    return _exit_code(outcome)


def _compare(options: argparse.Namespace) -> int:
    settings = _settings(options)
    folders = (options.a, options.b)
    outs = (None, None) if options.out is None else (options.out / "a", options.out / "b")
    a, b = (_run([folder], settings, options, out) for folder, out in zip(folders, outs, strict=True))
    comparison = compare_sets(a.records, b.records, folders)
    names = (str(folders[0]), str(folders[1]))
    if options.out is not None:
        for outcome, out in ((a, outs[0]), (b, outs[1])):
            assert out is not None
            write_files(out, outcome, settings, score_page(outcome, settings))
        (options.out / "compare.html").write_text(compare_page(names, comparison.rows), encoding="utf-8")
        (options.out / "compare.json").write_text(json.dumps(asdict(comparison), indent=1), encoding="utf-8")
    bad = Outcome(bad=a.bad + b.bad)
    if options.json:
        print(json.dumps(asdict(comparison) | {"bad": bad.bad}, indent=2))
    else:
        print(comparison_lines(comparison, names))
        if bad.bad:
            print(set_lines(bad, settings))
    return SOME_BAD if bad.bad else 0


def _run(paths: list[Path], settings: Settings, options: argparse.Namespace, out: Path | None) -> Outcome:
    videos = find_videos(paths)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    with _Bar(len(videos), quiet=options.no_progress or len(videos) == 1) as bar:
        return score_videos(
            videos,
            settings,
            audio=getattr(options, "audio", None),
            out=out,
            workers=options.jobs,
            progress=bar.update,
        )


class _Bar:
    """A progress bar on stderr where a person looks at it."""

    def __init__(self, total: int, quiet: bool) -> None:
        from tqdm import tqdm

        self._bar = tqdm(total=total, unit="clip", disable=quiet or not sys.stderr.isatty())

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def update(self, done: int, total: int) -> None:
        self._bar.total = total
        self._bar.update(done - self._bar.n)


def _exit_code(outcome: Outcome) -> int:
    if not outcome.records:
        return 1
    return SOME_BAD if outcome.bad else 0


if __name__ == "__main__":
    sys.exit(main())
