"""The commands behind `python -m a2v_core.models`."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from ..errors import A2VError
from ..places import SAFETENSORS
from .catalogue import CATALOGUE, Model, model_named
from .convert import convert
from .describe import describe_plan, format_size
from .fetch import check_free_space, fetch
from .folders import folder_for
from .identify import as_json, as_text, identify
from .own import own_model
from .plan import CONFIRM_BYTES, Plan, is_installed, make_plan
from .transfer import Report

EXIT_PARTIAL = 3


def run_fetch(options: argparse.Namespace) -> int:
    """Show each plan, ask where it is big, and carry it out."""
    if options.sha256 and not re.fullmatch(r"[0-9a-fA-F]{64}", options.sha256):
        raise A2VError(f"--sha256 is '{options.sha256}': expected 64 hexadecimal digits")
    if len(options.names) > 1 and (options.given or options.sha256 or options.name):
        raise A2VError("--from, --sha256 and --name are for one model at a time")
    return _each(
        options.names,
        lambda name: _fetch_one(name, options),
        lambda name: {"ok": False, "name": name} if options.json else None,
    )


def _fetch_one(name: str, options: argparse.Namespace) -> None:
    model = _model(name, options)
    folder = folder_for(model.kind, options.comfyui, options.dest)
    plan = make_plan(model, folder, options.given, "fp16" if options.fp16 else "")
    print(describe_plan(plan), file=sys.stderr)
    if not plan.done:
        check_free_space(plan)
    if not (plan.done or options.dry_run):
        _ask(plan, options.yes)
        with _bar(plan) as report:
            fetch(plan, report, options.keep_original)
    done = not options.dry_run or plan.done
    if options.json:
        print(json.dumps({"ok": True, "done": done} | plan.report()))
    elif done:
        print(f"{plan.target}: ready for {model.place.node}")


def run_list(options: argparse.Namespace) -> int:
    """List the catalogue, and which of its models are installed."""
    for model in CATALOGUE:
        try:
            target: Path | None = folder_for(model.kind, options.comfyui, options.dest) / model.target
        except A2VError:  # the list is worth seeing without a ComfyUI too
            target = None
        installed = target is not None and is_installed(model, target)
        if options.json:
            print(json.dumps(_entry(model) | {"target": str(target or model.target), "there": installed}))
        else:
            by_hand = "" if model.sources else "   (by hand, from its page)"
            print(f"{model.name:18} {model.title}{'   [there]' if installed else by_hand}")
            print(f"{'':18} {format_size(model.size)}, {model.licence}, {model.page}")
    return 0


def run_identify(options: argparse.Namespace) -> int:
    """Say what each file is."""

    def one(path: Path) -> None:
        found = identify(path)
        print(as_json(found) if options.json else as_text(found))

    return _each(options.paths, one, lambda path: {"path": str(path), "kind": None} if options.json else None)


def run_convert(options: argparse.Namespace) -> int:
    """One file to safetensors, or a mapper to .pth."""
    target = options.target or options.source.with_suffix(SAFETENSORS)
    done = convert(options.source, target, base_model=options.base_model)
    if options.json:
        print(json.dumps({"ok": True} | done))
    else:
        print(f"wrote {target}: {done['kind']}, {format_size(done['bytes'])}")
    return 0


Item = TypeVar("Item", str, Path)


def _each(
    items: Sequence[Item], run: Callable[[Item], None], failure: Callable[[Item], dict[str, Any] | None]
) -> int:
    """Run for every item; one that fails is printed with its reason, whatever it raises, and the rest go on.

    `failure` gives the JSON object to print for such an item with the reason, or None. Returns the exit
    code: 0 for all, 1 for none, 3 for some.
    """
    failed = 0
    for item in items:
        try:
            run(item)
        except Exception as error:
            failed += 1
            reason = str(error) if isinstance(error, A2VError) else f"{item}: {type(error).__name__}: {error}"
            if (entry := failure(item)) is not None:
                print(json.dumps(entry | {"error": reason}))
            print(f"error: {reason}", file=sys.stderr)
    if failed and len(items) > 1:
        print(f"{failed} of {len(items)} could not be done", file=sys.stderr)
    return 0 if not failed else 1 if failed == len(items) else EXIT_PARTIAL


def _model(name: str, options: argparse.Namespace) -> Model:
    if options.kind:
        return own_model(options.kind, name, options.sha256, options.name)
    if options.sha256 or options.name:
        raise A2VError("--sha256 and --name are for models of yours, with --kind")
    return model_named(name)


def _entry(model: Model) -> dict[str, Any]:
    return {
        "name": model.name,
        "kind": model.kind,
        "title": model.title,
        "folder": f"models/{model.place.folder}",
        "loader": model.place.node,
        "licence": model.licence,
        "page": model.page,
        "bytes": model.size,
        "sha256": model.sha256 or None,
        "by_hand": not model.sources,
    }


def _ask(plan: Plan, yes: bool) -> None:
    size = plan.size
    if yes or (size is not None and size < CONFIRM_BYTES):
        return
    if not sys.stdin.isatty():
        raise A2VError(f"{plan.model.name} is a download of {format_size(size)}: say so with --yes")
    print("Download it? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise A2VError("not downloaded")


@contextmanager
def _bar(plan: Plan) -> Iterator[Report]:
    from tqdm import tqdm

    with tqdm(total=plan.size, desc=plan.model.name, unit="B", unit_scale=True, disable=None) as bar:

        def report(done: int, total: int | None) -> None:
            bar.total = total or bar.total
            bar.update(done - bar.n)

        yield report
