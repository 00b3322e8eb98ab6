"""The commands `python -m a2v_core.metrics score`, `lag`, `compare` and `selftest`. Exit codes: see
`__main__`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from ..errors import A2VError
from ..stores import Place
from ..texts import write_text
from ..workers import HERE, WHOLE, Placement, placement_of
from .alignment import WINDOW, Settings, lag_lines, window_lines
from .report import compare_page, score_page, selftest_page
from .selftest import self_test, selftest_lines, selftest_record
from .sets import (
    SOME_BAD,
    Job,
    Outcome,
    as_json,
    clip_lines,
    compare_sets,
    comparison_lines,
    find_everywhere,
    is_single,
    score_videos,
    set_lines,
    write_files,
)


def _settings(options: argparse.Namespace) -> Settings:
    seams = getattr(options, "seams", None)
    return Settings(
        options.variant,
        options.tolerance_ms,
        options.normalise,
        options.fast,
        WINDOW if options.window is None else options.window,
        None if seams is None else tuple(seams),
    ).checked()


def run_score(options: argparse.Namespace) -> int:
    """Score files and folders, print a table or JSON, write the files of --out."""
    settings = _settings(options)
    outcome, single = _scored(options, settings)
    if options.json:
        print(json.dumps(outcome.records[0] if single else as_json(outcome, settings), indent=2))
    else:
        print(clip_lines(outcome.records[0]) if single else set_lines(outcome, settings))
    return _exit_code(outcome)


def run_lag(options: argparse.Namespace) -> int:
    """How late the picture is over time: text of every clip or JSON, and the files of --out."""
    settings = _settings(options)
    outcome, single = _scored(options, settings)
    if options.json:
        print(json.dumps(outcome.records[0] if single else as_json(outcome, settings), indent=2))
        return _exit_code(outcome)
    for record in outcome.records:
        print(record["video"])
        print("".join(f"  {line}\n" for line in [*lag_lines(record), *window_lines(record)]), end="")
    for _, reason in outcome.bad:
        print(f"not read: {reason}")
    return _exit_code(outcome)


def _scored(options: argparse.Namespace, settings: Settings) -> tuple[Outcome, bool]:
    """The outcome, with the files of --out written, and whether it is of a single video."""
    single = len(options.paths) == 1 and is_single(options.paths[0])
    if not single:
        for option, given in (("--audio", options.audio), ("--seams", options.seams)):
            if given is not None:
                raise A2VError(f"{option} goes with one video, and the paths are several or a folder.")
    placement = placement_of(options) if "engine" in options else HERE
    outcome = _run(options.paths, settings, options, options.out, placement)
    if options.out is not None and placement.share == WHOLE:
        write_files(options.out, outcome, settings, score_page(outcome, settings))
    if single and outcome.bad:
        raise A2VError(outcome.bad[0][1])
    return outcome, single


def run_compare(options: argparse.Namespace) -> int:
    """Score two folders, print the paired differences or JSON, write the files of --out."""
    settings = _settings(options)
    folders = (options.a, options.b)
    outs = (None, None) if options.out is None else (options.out / "a", options.out / "b")
    a, b = (_run([folder], settings, options, out) for folder, out in zip(folders, outs, strict=True))
    for outcome, out in ((a, outs[0]), (b, outs[1])):
        if out is not None:
            write_files(out, outcome, settings, score_page(outcome, settings))
    comparison = compare_sets(a.records, b.records, folders)
    names = (str(folders[0]), str(folders[1]))
    if options.out is not None:
        write_text(options.out / "compare.html", compare_page(names, comparison, a.bad + b.bad))
        write_text(options.out / "compare.json", json.dumps(asdict(comparison), indent=1))
    bad = Outcome(bad=a.bad + b.bad)
    if options.json:
        print(json.dumps(asdict(comparison) | {"bad": bad.bad}, indent=2))
    else:
        print(comparison_lines(comparison, names))
        if bad.bad:
            print(set_lines(bad, settings))
    return SOME_BAD if bad.bad else 0


def run_selftest(options: argparse.Namespace) -> int:
    """Try the scores on files and folders, print a table or JSON, write the files of --out."""
    videos = find_everywhere(options.paths)
    jobs = [Job(video, None, Settings(fast=options.fast)) for video in videos]
    with _Bar(len(jobs), quiet=options.no_progress or len(jobs) == 1) as bar:
        test = self_test(jobs, options.jobs, bar.update)
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        write_text(options.out / "selftest.json", json.dumps(selftest_record(test), indent=1))
        write_text(options.out / "selftest.html", selftest_page(test))
    print(json.dumps(selftest_record(test), indent=2) if options.json else selftest_lines(test))
    return SOME_BAD if test.bad else 0


def _run(
    paths: Sequence[Place],
    settings: Settings,
    options: argparse.Namespace,
    out: Path | None,
    placement: Placement = HERE,
) -> Outcome:
    videos = find_everywhere(paths)
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
            placement=placement,
        )


class _Bar:
    """A progress bar on stderr, if that is a terminal."""

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
    if not outcome.records and outcome.bad:
        return 1
    return SOME_BAD if outcome.bad else 0
