"""The commands behind `python -m a2v_core.models`."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..checkpoints import SAFETENSORS
from ..errors import A2VError
from .catalogue import CATALOGUE, Model, model_named, own_model
from .convert import convert
from .describe import amount, describe_plan
from .fetch import fetch
from .identify import as_json, as_text, identify
from .places import folder_for
from .plan import BIG, Plan, is_there, make_plan
from .transfer import Report


def run_fetch(options: argparse.Namespace) -> int:
    """Show each plan, ask where it is big, and carry it out."""
    if options.sha256 and not re.fullmatch(r"[0-9a-fA-F]{64}", options.sha256):
        raise A2VError(f"--sha256 is '{options.sha256}': expected 64 hexadecimal digits")
    if len(options.names) > 1 and (options.given or options.sha256 or options.name):
        raise A2VError("--from, --sha256 and --name are for one model at a time")
    for name in options.names:
        model = _model(name, options)
        folder = folder_for(model.kind, options.comfyui, options.dest)
        plan = make_plan(model, folder, options.given, "fp16" if options.fp16 else "")
        print(describe_plan(plan), file=sys.stderr)
        if not (plan.done or options.dry_run):
            _ask(plan, options.yes)
            with _bar(plan) as report:
                fetch(plan, report, options.keep_original)
        done = not options.dry_run or plan.done
        if options.json:
            print(json.dumps({"ok": True, "done": done} | plan.report()))
        elif done:
            print(f"{plan.target}: ready for {model.place.node}")
    return 0


def run_list(options: argparse.Namespace) -> int:
    """The catalogue, and what of it is there."""
    for model in CATALOGUE:
        try:
            target: Path | None = folder_for(model.kind, options.comfyui, options.dest) / model.target
        except A2VError:  # the list is worth seeing without a ComfyUI too
            target = None
        there = target is not None and is_there(model, target)
        if options.json:
            print(json.dumps(_entry(model) | {"target": str(target or model.target), "there": there}))
        else:
            by_hand = "" if model.sources else "   (by hand, from its page)"
            print(f"{model.name:18} {model.title}{'   [there]' if there else by_hand}")
            print(f"{'':18} {amount(model.size)}, {model.licence}, {model.page}")
    return 0


def run_identify(options: argparse.Namespace) -> int:
    """Say what each file is; 1 when one of them could not be read."""
    code = 0
    for path in options.paths:
        try:
            found = identify(path)
        except A2VError as error:
            code = 1
            if options.json:
                print(json.dumps({"path": str(path), "kind": None, "error": str(error)}))
            print(f"error: {error}", file=sys.stderr)
            continue
        print(as_json(found) if options.json else as_text(found))
    return code


def run_convert(options: argparse.Namespace) -> int:
    """One file to safetensors, or a mapper to .pth."""
    target = options.target or options.source.with_suffix(SAFETENSORS)
    done = convert(options.source, target, base_model=options.base_model)
    if options.json:
        print(json.dumps({"ok": True} | done))
    else:
        print(f"wrote {target}: {done['kind']}, {amount(done['bytes'])}")
    return 0


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
    if yes or (size is not None and size < BIG):
        return
    if not sys.stdin.isatty():
        raise A2VError(f"{plan.model.name} is a download of {amount(size)}: say so with --yes")
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
