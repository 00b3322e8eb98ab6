"""Command line: run saved ComfyUI workflows without a browser.

    python -m a2v_core.headless run WORKFLOW.json --audio sound.wav --set 7.seed=3 --out results
    python -m a2v_core.headless batch WORKFLOW.json --audio sounds --seeds 4 --keep best --out results

Exit codes: 0 done, 1 a node failed (batch: every run failed), 2 the workflow, its inputs, the server or --out
are at fault, 3 it ran, but not all files could be fetched (batch: some runs failed), 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import A2VError
from ..processors import share_processors
from ..texts import escape_outputs
from .batch import add_parser
from .runner import RunResult, RunSettings, run
from .server import InterruptedRun, NodeError, Silent, for_terminal

DONE, NODE_FAILED, BAD_INPUT, FILES_LEFT, INTERRUPTED = 0, 1, 2, 3, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    share_processors()
    escape_outputs()
    options = _parser().parse_args(arguments)
    try:
        code: int = options.do(options)
        return code
    except (KeyboardInterrupt, InterruptedRun) as error:
        return _fail(options.json, INTERRUPTED, "interrupted", str(error) or "interrupted")
    except NodeError as error:
        node = {"id": error.node_id, "title": error.title, "class_type": error.node_type}
        extra = {"node": node, "exception": error.exception, "traceback": error.traceback}
        return _fail(options.json, NODE_FAILED, "node_error", str(error), extra)
    except (A2VError, OSError) as error:
        return _fail(options.json, BAD_INPUT, "error", str(error))


def _run(options: argparse.Namespace) -> int:
    result = run(
        RunSettings(options.workflow, options.audio, options.overrides, options.out, options.previews),
        server=options.server,
        comfyui=options.comfyui,
        progress=Silent() if options.json else for_terminal(),
    )
    if options.json:
        print(json.dumps(as_json(result), indent=2))
    else:
        _show(result)
    return FILES_LEFT if result.left else DONE


def as_json(result: RunResult) -> dict[str, Any]:
    """The result as `--json` prints it."""
    files = [
        {"path": str(file.path), "kind": file.kind, "node": file.node_id, "title": file.title}
        for file in result.files
    ]
    left = [
        {"name": file.name, "kind": file.kind, "node": file.node_id, "title": file.title}
        | {"place": file.place, "reason": file.reason}
        for file in result.left
    ]
    return {
        "status": "incomplete" if left else "done",
        "prompt_id": result.prompt_id,
        "server": result.server,
        "seconds": round(result.seconds, 3),
        "files": files,
        "left": left,
        "uploads": {str(path): name for path, name in result.uploads.items()},
        "texts": result.texts,
        "ran": result.ran,
        "cached": result.cached,
    }


def _show(result: RunResult) -> None:
    for node_id, texts in result.texts.items():
        for text in texts:
            print(f"{result.titles.get(node_id, node_id)}: {text}")
    for file in result.files:
        print(file.path)
    for left in result.left:
        print(f"not fetched: {left.name} ({left.reason}); it is at {left.place}", file=sys.stderr)
    if not result.files and not result.left:
        print("the workflow saved no file", file=sys.stderr)
    print(f"done in {result.seconds:.1f} s", file=sys.stderr)


def _fail(as_json: bool, code: int, status: str, message: str, extra: dict[str, Any] | None = None) -> int:
    if as_json:
        print(json.dumps({"status": status, "message": message, **(extra or {})}, indent=2))
    else:
        print(f"{status.replace('_', ' ')}: {message}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m a2v_core.headless",
        description="Run saved ComfyUI workflows without a browser.",
        epilog="Exit codes: 0 done, 1 a node failed, or every run of a batch, 2 bad workflow, input, server "
        "or --out, 3 it ran, but not all files could be fetched (they are named, with where they are), or "
        "some runs of a batch failed, 130 interrupted.",
    )
    commands = parser.add_subparsers(required=True, metavar="run|batch")
    command = commands.add_parser(
        "run", help="run one workflow", description="Run one workflow and fetch the files that it saves."
    )
    command.set_defaults(do=_run)
    command.add_argument("--audio", type=Path, metavar="FILE", help="the sound for the node that loads one")
    command.add_argument("--previews", action="store_true", help="fetch what preview nodes show, too")
    where = _add_common(command)
    where.add_argument("--server", metavar="URL", help="a running ComfyUI, say http://127.0.0.1:8188")
    where = _add_common(add_parser(commands))
    where.add_argument(
        "--server",
        action="append",
        metavar="URL",
        help="a running ComfyUI; several share the runs, each named by an option of its own",
    )
    return parser


def _add_common(command: argparse.ArgumentParser) -> argparse._MutuallyExclusiveGroup:
    """The options of both commands; returns the group for where to run."""
    command.add_argument(
        "workflow",
        type=Path,
        help="as the front end saves it, in API format, or a picture, video or sound that ComfyUI made",
    )
    command.add_argument(
        "--set",
        dest="overrides",
        action="append",
        default=[],
        metavar="NODE.INPUT=VALUE",
        help="change an input; NODE is an id, a title or a node type. Input files are uploaded",
    )
    command.add_argument(
        "--out", type=Path, default=Path("out"), metavar="DIR", help="for files (default: out)"
    )
    command.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    where = command.add_mutually_exclusive_group()
    where.add_argument(
        "--comfyui",
        type=Path,
        metavar="DIR",
        help="start this ComfyUI (default: COMFYUI_PATH, the one around the pack, a pinned one)",
    )
    return where


if __name__ == "__main__":
    # SIGTERM is handled like Ctrl-C: the prompt is cancelled, a server of ours is stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
