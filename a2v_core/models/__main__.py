"""python -m a2v_core.models fetch NAME... | list | identify FILE... | convert IN [OUT]

Exit code 0: all of it was done. 1: nothing could be. 3: some of several could not be; they are named on
stderr, with the reason. 2: wrong use. 130: Ctrl-C.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from ..errors import A2VError
from ..texts import escape_outputs
from .catalogue import KINDS
from .commands import run_convert, run_fetch, run_identify, run_list


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    escape_outputs()
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except A2VError as error:
        if options.json:
            print(json.dumps({"ok": False, "error": str(error)}))
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; what has come is kept, and the same command goes on from there", file=sys.stderr)
        return 130


def _run(options: argparse.Namespace) -> int:
    run = {"fetch": run_fetch, "list": run_list, "identify": run_identify, "convert": run_convert}
    return run[options.command](options)


def _parser() -> argparse.ArgumentParser:
    codes = (__doc__ or "").partition("\n\n")[2]
    parser = argparse.ArgumentParser(
        prog="python -m a2v_core.models", description="Get, convert and identify model files.", epilog=codes
    )
    commands = parser.add_subparsers(dest="command", required=True)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--json", action="store_true", help="print JSON for scripts")
    where = argparse.ArgumentParser(add_help=False)
    where.add_argument(
        "--comfyui", default="", metavar="PATH", help="ComfyUI to put it in; default: COMFYUI_PATH"
    )
    where.add_argument("--dest", default="", metavar="FOLDER", help="put it into this folder instead")

    fetch = commands.add_parser(
        "fetch", parents=[shared, where], help="download models into ComfyUI's folders", epilog=codes
    )
    fetch.add_argument(
        "names",
        nargs="+",
        metavar="NAME",
        help="name from `list`; or with --kind an http(s) address, owner/name/path/to/file or owner/name",
    )
    fetch.add_argument("--kind", choices=KINDS, help="what a model of yours is")
    fetch.add_argument(
        "--from", dest="given", default="", metavar="WHERE", help="file, address or hub path to take"
    )
    fetch.add_argument("--sha256", default="", metavar="HEX", help="checksum that a file of yours must have")
    fetch.add_argument("--name", default="", help="what to call a model of yours, without ending")
    fetch.add_argument(
        "--fp16", action="store_true", help="half-precision weights of a t2v model, if it has some"
    )
    fetch.add_argument(
        "--keep-original", action="store_true", help="keep the .pt or .pth beside the safetensors"
    )
    fetch.add_argument("--yes", "-y", action="store_true", help="do not ask before a big download")
    fetch.add_argument("--dry-run", action="store_true", help="show what would be downloaded, and stop")

    commands.add_parser("list", parents=[shared, where], help="the models that are known by name")

    identify = commands.add_parser(
        "identify", parents=[shared], help="what a file is and where it belongs", epilog=codes
    )
    identify.add_argument(
        "paths", type=Path, nargs="+", metavar="FILE", help="model files or diffusers folders"
    )

    convert = commands.add_parser(
        "convert",
        parents=[shared],
        help="BEATs*.pt or learned_embeds.pth to safetensors with config; or back",
    )
    convert.add_argument("source", type=Path, metavar="IN", help="BEATs or AudioMapper file")
    convert.add_argument("target", type=Path, nargs="?", metavar="OUT", help="default: IN with .safetensors")
    convert.add_argument("--base-model", default="", help="text-to-video model that a mapper was trained for")
    return parser


if __name__ == "__main__":
    sys.exit(main())
